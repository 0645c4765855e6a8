"""The statements of reconciliation: open rows page by page, and what is noted when a row's run is another one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB

from db.models import ScheduledActivity, StatusEvent
from db.snapshots import EFFECTIVE_STATUS, NOW
from workflows.findings import Cursor, Page
from workflows.words import OPEN, ActivityStatus, EventType

_PLACE = (ScheduledActivity.scheduled_at, ScheduledActivity.tenant_id, ScheduledActivity.id)


def open_rows(page: Page) -> Select[*tuple[Any, ...]]:
    """The rows that need a run, the most urgent first, along the index of the open ones."""
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
    ).where(ScheduledActivity.status.in_(OPEN), *_ready(page))
    return _behind(rows, page.after).order_by(*_PLACE).limit(page.size)


def _ready(page: Page) -> tuple[ColumnElement[bool], ...]:
    return (ScheduledActivity.status == ActivityStatus.READY,) if page.ready_only else ()


def still_open(activities: Sequence[tuple[UUID, UUID]]) -> Select[*tuple[Any, ...]]:
    """Those of these, each a tenant and an id, whose rows need a run."""
    own = tuple_(ScheduledActivity.tenant_id, ScheduledActivity.id)
    rows = select(ScheduledActivity.tenant_id, ScheduledActivity.id)
    return rows.where(own.in_(activities), ScheduledActivity.status.in_(OPEN))


def open_requests(after: Cursor | None, size: int) -> Select[*tuple[Any, ...]]:
    """The rows that need a run, with all that a run is started from."""
    rows = select(*_PLACE, ScheduledActivity.request, ScheduledActivity.status, ScheduledActivity.version)
    return _behind(rows.where(ScheduledActivity.status.in_(OPEN)), after).order_by(*_PLACE).limit(size)


def _behind(rows: Select[*tuple[Any, ...]], after: Cursor | None) -> Select[*tuple[Any, ...]]:
    if after is None:
        return rows
    behind = tuple_(*_PLACE) > tuple_(literal(after.scheduled_at), literal(after.tenant_id), literal(after.id))
    return rows.where(ScheduledActivity.scheduled_at >= after.scheduled_at, behind)


def goes_on_in(
    tenant_id: UUID, activity_id: UUID, run_id: str, event_type: EventType | None, actor: str, **details: Any
) -> Select[Any]:
    """Let the row name another run, and the trail say why; answers nothing if it names that run already.

    No version is counted up: nothing that a client can see of the activity has changed.
    """
    before = (
        select(ScheduledActivity.id, ScheduledActivity.run_id, EFFECTIVE_STATUS.label("status"))
        .where(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == activity_id)
        .with_for_update()
        .cte("before")
    )
    row = (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == before.c.id, before.c.run_id != run_id)
        .values(run_id=run_id)
        .returning(ScheduledActivity.tenant_id, ScheduledActivity.id, before.c.status, before.c.run_id.label("before"))
        .cte("written")
    )
    if event_type is None:
        return select(row.c.id)
    said = func.jsonb_build_object(
        literal("runId", Text), literal(run_id, Text), literal("runBefore", Text), row.c.before
    )
    values = {
        "tenant_id": row.c.tenant_id,
        "activity_id": row.c.id,
        "event_key": literal(f"run:{run_id}", Text),
        "event_type": literal(event_type.value, Text),
        "from_status": row.c.status,
        "to_status": row.c.status,
        "actor": literal(actor, Text),
        "details": said.op("||")(literal(details, JSONB)),
    }
    event = insert(StatusEvent).from_select(list(values), select(*values.values())).cte("event")
    return select(row.c.id).add_cte(event)
