"""The statements of reconciliation: open rows page by page, and the note that a row continues in another run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, and_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB

from db.models import ENDED_OTHERWISE, RemovedActivity, ScheduledActivity
from db.rows import (
    ID_OF_CREATION,
    NOW,
    Columns,
    Event,
    HasAddress,
    Rows,
    address,
    event_insert,
    page_statement,
    row_lock,
)
from db.snapshots import MARKED_STATUS
from workflows.findings import Cursor, Page
from workflows.words import OPEN, ActivityStatus, EventType

_PLACE = (ScheduledActivity.scheduled_at, ScheduledActivity.tenant_id, ScheduledActivity.id)
_OWN = tuple_(ScheduledActivity.tenant_id, ScheduledActivity.id)
_ended_at = func.greatest(ScheduledActivity.updated_at, ScheduledActivity.marked_at)
_ENDED_PLACE = (_ended_at.label("ended_at"), ScheduledActivity.tenant_id, ScheduledActivity.id)


class OpenRow(NamedTuple):
    """A row that needs a run, as reconciliation compares it. `is_settled`: it was not written within the grace."""

    scheduled_at: datetime
    tenant_id: UUID
    id: UUID
    idempotency_key: str
    run_id: str
    version: int
    status: ActivityStatus
    is_settled: bool
    is_overdue: bool


class EndedRow(NamedTuple):
    """A row that needs no run any more."""

    ended_at: datetime
    tenant_id: UUID
    id: UUID
    idempotency_key: str


class OpenRequest(NamedTuple):
    """A row that needs a run, with everything that a run is started from."""

    scheduled_at: datetime
    tenant_id: UUID
    id: UUID
    request: Columns
    status: ActivityStatus
    version: int
    request_id: str | None
    traceparent: str | None


def open_rows_statement(page: Page) -> Rows:
    """Select the `OpenRow`s of a page, the most urgent first, along the index of the open ones."""
    grace = timedelta(seconds=page.grace_seconds)
    rows = select(
        *_PLACE,
        ScheduledActivity.idempotency_key,
        ScheduledActivity.run_id,
        ScheduledActivity.version,
        ScheduledActivity.status,
        (ScheduledActivity.updated_at < NOW - grace).label("is_settled"),
        and_(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.scheduled_at < NOW - grace).label(
            "is_overdue"
        ),
    ).where(ScheduledActivity.status.in_(OPEN))
    if page.ready_only:
        rows = rows.where(ScheduledActivity.status == ActivityStatus.READY)
    return page_statement(rows, _PLACE, page.after, page.size)


def ended_rows_statement(page: Page) -> Rows:
    """Select the `EndedRow`s of a page that were canceled, or due at another time than the first, in that order.

    A run can't miss the end at its first time, for which its history has a timer. Without a cursor the page begins a
    day ago.
    """
    rows = select(*_ENDED_PLACE, ScheduledActivity.idempotency_key).where(
        ENDED_OTHERWISE, _ended_at < NOW - timedelta(seconds=page.grace_seconds)
    )
    if page.after is None:
        rows = rows.where(_ended_at > NOW - timedelta(days=1))
    return page_statement(rows, _ENDED_PLACE, page.after, page.size)


def ended_among_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `EndedRow`s of those activities, each a tenant and an id, whose rows need no run any more."""
    rows = select(*_ENDED_PLACE, ScheduledActivity.idempotency_key)
    return rows.where(_OWN.in_(activities), ScheduledActivity.status.not_in(OPEN))


def still_open_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, whose rows need a run."""
    return recorded_statement(activities).where(ScheduledActivity.status.in_(OPEN))


def recorded_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, that have a row."""
    return select(ScheduledActivity.tenant_id, ScheduledActivity.id).where(_OWN.in_(activities))


def removed_among_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, that were removed: they need no row."""
    removed = tuple_(RemovedActivity.tenant_id, RemovedActivity.activity_id)
    statement = select(RemovedActivity.tenant_id, RemovedActivity.activity_id.label("id"))
    return statement.where(removed.in_(activities))


def open_requests_statement(after: Cursor | None, size: int) -> Rows:
    """Select the `OpenRequest`s after a cursor, the most urgent first."""
    stored = ScheduledActivity
    needed = (stored.request, stored.status, stored.version, stored.traceparent)
    rows = select(*_PLACE, *needed, ID_OF_CREATION.label("request_id"))
    return page_statement(rows.where(ScheduledActivity.status.in_(OPEN)), _PLACE, after, size)


def run_note_statement(
    ref: HasAddress,
    run_id: str,
    event_type: EventType | None,
    actor: str,
    *,
    key_id: str | None,
    **details: str,
) -> Rows:
    """Build an UPDATE that makes the row name another run and its key, with an event if `event_type` is given.

    It returns no row if the activity names that run already. It leaves the version as it is: nothing that a client can
    see of the activity has changed.
    """
    before = row_lock(address(ref.tenant_id, ref.id), ScheduledActivity.run_id, MARKED_STATUS.label("status"))
    row = (
        update(ScheduledActivity)
        .where(address(before.c.tenant_id, before.c.id), before.c.run_id != run_id)
        .values(run_id=run_id, payload_key_id=key_id)
        .returning(ScheduledActivity.tenant_id, ScheduledActivity.id, before.c.status, before.c.run_id.label("before"))
        .cte("written")
    )
    if event_type is None:
        return select(row.c.id)
    runs = func.jsonb_build_object(
        literal("runId", Text), literal(run_id, Text), literal("runBefore", Text), row.c.before
    )
    event = Event(
        event_type,
        f"run:{run_id}",
        from_status=row.c.status,
        actor=actor,
        details=runs.op("||")(literal(details, JSONB)),
    )
    return select(row.c.id).add_cte(event_insert(row, event))
