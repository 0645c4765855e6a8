"""POST /api/activities/batch: create many activities in one call, each judged alone."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from traceback import format_tb
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.activities.create import create
from api.activities.duplicates import IdempotencyKeyExistsRead
from api.activities.idempotency import require_no_key
from api.activities.schemas import ScheduledActivityCreate, ScheduledActivityRead
from api.http.auth import Caller
from api.http.bodies import (
    BODY_BYTES,
    BULK_BODY_BYTES,
    UnreadBody,
    media_type,
    parse,
    parse_list,
    read_json,
    require_few_values,
    require_uncompressed,
)
from api.http.dependencies import CanCreate, Opened, Resources
from api.http.errors import BodyTooLarge, InternalError, ProblemRead, UnsupportedMediaType, problem_responses
from api.http.failures import problem_of
from api.http.fields import Answer, RequestBody
from api.http.streams import DuplexResponse, KeyTurns, process_in_order, read_chunks, split_lines
from db.failures import kind
from workflows.tenant_limits import BODY_VALUES

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

ITEMS = 1000
AT_ONCE = 64
"""The most creations of one call in flight: enough to keep a worker busy, too few to delay other callers."""
AHEAD = 256
"""The most results of a stream that wait for a slower item or a slow reader; then reading pauses."""
LINES = "application/x-ndjson"

router = APIRouter(prefix="/api/activities", tags=["activities"])


def _lines_of(model: type[BaseModel]) -> dict[str, str]:
    return {"type": "string", "description": f"Lines, each a `{model.__name__}` in JSON."}


class ScheduledActivityBatch(RequestBody):
    """The activities to create, each with its own idempotency key. An item that is not valid fails alone."""

    activities: Annotated[list[ScheduledActivityCreate], Field(max_length=ITEMS)]


class _Envelope(RequestBody):
    """The body before its items are parsed: each item is validated alone."""

    activities: Annotated[list[object], Field(max_length=ITEMS)]


class BatchResult(Answer):
    """The response that the single call would have sent for this item."""

    index: int = Field(description="The item's position in the request, from 0; blank lines don't count.")
    status: int = Field(examples=[201])
    body: ScheduledActivityRead | IdempotencyKeyExistsRead | ProblemRead


class BatchResults(Answer):
    """One result for each item, in the order of the request."""

    results: list[BatchResult]


@router.post(
    "/batch",
    response_model=BatchResults,
    responses=problem_responses(),
)
async def create_activities(
    caller: CanCreate,
    opened: Opened,
    request: Annotated[Request, Depends(UnreadBody(ScheduledActivityBatch))],
) -> Response:
    """Create up to 1,000 activities. Each item is created and answered as by the single call.

    A 200 means that there are results: check the `status` of each. After a lost connection, send the batch again: an
    item that was created is answered with 409, its activity and `sameRequest: true`, and nothing is created twice.

    Items with the same idempotency key are created one after the other, in their order, until one is accepted.

    A body of lines, as `application/x-ndjson`, is answered as by `/api/activities/stream`.
    """
    require_no_key(request)
    if media_type(request) == LINES:
        return _answer_lines(caller, opened, request)
    content = await read_json(request, BULK_BODY_BYTES)
    items = await asyncio.to_thread(parse_list, _Envelope, content, ITEMS)
    await opened.rate_limits.take_items(caller, request, len(items))
    create_item = _creator_of_items(caller, opened, request, is_counted=True)
    results = process_in_order(_enumerate(_iterate(items)), create_item, at_once=AT_ONCE, ahead=ITEMS)
    joined = b",".join([result async for result in results])
    return Response(b'{"results":[' + joined + b"]}", media_type="application/json")


@router.post(
    "/stream",
    response_class=Response,
    openapi_extra={
        "requestBody": {"required": True, "content": {LINES: {"schema": _lines_of(ScheduledActivityCreate)}}}
    },
    responses={
        200: {
            "description": "One result for each line, in their order.",
            "content": {LINES: {"schema": _lines_of(BatchResult)}},
        },
        **problem_responses(UnsupportedMediaType),
    },
)
async def stream_activities(caller: CanCreate, opened: Opened, request: Request) -> Response:
    """Create any number of activities, one in each line. Each is created and answered as by the single call.

    The results are sent as lines while the request is still being read, each a `BatchResult`:
    `curl -T campaign.ndjson -H 'Content-Type: application/x-ndjson' …`. After a lost connection, send the lines again,
    as with a batch. Blank lines have no result and don't count: `index` is the number of lines before this one that
    aren't blank.
    """
    require_no_key(request)
    if media_type(request) != LINES:
        raise UnsupportedMediaType(f"Send the lines as `Content-Type: {LINES}`.")
    return _answer_lines(caller, opened, request)


def _answer_lines(caller: Caller, opened: Resources, request: Request) -> Response:
    """Answer each line as it is created, while the request is still being read."""
    require_uncompressed(request)
    create_item = _creator_of_items(caller, opened, request, is_counted=False)
    lines = _enumerate(split_lines(read_chunks(request), BODY_BYTES))
    results = process_in_order(lines, create_item, at_once=AT_ONCE, ahead=AHEAD)
    return DuplexResponse((line + b"\n" async for line in results), media_type=LINES)


def _creator_of_items(
    caller: Caller, opened: Resources, request: Request, *, is_counted: bool
) -> Callable[[tuple[int, bytes]], Awaitable[bytes]]:
    """Return the function that creates an item of this request, and counts it unless all were counted before."""
    turns = KeyTurns()

    async def create_item(item: tuple[int, bytes]) -> bytes:
        index, content = item
        try:
            if not is_counted:
                await opened.rate_limits.take_items(caller, request, 1)
            answer = await _create_item(content, turns, caller, opened)
        except Exception as failure:  # noqa: BLE001 - it is the result of this item alone
            return _format_failure(index, failure, request)
        return _format_result(index, answer.status_code, bytes(answer.body))

    return create_item


async def _create_item(content: bytes, turns: KeyTurns, caller: Caller, opened: Resources) -> Response:
    """Create one item, after all earlier ones with its key unless one of them was accepted."""
    if len(content) > BODY_BYTES:
        raise BodyTooLarge(f"An activity may have at most {BODY_BYTES:,} bytes.")
    require_few_values(content, BODY_VALUES)
    body = parse(ScheduledActivityCreate, content)
    async with turns.turn(body.idempotency_key) as queue:
        answer = await create(body, caller, opened)
        queue.is_settled = True
        return answer


def _format_failure(index: int, failure: Exception, request: Request) -> bytes:
    problem = problem_of(failure)
    if isinstance(problem, InternalError):
        # The message may hold a customer's data.
        log.error("unexpected exception", item=index, failure=kind(failure), trace=format_tb(failure.__traceback__))
    return _format_result(index, problem.status, to_json(problem.body(request.url.path, request.state.request_id)))


def _format_result(index: int, status: int, body: bytes) -> bytes:
    """Return a `BatchResult` as JSON, around a body that is JSON already."""
    return b'{"index":%d,"status":%d,"body":%b}' % (index, HTTPStatus(status), body)


async def _iterate(items: Iterable[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


async def _enumerate(items: AsyncIterable[Item]) -> AsyncIterator[tuple[int, Item]]:
    index = 0
    async for item in items:
        yield index, item
        index += 1
