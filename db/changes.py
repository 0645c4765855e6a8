"""What clients and operators may change, decided under the row's lock: in a run's step, or by the API once it ended."""

from typing import Any

from sqlalchemy import ColumnElement, delete, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models, writes
from db.models import ScheduledActivity, StatusEvent
from db.queries import SNAPSHOTS, snapshot
from db.writes import Event
from workflows.criteria import REACHED_BY
from workflows.payloads import (
    ActivityStatus,
    Apply,
    AssignTarget,
    AttributeStatus,
    Cancel,
    EventType,
    ExecuteNow,
    Fault,
    LockReason,
    Rejection,
    Reschedule,
    ResolvedTarget,
    RetryResolution,
    Snapshot,
    Standing,
    TargetStatus,
    TargetStrategy,
    TargetUser,
    Terminate,
)

READY, UNRESOLVED, DUE = ActivityStatus.READY, ActivityStatus.UNRESOLVED, ActivityStatus.DUE


class RefusedChangeError(Exception):
    """The activity is not in a state for this: who wanted it came too late, or for the wrong one."""

    def __init__(self, code: str, detail: str, *, status: ActivityStatus | None = None, pointer: str = "") -> None:
        super().__init__(detail)
        faults = (Fault(pointer=pointer, detail=detail),) if pointer else ()
        self.rejection = Rejection(code=code, detail=detail, status=status, faults=faults)


async def apply(connection: AsyncConnection, wanted: Apply) -> Standing:
    """Write the change in the caller's transaction, unless its key has been written before; answers where it stands.

    Raises:
        RefusedChangeError: nothing was written, and why.
    """
    seen = await _locked(connection, wanted)
    if await _written(connection, wanted):
        return seen.standing
    match wanted.change:
        case Cancel():
            await _cancel(connection, wanted, seen, wanted.change)
        case Reschedule():
            await _reschedule(connection, wanted, seen, wanted.change)
        case ExecuteNow():
            await _execute_now(connection, wanted, seen, wanted.change)
        case RetryResolution():
            await _retry_resolution(connection, wanted, seen, wanted.change)
        case AssignTarget():
            await _assign_target(connection, wanted, seen, wanted.change)
        case Terminate():
            await _terminate(connection, wanted, seen, wanted.change)
    return (await _locked(connection, wanted)).standing


async def _locked(connection: AsyncConnection, wanted: Apply) -> Snapshot:
    """Take the lock first, and look then: whoever held it may have changed the parts as well."""
    this = (ScheduledActivity.tenant_id == wanted.tenant_id, ScheduledActivity.id == wanted.id)
    await connection.execute(select(ScheduledActivity.id).where(*this).with_for_update())
    row = (await connection.execute(SNAPSHOTS.where(*this))).one_or_none()
    if row is None:
        raise RefusedChangeError("activity_not_found", f"This tenant has no activity {wanted.id}.")
    return snapshot(row)


async def _written(connection: AsyncConnection, wanted: Apply) -> bool:
    event = select(StatusEvent.id).where(*_events_of(wanted), StatusEvent.event_key == wanted.key)
    return (await connection.execute(event)).first() is not None


async def _cancel(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: Cancel) -> None:
    if seen.status is ActivityStatus.CANCELED:
        return
    _allow(seen, "canceled", READY, UNRESOLVED, DUE)
    event = _event(wanted, EventType.CANCELED, seen, ActivityStatus.CANCELED, {"reason": change.reason})
    values = {"status": ActivityStatus.CANCELED, "why": change.reason} | await _take_back(connection, wanted, seen)
    await _write(connection, wanted, values, event)


async def _reschedule(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: Reschedule) -> None:
    """The status comes before the version: who is too late shall hear that, not that somebody was faster."""
    _allow(seen, "changed", READY, UNRESOLVED)
    if change.if_version not in {None, seen.version}:
        detail = f'It was changed since it was read: its ETag is now "{seen.version}". Read it again, then decide.'
        raise RefusedChangeError("stale_etag", detail, status=seen.status)
    asked = change.model_dump(
        include={"scheduled_at", "suggested_execution_time", "score"}, exclude_none=True, mode="python"
    )
    before = seen.model_dump(mode="json", include=set(asked))
    after = change.model_dump(mode="json", include=set(asked))
    details = {"reason": change.reason} | {name: {"before": before[name], "after": after[name]} for name in asked}
    if change.scheduled_at:
        asked |= {"moved_at": func.now()} | await _take_back(connection, wanted, seen)
    await _write(connection, wanted, asked, _event(wanted, EventType.RESCHEDULED, seen, seen.status, details))


async def _execute_now(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: ExecuteNow) -> None:
    """Due from now on; if what was left for its time can't be resolved, it is UNRESOLVED, as it would be then."""
    _allow(seen, "executed now", READY)
    why = writes.faults(change.target, change.attributes)
    if why:
        event = _event(wanted, EventType.RESOLUTION_FAILED, seen, UNRESOLVED, why=why)
        await _write(connection, wanted, {"status": UNRESOLVED, "why": why}, event, change.target, change.attributes)
        return
    await _take_back(connection, wanted, seen)
    values = {"status": DUE, "due_at": func.now(), "marked_at": func.now(), "lateness_ms": 0}
    event = _event(wanted, EventType.DUE, seen, DUE, {"executeNow": True})
    await _write(connection, wanted, values, event, change.target, change.attributes)


