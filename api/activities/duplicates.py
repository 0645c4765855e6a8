"""The 409 of a used idempotency key: the activity that exists, and what differs from it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, JsonValue
from temporalio.client import WorkflowExecutionStatus

from api.activities.schemas import ScheduledActivityRead
from api.activities.views import location, read, read_resolving
from api.http.auth import Caller
from api.http.bodies import escaped
from api.http.dependencies import Resources
from api.http.errors import IdempotencyKeyExists, Problem, Unavailable
from db.models import ScheduledActivity
from db.snapshots import SNAPSHOTS, snapshot
from runs import ask
from workflows.display import contract_time
from workflows.messages import ScheduledActivityInput, ScheduledActivityRequest

FREE_DEPTH = 3
"""How deep a pointer leads where the caller's own values begin: there an absent member isn't a null one."""
TIMES = ("/scheduled_at", "/suggested_execution_time")


class Difference(BaseModel):
    """One place in the body, and both values there; absent is null."""

    pointer: str
    stored: JsonValue
    sent: JsonValue


def differences(stored: ScheduledActivityRequest, sent: ScheduledActivityRequest) -> list[Difference]:
    """All of them, after parsing: instants are compared as instants, absent as null, and the order in arrays counts.

    An attribute key counts once, however often it is repeated.
    """
    left, right = stored.model_dump(mode="json"), sent.model_dump(mode="json")
    if _once(stored.attribute_keys) == _once(sent.attribute_keys):
        left.pop("attribute_keys", None)
        right.pop("attribute_keys", None)
    return [
        Difference(
            pointer=found.pointer,
            stored=_as_answered(stored, found.pointer, found.stored),
            sent=_as_answered(sent, found.pointer, found.sent),
        )
        for found in _differences(left, right, "")
    ]


def _as_answered(request: ScheduledActivityRequest, pointer: str, value: JsonValue) -> JsonValue:
    """Times as the contract writes them."""
    time = getattr(request, pointer[1:]) if pointer in TIMES else None
    return contract_time(time) if time else value


def _once(keys: tuple[str, ...] | None) -> list[str] | None:
    return None if keys is None else list(dict.fromkeys(keys))


def _differences(stored: Any, sent: Any, pointer: str) -> Iterator[Difference]:
    both = isinstance(stored, dict) and isinstance(sent, dict)
    if both and (stored.keys() == sent.keys() or pointer.count("/") < FREE_DEPTH):
        for key in dict.fromkeys((*stored, *sent)):
            yield from _differences(stored.get(key), sent.get(key), f"{pointer}/{escaped(key)}")
    elif isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        for index, (left, right) in enumerate(zip(stored, sent, strict=True)):
            yield from _differences(left, right, f"{pointer}/{index}")
    elif not _same(stored, sent):
        yield Difference(pointer=pointer, stored=stored, sent=sent)


def _same(stored: Any, sent: Any) -> bool:
    """PostgreSQL keeps numbers as decimals: 1e23 comes back from it as an integer, and a float equals few."""
    if isinstance(stored, bool) or isinstance(sent, bool):
        return stored is sent
    if isinstance(stored, int | float) and isinstance(sent, int | float):
        return Decimal(repr(stored)) == Decimal(repr(sent))
    return bool(stored == sent)


async def duplicate_of(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> Problem:
    """Look the first one up; twice, for a run may write its row and end while we look."""
    found = await _look_up(scheduled, caller, opened) or await _look_up(scheduled, caller, opened)
    return found or Unavailable(
        "An attempt with this idempotency key has just ended; send the request again.", retry_after=1
    )


async def _look_up(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> IdempotencyKeyExists | None:
    """In PostgreSQL, or, while it is still resolving, in its run's first event."""
    key = scheduled.request.idempotency_key
    statement = SNAPSHOTS.where(
        ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.idempotency_key == key
    )
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row:
        stored = ScheduledActivityRequest.model_validate(row.request)
        return _conflict(read(snapshot(row), caller, opened), stored, scheduled.request, decided=True)
    run = await ask.find_latest_run(opened.temporal, caller.tenant_id, key)
    if run is None or run.status is not WorkflowExecutionStatus.RUNNING:
        return None
    first = await ask.read_input(opened.temporal, run.id, run.run_id, ScheduledActivityInput)
    return _conflict(read_resolving(first), first.request, scheduled.request, decided=False)


def _conflict(
    existing: ScheduledActivityRead, stored: ScheduledActivityRequest, sent: ScheduledActivityRequest, *, decided: bool
) -> IdempotencyKeyExists:
    differ = differences(stored, sent)
    same = "This very request was accepted before" if not differ else "Another request was accepted with this key"
    return IdempotencyKeyExists(
        f"{same}: activity {existing.id} is {existing.status}.",
        headers={"Location": location(existing.id)} | ({} if decided else {"Retry-After": "1"}),
        members={
            "decided": decided,
            "sameRequest": not differ,
            "activity": existing.model_dump(mode="json"),
            "differences": [difference.model_dump(mode="json") for difference in differ],
        },
    )
