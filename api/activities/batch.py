"""/api/activities/batch: many creations in one call, each as independent of the others as if it had come alone."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from http import HTTPStatus
from traceback import format_tb
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, SkipValidation, ValidationError
from pydantic_core import to_json

from api.activities.create import create
from api.activities.schemas import ScheduledActivityCreate, ScheduledActivityRead
from api.http.auth import Caller
from api.http.bodies import (
    BODY_BYTES,
    BULK_BODY_BYTES,
    UnreadBody,
    faults_in,
    invalid,
    json_content,
    json_of,
    media_type,
    parse,
)
from api.http.dependencies import CanCreate, Opened, Resources
from api.http.errors import BodyTooLarge, InternalError, ProblemRead, documented
from api.http.failures import problem_of
from api.http.fields import Answer, RequestBody
from api.http.streams import DuplexResponse, process_in_order, read_chunks, split_lines
from db.failures import kind

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

ITEMS = 1000
AT_ONCE = 64
"""Creations of one call in flight: enough to keep a worker busy, too few to starve other callers."""
AHEAD = 256
"""Results of a stream that may wait for a slower one before them, or for a slow reader, until reading stops."""
LINES = "application/x-ndjson"

router = APIRouter(prefix="/api/activities", tags=["activities"])


def _lines_of(model: type[BaseModel]) -> dict[str, str]:
    return {"type": "string", "description": f"Lines, each a `{model.__name__}` in JSON."}


class ScheduledActivityBatch(RequestBody):
    """Creations, each with an idempotency key of its own; a wrong one is answered for itself and sinks no other."""

    activities: Annotated[list[Annotated[ScheduledActivityCreate, SkipValidation]], Field(max_length=ITEMS)]


class BatchResult(Answer):
    """What the single call would have answered to this item."""

    index: int = Field(description="The item's place in the request, from 0.")
    status: int = Field(examples=[201])
    body: ScheduledActivityRead | ProblemRead


class BatchResults(Answer):
    """One result per item, in their order."""

    results: list[BatchResult]


LINE_BY_LINE = {
    "requestBody": {"content": {LINES: {"schema": _lines_of(ScheduledActivityCreate)}}},
    "responses": {"200": {"content": {LINES: {"schema": _lines_of(BatchResult)}}}},
}
"""The other way to send a batch and to get its results."""


@router.post(
    "/batch",
    response_model=BatchResults,
    openapi_extra=LINE_BY_LINE,
    responses=documented(),
)
async def create_activities(
    caller: CanCreate,
    opened: Opened,
    request: Annotated[Request, Depends(UnreadBody(ScheduledActivityBatch))],
) -> Response:
    """Create up to 1,000 activities, each by the rules of the single call and answered as that would answer it.

    200 says only that the results are there: look at each one's `status`. Sent again after a cut connection, whatever
    was created answers 409 with its activity and `sameRequest: true`, and nothing starts twice.

    As `application/x-ndjson`, one activity per line without a limit to their number, the results come as lines too,
    while the request is still being sent: `curl -T campaign.ndjson -H 'Content-Type: application/x-ndjson' …`.
    """

    async def result(item: tuple[int, bytes]) -> bytes:
        return await _result(*item, request, caller, opened)

    if media_type(request) == LINES:
        results = process_in_order(
            _numbered(split_lines(read_chunks(request), BODY_BYTES)), result, at_once=AT_ONCE, ahead=AHEAD
        )
        return DuplexResponse((line + b"\n" async for line in results), media_type=LINES)
    items = await asyncio.to_thread(_items, await json_content(request, BULK_BODY_BYTES))
    results = process_in_order(_numbered(_each(items)), result, at_once=AT_ONCE, ahead=ITEMS)
    content = b",".join([one async for one in results])
    return Response(b'{"results":[' + content + b"]}", media_type="application/json")


async def _result(index: int, content: bytes, request: Request, caller: Caller, opened: Resources) -> bytes:
    """One item from its JSON to its result; whatever happens to it stays its own."""
    try:
        if len(content) > BODY_BYTES:
            raise BodyTooLarge(f"An activity may have {BODY_BYTES:,} bytes at most.")  # noqa: TRY301 - answered below
        answer = await create(parse(ScheduledActivityCreate, content), caller, opened)
    except Exception as failure:  # noqa: BLE001 - logged without its message, which may hold a customer's data
        problem = problem_of(failure)
        if isinstance(problem, InternalError):
            log.error("a defect of ours", item=index, failure=kind(failure), trace=format_tb(failure.__traceback__))  # noqa: TRY400
        body = to_json(problem.body(request.url.path, request.state.request_id))
        return _joined(index, problem.status, body)
    return _joined(index, answer.status_code, bytes(answer.body))


def _joined(index: int, status: int, body: bytes) -> bytes:
    """A `BatchResult` around a body that is JSON already."""
    return b'{"index":%d,"status":%d,"body":%b}' % (index, HTTPStatus(status), body)


def _items(content: bytes) -> list[bytes]:
    """The JSON of each item; only the shape around them is judged here."""
    data = json_of(content)
    try:
        batch = ScheduledActivityBatch.model_validate(data, strict=True)
    except ValidationError as failure:
        raise invalid(faults_in(failure, data)) from failure
    return [to_json(item) for item in batch.activities]


async def _each(items: Iterable[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


async def _numbered(items: AsyncIterable[Item]) -> AsyncIterator[tuple[int, Item]]:
    index = 0
    async for item in items:
        yield index, item
        index += 1
