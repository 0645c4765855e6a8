"""Changes of clients and operators, decided under the row's lock.

A run's step applies them while the activity is open; the API applies them once its run has ended.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from pydantic.alias_generators import to_camel
from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import leases, models
from db.marks import UNMARKED, unseen_event_delete
from db.models import ScheduledActivity, StatusEvent
from db.parts import resolved_parts
from db.rows import (
    ID_OF_CREATION,
    NOW,
    Columns,
    Event,
    address,
    event_insert,
    fetch_row,
    guarded_update,
    parts_of,
    row_lock,
)
from db.snapshots import paused_at, read_snapshot
from workflows.display import contract_time
from workflows.messages import (
    ActivityRef,
    Apply,
    AssignTarget,
    BringBack,
    Cancel,
    Change,
    ExecuteNow,
    Fault,
    RejectedError,
    Rejection,
    Reschedule,
    ResolvedAttributes,
    ResolvedTarget,
    RetryResolution,
    ScheduledActivityInput,
    ScheduledActivityRequest,
    Snapshot,
    Standing,
    Terminate,
)
from workflows.resolution import why_unresolved
from workflows.resolution.criteria import REACHED_BY
from workflows.words import OPEN, ActivityStatus, AttributeStatus, EventType, LockReason, TargetStatus, TargetStrategy

NOT_CARRIED_OUT = (EventType.CHANGE_WITHDRAWN, EventType.CHANGE_REFUSED)
READY, UNRESOLVED, DUE = ActivityStatus.READY, ActivityStatus.UNRESOLVED, ActivityStatus.DUE


def change_rejection(
    code: str, detail: str, *, status: ActivityStatus | None = None, pointer: str = ""
) -> RejectedError:
    """Build the rejection of a change that the activity's state, or a value in the change, does not allow."""
    faults = (Fault(pointer=pointer, detail=detail),) if pointer else ()
    return RejectedError(Rejection(code=code, detail=detail, status=status, faults=faults))


class _Outcome(NamedTuple):
    """The event that a change's key was written with."""

    event_type: EventType
    error_code: str | None
    error_message: str | None

    @property
    def was_applied(self) -> bool:
        """Return whether the change was applied, rather than rejected or withdrawn."""
        return self.event_type not in NOT_CARRIED_OUT


@dataclass(frozen=True)
class _Case:
    """A change, and the activity as it was read; for a write under the lock, so that no other guard is needed."""

    connection: AsyncConnection
    wanted: Apply
    seen: Snapshot

    def event(
        self,
        event_type: EventType,
        to_status: ActivityStatus,
        details: Columns | None = None,
        *,
        why: str | None = None,
        code: str = "resolution_failed",
    ) -> Event:
        """Build the change's event; `code` is its error code if there is a `why`."""
        return Event(
            event_type,
            self.wanted.key,
            to_status,
            from_status=self.seen.status,
            actor=self.wanted.actor,
            request_id=self.wanted.change.request_id,
            error_code=code if why else None,
            error_message=why,
            details=details,
        )

    async def write(
        self,
        values: Columns,
        event: Event,
        target: ResolvedTarget | None = None,
        attributes: ResolvedAttributes | None = None,
    ) -> None:
        """Write the row, the event and the parts in one statement.

        It begins after the lock was taken, so that `NOW` in `values` is a time after the wait for it.
        """
        row = guarded_update(address(self.wanted.tenant_id, self.wanted.id), values)
        parts = resolved_parts(row, target, attributes, self.wanted.key)
        await self.connection.execute(select(row.c.id).add_cte(event_insert(row, event), *parts))


async def apply_change(connection: AsyncConnection, wanted: Apply) -> Standing:
    """Write the change in the caller's transaction, unless its key was written before; return where the row stands.

    Raises:
        RejectedError: the change is not allowed, or was rejected or withdrawn before; nothing was written.
        MarkIsVisibleError: the activity has become DUE since its lock was taken.
    """
    seen = await lock_activity(connection, wanted)
    outcome = await _read_outcome(connection, wanted)
    if outcome and outcome.was_applied:
        return seen.standing
    if outcome:
        raise change_rejection(outcome.error_code or "", outcome.error_message or "", status=seen.status)
    case = _Case(connection, wanted, seen)
    if isinstance(wanted.change, Cancel) and seen.standing.status is ActivityStatus.DISPATCHED:
        case = await _expire_lease(case)
    async with unseen_mark(connection, wanted, seen):
        await _require_allowed(case, wanted.change)
        await _APPLY[type(wanted.change)](case, wanted.change)
    return (await lock_activity(connection, wanted)).standing


