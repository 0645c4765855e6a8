"""Build the 409 of a used idempotency key: the activity that has it, and the differences from its request."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import structlog
from pydantic import BaseModel, Field, JsonValue
from temporalio.client import WorkflowExecutionStatus

from api.activities.removed import describe_removal
from api.activities.schemas import ScheduledActivityRead
from api.activities.views import activity_path, read_recorded, read_resolving
from api.http.auth import Caller
from api.http.bodies import escape_pointer_part
from api.http.dependencies import Resources
from api.http.errors import IdempotencyKeyExists, Problem, ProblemRead, Unavailable
from db.fingerprints import hash_request
from db.models import ScheduledActivity
from db.removal import Removal, find_removal_of_key
from db.snapshots import SNAPSHOTS, build_snapshot
from runs import ask
from workflows.display import contract_time
from workflows.messages import ScheduledActivityInput, ScheduledActivityRequest

FREE_DEPTH = 3
"""The depth at which free JSON values begin, in which an absent member differs from null."""
TIMES = ("/scheduled_at", "/suggested_execution_time")
SAME, OTHER = "This very request was accepted before", "Another request was accepted with this key"


class Difference(BaseModel):
    """A place in the body at which two requests differ, with both values; an absent value is null."""

    pointer: str
    stored: JsonValue
    sent: JsonValue


class IdempotencyKeyExistsRead(ProblemRead):
    """The problem of a key that an activity has, with that activity."""

    decided: bool
    same_request: bool
    activity: ScheduledActivityRead | None = Field(
        description="The activity that has the key; null if it was removed: `Location` is its path, which answers 410."
    )
    differences: list[Difference]


def list_differences(stored: ScheduledActivityRequest, sent: ScheduledActivityRequest) -> list[Difference]:
    """List all differences of two parsed requests.

    Times are compared as instants and an absent value as null; the order in arrays counts.

    An attribute key counts once, however often it is repeated.
    """
    left, right = stored.model_dump(mode="json"), sent.model_dump(mode="json")
    if _drop_repeats(stored.attribute_keys) == _drop_repeats(sent.attribute_keys):
        left.pop("attribute_keys", None)
        right.pop("attribute_keys", None)
    return [
        Difference(
            pointer=found.pointer,
            stored=_format_value(stored, found.pointer, found.stored),
            sent=_format_value(sent, found.pointer, found.sent),
        )
        for found in walk_differences(left, right)
    ]


def _format_value(request: ScheduledActivityRequest, pointer: str, value: JsonValue) -> JsonValue:
    """Return a time in the contract's format, and any other value as it is."""
    time = getattr(request, pointer[1:]) if pointer in TIMES else None
    return contract_time(time) if time else value


def _drop_repeats(keys: tuple[str, ...] | None) -> list[str] | None:
    return None if keys is None else list(dict.fromkeys(keys))


def walk_differences(stored: Any, sent: Any, pointer: str = "") -> Iterator[Difference]:
    """Yield the places, from `pointer` on, at which two requests in JSON differ."""
    both = isinstance(stored, dict) and isinstance(sent, dict)
    if both and (stored.keys() == sent.keys() or pointer.count("/") < FREE_DEPTH):
        for key in dict.fromkeys((*stored, *sent)):
            yield from walk_differences(stored.get(key), sent.get(key), f"{pointer}/{escape_pointer_part(key)}")
    elif isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        for index, (left, right) in enumerate(zip(stored, sent, strict=True)):
            yield from walk_differences(left, right, f"{pointer}/{index}")
    elif not _is_same(stored, sent):
        yield Difference(pointer=pointer, stored=stored, sent=sent)


def _is_same(stored: Any, sent: Any) -> bool:
    """Compare two values; numbers as decimals, because PostgreSQL returns 1e23 as an integer."""
    if isinstance(stored, bool) or isinstance(sent, bool):
        return stored is sent
    if isinstance(stored, int | float) and isinstance(sent, int | float):
        return Decimal(repr(stored)) == Decimal(repr(sent))
    return bool(stored == sent)


async def find_duplicate(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> Problem:
    """Return the 409 that shows the activity which has the key."""
    # Twice, because a run may write its row and end between the two questions of a look-up.
    found = await find_accepted(scheduled, caller, opened) or await find_accepted(scheduled, caller, opened)
    return found or Unavailable(
        "An attempt with this idempotency key has just ended; send the request again.", retry_after=1
    )


async def find_accepted(
    scheduled: ScheduledActivityInput, caller: Caller, opened: Resources
) -> IdempotencyKeyExists | None:
    """Look the key up in PostgreSQL, and then among the runs that are still resolving."""
    key = scheduled.request.idempotency_key
    statement = SNAPSHOTS.where(
        ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.idempotency_key == key
    )
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
        removal = None if row else await find_removal_of_key(connection, caller.tenant_id, key)
    if removal:
        return _build_conflict_with_removed(removal, scheduled.request)
    if row:
        stored = ScheduledActivityRequest.model_validate(row["request"])
        return _build_conflict(
            read_recorded(build_snapshot(row), caller, opened), stored, scheduled.request, decided=True
        )
    run = await ask.find_latest_run(opened.temporal, caller.tenant_id, key)
    if run is None or run.status is not WorkflowExecutionStatus.RUNNING:
        return None
    first = await ask.read_input(opened.temporal, run.id, run.run_id, ScheduledActivityInput)
    return _build_conflict(read_resolving(first), first.request, scheduled.request, decided=False)


def _build_conflict_with_removed(removal: Removal, sent: ScheduledActivityRequest) -> IdempotencyKeyExists:
    """Return the 409 of a key whose activity was removed: of its request a hash is left, so no difference is named."""
    is_same = removal.request_hash == hash_request(sent)
    return IdempotencyKeyExists(
        f"{SAME if is_same else OTHER}: activity {removal.activity_id}, which {describe_removal(removal)}.",
        headers={"Location": activity_path(removal.activity_id)},
        members={"decided": True, "sameRequest": is_same, "activity": None, "differences": []},
    )


def _build_conflict(
    existing: ScheduledActivityRead, stored: ScheduledActivityRequest, sent: ScheduledActivityRequest, *, decided: bool
) -> IdempotencyKeyExists:
    structlog.contextvars.bind_contextvars(activity_id=str(existing.id))
    differ = list_differences(stored, sent)
    return IdempotencyKeyExists(
        f"{OTHER if differ else SAME}: activity {existing.id} is {existing.status}.",
        headers={"Location": activity_path(existing.id)} | ({} if decided else {"Retry-After": "1"}),
        members={
            "decided": decided,
            "sameRequest": not differ,
            "activity": existing.model_dump(mode="json"),
            "differences": [difference.model_dump(mode="json") for difference in differ],
        },
    )