async def _retry_resolution(
    connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: RetryResolution
) -> None:
    _allow(seen, "resolved again", UNRESOLVED)
    why = writes.faults(change.target, change.attributes)
    event = (
        _event(wanted, EventType.RESOLUTION_RETRY_FAILED, seen, UNRESOLVED, why=why)
        if why
        else _event(wanted, EventType.RESOLUTION_RETRY_SUCCESS, seen, READY)
    )
    values = {"status": event.to_status, "why": why}
    await _write(connection, wanted, values, event, change.target, change.attributes)


async def _assign_target(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: AssignTarget) -> None:
    _allow(seen, "assigned", READY, UNRESOLVED)
    _allow_target(seen, change)
    await _allow_user(connection, wanted, seen, change)
    target = ResolvedTarget(
        status=TargetStatus.RESOLVED,
        strategy=TargetStrategy.MANUAL,
        commerce_user_id=change.commerce_user_id,
        lock_reason=LockReason.MANUAL_ASSIGNMENT,
        explanation={"summary": "An operator has assigned the user.", "commerceUserId": str(change.commerce_user_id)},
    )
    failed = [one for one in seen.attributes if one.status is AttributeStatus.FAILED]
    why = "; ".join(f"attribute {one.key}: {one.error_message}" for one in failed) or None
    event = _event(wanted, EventType.TARGET_ASSIGNED, seen, UNRESOLVED if why else READY, why=why)
    await _write(connection, wanted, {"status": event.to_status, "why": why}, event, target)


async def _terminate(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: Terminate) -> None:
    _allow(seen, "given up", READY, UNRESOLVED)
    values = {"status": ActivityStatus.FAILED, "why": change.reason}
    event_type = EventType.TERMINATED_BY_OPERATOR
    event = _event(wanted, event_type, seen, ActivityStatus.FAILED, why=change.reason, code="terminated")
    await _write(connection, wanted, values, event)


def _allow(seen: Snapshot, done: str, *statuses: ActivityStatus) -> None:
    """The status that counts decides: whoever was faster has won, and the loser hears what it is now."""
    if seen.status not in statuses:
        detail = f"The activity is {seen.status}: only {' or '.join(statuses)} ones can be {done}."
        raise RefusedChangeError("wrong_status", detail, status=seen.status)


def _allow_target(seen: Snapshot, change: AssignTarget) -> None:
    target = next((one for one in seen.target_users if one.id == change.target_user_id), None)
    if target is None:
        raise RefusedChangeError("not_found", f"The activity has no target user {change.target_user_id}.")
    if target.status not in {TargetStatus.PENDING, TargetStatus.FAILED}:
        detail = f"The target user is {target.status}: only PENDING or FAILED ones can be assigned."
        raise RefusedChangeError("wrong_status", detail, status=seen.status)


async def _allow_user(connection: AsyncConnection, wanted: Apply, seen: Snapshot, change: AssignTarget) -> None:
    """An active user of this commerce who can be reached on the channel; nobody else could be served."""
    found = await connection.execute(
        select(models.CommerceUser.is_active, models.CommerceUser.contacts).where(
            models.CommerceUser.tenant_id == wanted.tenant_id,
            models.CommerceUser.id == change.commerce_user_id,
            models.CommerceUser.commerce_id == seen.commerce_id,
        )
    )
    user, needed = found.one_or_none(), REACHED_BY.get(seen.channel)
    if user is None or not user.is_active:
        detail = f"Commerce {seen.commerce_id} has no active user {change.commerce_user_id}."
    elif needed and not {contact["contact_type"] for contact in user.contacts} & set(needed):
        detail = f"User {change.commerce_user_id} has no {' or '.join(needed)} contact, which {seen.channel} needs."
    else:
        return
    raise RefusedChangeError("validation_failed", detail, pointer="/commerce_user_id")


async def _take_back(connection: AsyncConnection, wanted: Apply, seen: Snapshot) -> dict[str, Any]:
    """Undo a mark that nobody has seen yet, as if its run had not woken: the event, and the columns to be written."""
    if seen.standing.status is seen.status:
        return {}
    await connection.execute(delete(StatusEvent).where(*_events_of(wanted), StatusEvent.event_key == "due"))
    return {"status": seen.status, "due_at": null(), "marked_at": null(), "lateness_ms": null()}


def _events_of(wanted: Apply) -> tuple[ColumnElement[bool], ...]:
    return StatusEvent.tenant_id == wanted.tenant_id, StatusEvent.activity_id == wanted.id


def _event(
    wanted: Apply,
    event_type: EventType,
    seen: Snapshot,
    to_status: ActivityStatus,
    details: dict[str, Any] | None = None,
    *,
    why: str | None = None,
    code: str = "resolution_failed",
) -> Event:
    return Event(
        event_type,
        wanted.key,
        to_status,
        from_status=seen.status,
        actor=wanted.change.actor,
        error_code=code if why else None,
        error_message=why,
        details=details,
    )


async def _write(
    connection: AsyncConnection,
    wanted: Apply,
    values: dict[str, Any],
    event: Event,
    target: ResolvedTarget | None = None,
    attributes: Any = None,
) -> None:
    """Row, event and parts in one statement; the lock that is held stands for the guard."""
    row = writes.changed(wanted.tenant_id, wanted.id, ScheduledActivity.id == wanted.id, values)
    parts = writes.resolved_parts(row, target, attributes, wanted.key)
    await connection.execute(select(row.c.id).add_cte(writes.with_event(row, event), *parts))