async def check_open_activity(connection: AsyncConnection, wanted: Apply) -> None:
    """Reject a change that the row of an open activity rejects as it stands; lock and write nothing.

    A change that passes may still be rejected under the lock. Of an activity that is not open, and of a key that was
    written before, nothing is decided here.

    Raises:
        RejectedError: the change is not allowed.
    """
    seen = await read_snapshot(connection, wanted.tenant_id, wanted.id)
    if seen and seen.standing.status in OPEN and await _read_outcome(connection, wanted) is None:
        await _require_allowed(_Case(connection, wanted, seen), wanted.change)


UNANSWERED = Rejection(code="unavailable", detail="Its caller has been told that nothing was changed.")


async def withdraw_change(connection: AsyncConnection, wanted: Apply, rejection: Rejection = UNANSWERED) -> bool:
    """Withdraw the change unless it was applied already; return whether it was withdrawn.

    After the commit every later attempt with its key is rejected: a worker's that was away for hours, or a reset run's.
    """
    seen = await lock_activity(connection, wanted)
    outcome = await _read_outcome(connection, wanted)
    if outcome:
        return not outcome.was_applied
    await _write_rejection(connection, wanted, seen, EventType.CHANGE_WITHDRAWN, rejection)
    return True


async def apply_or_reject_change(connection: AsyncConnection, wanted: Apply) -> Standing | Rejection:
    """Apply the change as `apply_change` does, and record a rejection under its key.

    A reset run sends again every change that it once accepted; a change that was rejected then stays rejected.
    """
    if wanted.withdrawal and await withdraw_change(connection, wanted, wanted.withdrawal):
        return wanted.withdrawal
    try:
        return await apply_change(connection, wanted)
    except RejectedError as error:
        if error.rejection.code != "activity_not_found" and not await _read_outcome(connection, wanted):
            seen = await lock_activity(connection, wanted)
            await _write_rejection(connection, wanted, seen, EventType.CHANGE_REFUSED, error.rejection)
        return error.rejection


async def _write_rejection(
    connection: AsyncConnection, wanted: Apply, seen: Snapshot, event_type: EventType, rejection: Rejection
) -> None:
    """Record under the change's key that it will never be applied."""
    if seen.standing.status is ActivityStatus.DISPATCHED is not seen.status:
        # The end of the lease comes first in the trail, so that the rejection begins with the status it leaves.
        await connection.execute(leases.expire_leases_statement(address(wanted.tenant_id, wanted.id)))
    row = row_lock(address(wanted.tenant_id, wanted.id))
    event = Event(
        event_type,
        wanted.key,
        seen.status,
        from_status=seen.status,
        actor=wanted.actor,
        request_id=wanted.change.request_id,
        error_code=rejection.code,
        error_message=rejection.detail,
        details={"change": wanted.change.verb},
    )
    async with unseen_mark(connection, wanted, seen):
        await connection.execute(select(row.c.id).add_cte(event_insert(row, event)))


class MarkIsVisibleError(Exception):
    """A mark that was made ahead has become visible in a transaction that has not seen it: it has to be rolled back."""


@asynccontextmanager
async def unseen_mark(connection: AsyncConnection, ref: ActivityRef, seen: Snapshot) -> AsyncIterator[None]:
    """Check at the end of the block that a mark which is not visible in `seen` is not visible yet.

    The row's lock does not keep a mark invisible, and what is written by an earlier look would take back a status that
    readers have seen. The block contains everything that takes time.

    Raises:
        MarkIsVisibleError: the time of the mark has come.
    """
    is_ahead = (seen.standing.status, seen.status) == (DUE, READY)
    this = select(ScheduledActivity.marked_at).where(address(ref.tenant_id, ref.id))
    visible_at = (await connection.execute(this)).scalar_one() if is_ahead else None
    yield
    if visible_at:
        is_visible = literal(visible_at) <= func.least(NOW, paused_at(ref.tenant_id))
        if (await connection.execute(select(is_visible))).scalar_one():
            raise MarkIsVisibleError


