"""POST /api/activities/batch: create many activities in one call, each judged alone."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from traceback import format_tb
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.requests import ClientDisconnect

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
    parse_in_turn,
    parse_list,
    read_chunks,
    read_json,
    require_few_values,
    require_uncompressed,
)
from api.http.dependencies import CanCreate, Opened, Resources
from api.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    IdempotencyKeyExists,
    InternalError,
    ProblemRead,
    RateLimited,
    UnsupportedMediaType,
    problem_responses,
)
from api.http.failures import problem_of
from api.http.fields import Answer, RequestBody
from api.http.streams import DuplexResponse, KeyTurns, process_in_order, split_lines
from api.http.turns import large_turn_of
from db.failures import kind
from workflows.tenant_limits import BATCH_ANSWER_BYTES, BODY_VALUES

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

ITEMS = 1000
AT_ONCE = 64
"""The most creations of one call in flight: enough to keep a worker busy, too few to delay other callers."""
AHEAD = 64
"""The most results of a stream that wait for a slower item or a slow reader; then reading pauses."""
FULL_ANSWER = (
    f"The results before this item have {BATCH_ANSWER_BYTES:,} bytes, as many as an answer may have. Nothing was begun:"
    " send this item again, in another batch."
)
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
    await large_turn_of(request).take()
    if media_type(request) == LINES:
        return _answer_lines(caller, opened, request)
    content = await read_json(request, BULK_BODY_BYTES)
    items = await asyncio.to_thread(parse_list, _Envelope, content, ITEMS)
    await opened.rate_limits.take_items(caller, request, len(items))
    create_item = _creator_of_items(caller, opened, request, is_stream=False)
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
async def stream_activities(
    caller: CanCreate, opened: Opened, request: Annotated[Request, Depends(UnreadBody())]
) -> Response:
    """Create any number of activities, one in each line. Each is created and answered as by the single call.

    The results are sent as lines while the request is still being read, each a `BatchResult`:
    `curl -T campaign.ndjson -H 'Content-Type: application/x-ndjson' …`. After a lost connection, send the lines again,
    as with a batch. Blank lines have no result and don't count: `index` is the number of lines before this one that
    aren't blank.
    """
    require_no_key(request)
    if media_type(request) != LINES:
        raise UnsupportedMediaType(f"Send the lines as `Content-Type: {LINES}`.")
    await large_turn_of(request).take()
    return _answer_lines(caller, opened, request)


def _answer_lines(caller: Caller, opened: Resources, request: Request) -> Response:
    """Answer each line as it is created, while the request is still being read."""
    require_uncompressed(request)
    create_item = _creator_of_items(caller, opened, request, is_stream=True)
    lines = _enumerate(split_lines(read_chunks(request, lines=True), BODY_BYTES))
    results = process_in_order(lines, create_item, at_once=AT_ONCE, ahead=AHEAD)
    return DuplexResponse(_end_as_line(results, request), media_type=LINES)


@dataclass
class Order:
    """The order of a call's items: one is counted and parsed after the other, so that those of a key stay in order."""

    keys: KeyTurns = field(default_factory=KeyTurns)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    parsing: asyncio.Lock = field(default_factory=asyncio.Lock)


def _creator_of_items(
    caller: Caller, opened: Resources, request: Request, *, is_stream: bool
) -> Callable[[tuple[int, bytes]], Awaitable[bytes]]:
    """Return the function that creates an item of this request. It counts those of a stream; others were counted."""
    order, room = Order(), BATCH_ANSWER_BYTES

    async def create_item(item: tuple[int, bytes]) -> bytes:
        nonlocal room
        index, content = item
        try:
            if is_stream:
                await _take_line(order, caller, opened, request)
            async with opened.turns.of_item(caller.tenant_id):
                _require_room(room)
                try:
                    answer = await _create_item(content, order, caller, opened)
                except IdempotencyKeyExists:
                    _require_room(room)  # others may have filled it meanwhile
                    raise
            result = _format_result(index, answer.status_code, bytes(answer.body))
        except Exception as failure:  # noqa: BLE001 - it is the result of this item alone
            result = _format_failure(index, failure, request)
        room -= 0 if is_stream else len(result)
        return result

    return create_item


def _require_room(room: int) -> None:
    """Check that the answer has room for another result; a result may be as long as what is stored.

    Raises:
        RateLimited: it has none.
    """
    if room <= 0:
        raise RateLimited(FULL_ANSWER)


async def _take_line(order: Order, caller: Caller, opened: Resources, request: Request) -> None:
    """Count a line; one that is refused takes a second, so that refusing more than that has no cost for others."""
    try:
        async with order.counting:  # a store may answer a later line first
            await opened.rate_limits.take_items(caller, request, 1)
    except RateLimited:
        await asyncio.sleep(1)
        raise


async def _end_as_line(results: AsyncIterator[bytes], request: Request) -> AsyncIterator[bytes]:
    """Yield the results as lines. What was read before a disconnection, or a line that comes too slowly, counts."""
    number = 0
    try:
        async for result in results:
            yield result + b"\n"
            number += 1
    except ClientDisconnect:
        return
    except BodyTooSlow as failure:
        yield _format_failure(number, failure, request) + b"\n"


async def _create_item(content: bytes, order: Order, caller: Caller, opened: Resources) -> Response:
    """Create one item, after all earlier ones with its key unless one of them was accepted."""
    if len(content) > BODY_BYTES:
        raise BodyTooLarge(f"An activity may have at most {BODY_BYTES:,} bytes.")
    require_few_values(content, BODY_VALUES)
    async with order.parsing:
        body = await parse_in_turn(opened.parsing, ScheduledActivityCreate, content)
    async with order.keys.turn(body.idempotency_key) as queue:
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
