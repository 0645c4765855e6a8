"""The statement that marks an activity for execution, and the parts that undo a mark which is not visible yet."""

from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Integer, Text, Uuid, and_, bindparam, delete, func, null, select

from db.models import ScheduledActivity, StatusEvent
from db.parts import resolved_parts
from db.rows import CLOCK, Columns, Event, Key, Rows, address, event_insert, guarded_update, parts_of, row_lock
from workflows.messages import MarkDue, ResolvedAttributes, ResolvedTarget
from workflows.resolution import why_unresolved
from workflows.words import ActivityStatus, EventType

UNMARKED: Columns = {"due_at": null(), "marked_at": null(), "lateness_ms": null(), "mark_traceparent": null()}
"""The columns that undo a mark. The event of one that is not visible yet goes too: `unseen_event_delete`."""


def mark_due_statement(mark: MarkDue) -> tuple[Rows, Columns]:
    """Return the statement of a mark, and its parameters. With nothing left to resolve it is built only once."""
    if mark.target is None and mark.attributes is None:
        return _PLAIN_STATEMENT, {
            "mark_tenant": mark.tenant_id,
            "mark_id": mark.id,
            "mark_version": mark.version,
            "mark_request": mark.request_id,
            "mark_span": mark.traceparent,
        }
    source = (mark.request_id, mark.traceparent)
    return _mark_statement(mark.tenant_id, mark.id, mark.version, source, mark.target, mark.attributes), {}


def _mark_statement(  # noqa: PLR0913, PLR0917 - the mark, as values or as parameters
    tenant_id: Key,
    activity_id: Key,
    version: int | Key,
    source: tuple[str | ColumnElement[str] | None, str | ColumnElement[str] | None],
    target: ResolvedTarget | None = None,
    attributes: ResolvedAttributes | None = None,
) -> Rows:
    """READY → DUE from `scheduled_at` on, or → UNRESOLVED if the resolution at its time failed.

    It is guarded by the version that the run read, so that it never overtakes a change, and returns the written row.
    `source` is the id of the request that created the activity, and the span of the mark.
    """
    why = why_unresolved(target, attributes)
    request_id, span = source
    # One statement, because a mark is the most frequent write. It locks the row first: the time of a mark that waited
    # for a change of the same row is the time after the wait.
    marked_at = func.greatest(CLOCK, ScheduledActivity.scheduled_at)
    due_since = func.greatest(ScheduledActivity.scheduled_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
    marked = {
        "updated_at": ScheduledActivity.updated_at,
        "status": ActivityStatus.DUE,
        "due_at": ScheduledActivity.scheduled_at,
        "marked_at": marked_at,
        "mark_traceparent": span,
        "lateness_ms": func.floor(func.extract("epoch", marked_at - due_since) * 1000),
    }
    locked = row_lock(
        and_(
            address(tenant_id, activity_id),
            ScheduledActivity.status == ActivityStatus.READY,
            ScheduledActivity.version == version,
        )
    )
    row = guarded_update(
        address(locked.c.tenant_id, locked.c.id), {"status": ActivityStatus.UNRESOLVED, "why": why} if why else marked
    )
    key = f"wake-up:{version}"
    event = (
        Event(
            EventType.RESOLUTION_FAILED,
            key,
            from_status=ActivityStatus.READY,
            request_id=request_id,
            error_code="resolution_failed",
            error_message=why,
        )
        if why
        # With the version, because an activity whose target was lost after its mark is marked again.
        else Event(
            EventType.DUE,
            func.concat("due:", row.c.version),
            from_status=ActivityStatus.READY,
            request_id=request_id,
            occurred_at=row.c.marked_at,
        )
    )
    columns = select(row.c.status, row.c.version, row.c.scheduled_at, row.c.why, row.c.lateness_ms)
    return columns.add_cte(event_insert(row, event), *resolved_parts(row, target, attributes, key))


def unseen_event_delete(tenant_id: UUID, activity_id: UUID) -> Delete:
    """Build a DELETE of the event of the activity's mark, which is not visible yet."""
    marked_at = select(ScheduledActivity.marked_at).where(address(tenant_id, activity_id)).scalar_subquery()
    return delete(StatusEvent).where(
        parts_of(StatusEvent, tenant_id, activity_id),
        StatusEvent.event_type == EventType.DUE,
        StatusEvent.occurred_at == marked_at,
    )


_PLAIN_STATEMENT = _mark_statement(
    bindparam("mark_tenant", type_=Uuid),
    bindparam("mark_id", type_=Uuid),
    bindparam("mark_version", type_=Integer),
    (bindparam("mark_request", type_=Text), bindparam("mark_span", type_=Text)),
)