async def lock_activity(connection: AsyncConnection, ref: ActivityRef) -> Snapshot:
    """Lock the activity's row, then read it.

    These are two statements because the transaction that held the lock may have written the parts as well.

    Raises:
        RejectedError: the tenant has no such activity.
    """
    await connection.execute(select(ScheduledActivity.id).where(address(ref.tenant_id, ref.id)).with_for_update())
    found = await read_snapshot(connection, ref.tenant_id, ref.id)
    if found is None:
        raise change_rejection("activity_not_found", f"This tenant has no activity {ref.id}.")
    return found


async def read_run_input(connection: AsyncConnection, ref: ActivityRef, lead_seconds: float) -> ScheduledActivityInput:
    """Read the input with which a new run of the activity starts."""
    needed = (ScheduledActivity.request, ScheduledActivity.traceparent, ID_OF_CREATION)
    read = await connection.execute(select(*needed).where(address(ref.tenant_id, ref.id)))
    request, traceparent, request_id = read.one()
    return ScheduledActivityInput(
        id=ref.id,
        tenant_id=ref.tenant_id,
        request=ScheduledActivityRequest.model_validate(request),
        lead_seconds=lead_seconds,
        request_id=request_id,
        traceparent=traceparent,
        is_continued=True,
    )


async def read_resolution_failure(connection: AsyncConnection, wanted: Apply) -> str | None:
    """Return why an `ExecuteNow` or a `RetryResolution` has left the activity UNRESOLVED.

    None if it has not, or is not written yet.
    """
    outcome = await _read_outcome(connection, wanted)
    failed = (EventType.RESOLUTION_FAILED, EventType.RESOLUTION_RETRY_FAILED)
    return outcome.error_message if outcome and outcome.event_type in failed else None


async def _read_outcome(connection: AsyncConnection, wanted: Apply) -> _Outcome | None:
    statement = select(StatusEvent.event_type, StatusEvent.error_code, StatusEvent.error_message).where(
        parts_of(StatusEvent, wanted.tenant_id, wanted.id), StatusEvent.event_key == wanted.key
    )
    return await fetch_row(connection, _Outcome, statement)


async def _cancel(case: _Case, change: Cancel) -> None:
    if case.seen.status is ActivityStatus.CANCELED:
        return
    event = case.event(EventType.CANCELED, ActivityStatus.CANCELED, {"reason": change.reason})
    values = await _undo_unseen_mark(case) | {"status": ActivityStatus.CANCELED, "why": change.reason}
    await case.write(values, event)


async def _expire_lease(case: _Case) -> _Case:
    """Write down that the lease has run out; reject the change if it has not."""
    this = address(case.wanted.tenant_id, case.wanted.id)
    holder = await fetch_row(case.connection, leases.LeaseHolder, leases.lease_holder_statement(this))
    if holder:
        detail = f"The activity was taken by {holder.executor}, whose lease ends at {holder.until}: it is too late."
        raise change_rejection("wrong_status", detail, status=case.seen.status)
    # Asked for the holder first: a lease that has ended then has also ended for this later statement.
    await case.connection.execute(leases.expire_leases_statement(this))
    return replace(case, seen=await lock_activity(case.connection, case.wanted))


async def _reschedule(case: _Case, change: Reschedule) -> None:
    asked = change.model_dump(
        include={"scheduled_at", "suggested_execution_time", "score"}, exclude_none=True, mode="python"
    )
    asked |= dict.fromkeys(change.clear or ())
    details: Columns = {"reason": change.reason}
    details |= {to_camel(name): _before_and_after(getattr(case.seen, name), value) for name, value in asked.items()}
    if change.scheduled_at:
        asked |= await _undo_unseen_mark(case)
    if change.scheduled_at not in {None, case.seen.scheduled_at}:
        asked |= {"moved_at": NOW}
    await case.write(asked, case.event(EventType.RESCHEDULED, case.seen.status, details))


def _before_and_after(before: datetime | int | None, after: datetime | int | None) -> dict[str, str | int | None]:
    """Return both values in the contract's format."""
    values = {"before": before, "after": after}
    return {name: contract_time(one) if isinstance(one, datetime) else one for name, one in values.items()}


async def _execute_now(case: _Case, _: ExecuteNow) -> None:
    """Make the activity due now, or UNRESOLVED if what was left for its time can't be resolved."""
    target, attributes = _open_parts(case.seen, case.wanted)
    why = why_unresolved(target, attributes)
    if why:
        event = case.event(EventType.RESOLUTION_FAILED, UNRESOLVED, why=why)
        await case.write({"status": UNRESOLVED, "why": why}, event, target, attributes)
        return
    await _undo_unseen_mark(case)
    values = {"status": DUE, "due_at": NOW, "marked_at": NOW, "lateness_ms": 0}
    values["mark_traceparent"] = case.wanted.change.traceparent
    event = case.event(EventType.DUE, DUE, {"executeNow": True})
    await case.write(values, event, target, attributes)


