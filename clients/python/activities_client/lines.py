"""Lines: create any number of activities, one in each line of `POST /api/activities/stream`."""

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

import httpx

from activities_client.answers import ApiError
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import BatchResult, ProblemRead, ScheduledActivityCreate
from activities_client.retries import PASSING, Retries

Activity = ScheduledActivityCreate | Mapping[str, Any]
LINES_OF_A_REQUEST = 64
"""As many as the API reads ahead: httpx sends a request to its end before it reads the first result."""
RETRIES = Retries(attempts=9)
"""The waits are longer than a minute together, the window in which the API counts lines."""


@dataclass(frozen=True)
class Line:
    """An activity as it is sent, with its place among all of them."""

    index: int
    content: bytes


def create_by_lines(
    client: AuthenticatedClient,
    activities: Iterable[Activity],
    *,
    lines_of_a_request: int = LINES_OF_A_REQUEST,
    retries: Retries = RETRIES,
) -> Iterator[BatchResult]:
    """Create any number of activities, and yield the result of each in their order. Each needs a key of its own.

    What is cut off, or refused for a while, is sent again: nothing is created twice, and a result of 409 with
    `same_request` says that an earlier attempt has created the activity.

    Raises:
        ApiError: the API refuses the whole request.
        httpx.TransportError: the last attempt was cut off, too.

    """
    lines = (Line(index, _format(activity)) for index, activity in enumerate(activities))
    while group := list(islice(lines, lines_of_a_request)):
        yield from _create_group(client, group, retries)


def _format(activity: Activity) -> bytes:
    body = activity.to_dict() if isinstance(activity, ScheduledActivityCreate) else activity
    # Half a surrogate pair has no bytes in UTF-8, and this escape of it is that of JSON.
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _create_group(client: AuthenticatedClient, group: list[Line], retries: Retries) -> Iterator[BatchResult]:
    """Send the lines until each has a final result, or until the last attempt; yield the results as they come."""
    results: dict[int, BatchResult] = {}
    waiting = deque(group)
    for attempt in range(1, retries.attempts + 1):
        try:
            for result in _send(client, [line for line in waiting if _needs_sending(results.get(line.index))]):
                results[result.index] = result
                yield from _take_final(waiting, results)
        except httpx.TransportError:
            if attempt == retries.attempts:
                raise
        if attempt == retries.attempts or not waiting:
            break
        time.sleep(retries.wait_after(attempt, None))
    yield from (results[line.index] for line in waiting)


def _take_final(waiting: deque[Line], results: dict[int, BatchResult]) -> Iterator[BatchResult]:
    """Yield the final results of the first lines that wait, and take these lines away."""
    while waiting and not _needs_sending(results.get(waiting[0].index)):
        yield results[waiting.popleft().index]


def _needs_sending(result: BatchResult | None) -> bool:
    """Return True if there is no result, or one that passes."""
    if result is None:
        return True
    return result.status in PASSING and getattr(result.body, "code", None) != "quota_exceeded"


def _send(client: AuthenticatedClient, lines: list[Line]) -> Iterator[BatchResult]:
    """Send one request, and yield its results, each with the index of its line."""
    with client.get_httpx_client().stream(
        "POST",
        "/api/activities/stream",
        content=b"".join(line.content for line in lines),
        headers={"Content-Type": "application/x-ndjson"},
    ) as response:
        if response.status_code != HTTPStatus.OK:
            raise ApiError(HTTPStatus(response.status_code), ProblemRead.from_dict(json.loads(response.read())))
        count = 0
        for count, text in enumerate(response.iter_lines(), start=1):  # noqa: B007 - counted below
            result = BatchResult.from_dict(json.loads(text))
            result.index = lines[result.index].index
            yield result
        if count < len(lines):
            message = f"The API has sent {count} of {len(lines)} results."
            raise httpx.RemoteProtocolError(message)