async def _retry_resolution(case: _Case, _: RetryResolution) -> None:
    target, attributes = _open_parts(case.seen, case.wanted)
    why = why_unresolved(target, attributes)
    event = (
        case.event(EventType.RESOLUTION_RETRY_FAILED, UNRESOLVED, why=why)
        if why
        else case.event(EventType.RESOLUTION_RETRY_SUCCESS, READY)
    )
    values = {"status": event.to_status, "why": why}
    await case.write(values, event, target, attributes)


def _open_parts(seen: Snapshot, wanted: Apply) -> tuple[ResolvedTarget | None, ResolvedAttributes | None]:
    """Return the results for the parts that are still open: what was found since the search began stays found."""
    is_target_open = any(one.status in {TargetStatus.PENDING, TargetStatus.FAILED} for one in seen.target_users)
    missing = {one.key for one in seen.attributes if one.status in {AttributeStatus.PENDING, AttributeStatus.FAILED}}
    found = wanted.attributes
    if found:
        kept = tuple(one for one in found.attributes if one.key in missing)
        found = found.model_copy(update={"attributes": kept})
    return wanted.target if is_target_open else None, found


async def _assign_target(case: _Case, change: AssignTarget) -> None:
    target = ResolvedTarget(
        status=TargetStatus.RESOLVED,
        strategy=TargetStrategy.MANUAL,
        commerce_user_id=change.commerce_user_id,
        lock_reason=LockReason.MANUAL_ASSIGNMENT,
        explanation={"summary": "An operator has assigned the user.", "commerceUserId": str(change.commerce_user_id)},
    )
    why = "; ".join(_failed_attributes(case.seen)) or None
    details = {"targetUserId": str(change.target_user_id), "commerceUserId": str(change.commerce_user_id)}
    event = case.event(EventType.TARGET_ASSIGNED, UNRESOLVED if why else READY, details, why=why)
    await case.write({"status": event.to_status, "why": why}, event, target)


async def _terminate(case: _Case, change: Terminate) -> None:
    values = {"status": ActivityStatus.FAILED, "why": change.reason}
    event_type = EventType.TERMINATED_BY_OPERATOR
    event = case.event(event_type, ActivityStatus.FAILED, why=change.reason, code="terminated")
    await case.write(values, event)


async def _bring_back(case: _Case, change: BringBack) -> None:
    """Undo a termination. Every other FAILED is an outcome, and stays."""
    ended = await case.connection.execute(
        select(StatusEvent.event_type, StatusEvent.from_status)
        .where(
            parts_of(StatusEvent, case.wanted.tenant_id, case.wanted.id),
            StatusEvent.to_status == ActivityStatus.FAILED,
            StatusEvent.from_status != ActivityStatus.FAILED,
            StatusEvent.event_type.not_in(NOT_CARRIED_OUT),
        )
        .order_by(StatusEvent.number.desc())
        .limit(1)
    )
    last = ended.one_or_none()
    if case.seen.status is not ActivityStatus.FAILED or not last or last[0] != EventType.TERMINATED_BY_OPERATOR:
        detail = f"The activity is {case.seen.status}: only one whose run was ended in Temporal can be brought back."
        raise change_rejection("wrong_status", detail, status=case.seen.status)
    status = ActivityStatus(last.from_status)
    targets = [one.error_message for one in case.seen.target_users if one.status is TargetStatus.FAILED]
    lacks = [*(f"target user: {message}" for message in targets), *_failed_attributes(case.seen)]
    event = case.event(EventType.BROUGHT_BACK, status, {"reason": change.reason})
    await case.write({"status": status, "why": "; ".join(lacks) or None}, event)


def _failed_attributes(seen: Snapshot) -> list[str]:
    failed = [one for one in seen.attributes if one.status is AttributeStatus.FAILED]
    return [f"attribute {one.key}: {one.error_message}" for one in failed]


async def _require_allowed(case: _Case, change: Change) -> None:
    """Reject the change unless the activity, as it was read, allows it."""
    _allow_status(case.seen, change)
    match change:
        case Reschedule():
            _allow_version(case.seen, change)
        case ExecuteNow():
            await _allow_becoming_due(case)
        case AssignTarget():
            _allow_target(case.seen, change)
            await _allow_user(case, change)


def _allow_status(seen: Snapshot, change: Change) -> None:
    """Reject the change unless the effective status allows it; the rejection names the status."""
    done, statuses = _ALLOWED_STATUSES.get(type(change), ("", tuple(ActivityStatus)))
    is_repetition = isinstance(change, Cancel) and seen.status is ActivityStatus.CANCELED
    if seen.status not in statuses and not is_repetition:
        detail = f"The activity is {seen.status}: only {' or '.join(statuses)} ones can be {done}."
        raise change_rejection("wrong_status", detail, status=seen.status)


def _allow_version(seen: Snapshot, change: Reschedule) -> None:
    if change.if_versions is not None and seen.version not in change.if_versions:
        detail = f'It was changed since it was read: its ETag is now "{seen.version}". Read it again, then decide.'
        raise change_rejection("stale_etag", detail, status=seen.status)


async def _allow_becoming_due(case: _Case) -> None:
    """Reject the change in a pause: no executor could take the activity."""
    if (await case.connection.execute(select(paused_at(case.wanted.tenant_id)))).scalar_one() is not None:
        detail = "The tenant is paused: nothing becomes due until it is resumed."
        raise change_rejection("wrong_status", detail, status=case.seen.status)


def _allow_target(seen: Snapshot, change: AssignTarget) -> None:
    """Reject the change unless the target user is still to be found."""
    target = next((one for one in seen.target_users if one.id == change.target_user_id), None)
    if target is None:
        raise change_rejection("not_found", f"The activity has no target user {change.target_user_id}.")
    if target.status not in {TargetStatus.PENDING, TargetStatus.FAILED}:
        detail = f"The target user is {target.status}: only PENDING or FAILED ones can be assigned."
        raise change_rejection("wrong_status", detail, status=seen.status)


async def _allow_user(case: _Case, change: AssignTarget) -> None:
    """Reject the change unless the user is an active one of this commerce and can be reached on the channel."""
    found = await case.connection.execute(
        select(models.CommerceUser.is_active, models.CommerceUser.contacts).where(
            models.CommerceUser.tenant_id == case.wanted.tenant_id,
            models.CommerceUser.id == change.commerce_user_id,
            models.CommerceUser.commerce_id == case.seen.commerce_id,
        )
    )
    user, needed = found.one_or_none(), REACHED_BY.get(case.seen.channel)
    if user is None or not user.is_active:
        detail = f"Commerce {case.seen.commerce_id} has no active user {change.commerce_user_id}."
    elif needed and not {contact["contact_type"] for contact in user.contacts} & set(needed):
        detail = (
            f"User {change.commerce_user_id} has no {' or '.join(needed)} contact, which {case.seen.channel} needs."
        )
    else:
        return
    raise change_rejection("validation_failed", detail, pointer="/commerce_user_id")


async def _undo_unseen_mark(case: _Case) -> Columns:
    """Delete the event of a mark that is not visible yet; return the columns that undo the mark itself."""
    if (case.seen.standing.status, case.seen.status) != (DUE, READY):
        return {}
    await case.connection.execute(unseen_event_delete(case.wanted.tenant_id, case.wanted.id))
    return UNMARKED | {"status": case.seen.status}


_ALLOWED_STATUSES: dict[type[Change], tuple[str, tuple[ActivityStatus, ...]]] = {
    Cancel: ("canceled", (READY, UNRESOLVED, DUE)),
    Reschedule: ("changed", (READY, UNRESOLVED)),
    ExecuteNow: ("executed now", (READY,)),
    RetryResolution: ("resolved again", (UNRESOLVED,)),
    AssignTarget: ("assigned", (READY, UNRESOLVED)),
    Terminate: ("given up", (READY, UNRESOLVED)),
}
"""The participle of each change and the statuses that allow it. What `BringBack` needs is in the trail."""

_APPLY: dict[type[Change], Callable[[_Case, Any], Awaitable[None]]] = {
    Cancel: _cancel,
    Reschedule: _reschedule,
    ExecuteNow: _execute_now,
    RetryResolution: _retry_resolution,
    AssignTarget: _assign_target,
    Terminate: _terminate,
    BringBack: _bring_back,
}
