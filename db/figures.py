"""The statement that counts all tenants' activities for the metrics."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, and_, bindparam, exists, func, literal, literal_column, not_, select

from db.models import ScheduledActivity, TenantPause
from db.rows import NOW, Rows
from workflows.words import ActivityStatus

COUNTED = 100_000
"""The most rows of one kind that are counted: each needs a step through an index, in every process."""


class Figures(NamedTuple):
    """The state of all tenants' activities at one moment. NaN is an unknown number, as in Prometheus."""

    overdue: float
    """READY after their time: no worker has marked them."""
    oldest_overdue_seconds: float
    unresolved: float
    due_soon: float
    """READY, and due within the lead: work that the workers have before them."""
    due: dict[str, tuple[float, float]]
    """By channel, the number of DUE activities that no executor has claimed, and the age of the oldest in seconds."""
    expired_leases: float
    """Leases that have run out, and that neither a claim nor reconciliation has taken back."""


def _has_status(status: ActivityStatus) -> ColumnElement[bool]:
    """Match a stored status, as a literal: the planner recognizes partial indices by it in every plan."""
    stored = ScheduledActivity.__table__.c.status
    return stored == literal(status, stored.type, literal_execute=True)


_READY = _has_status(ActivityStatus.READY)
_OVERDUE = and_(_READY, ScheduledActivity.scheduled_at < NOW)
_SOON = ScheduledActivity.scheduled_at <= NOW + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lead_seconds"))
_IS_PAUSED = exists().where(TenantPause.tenant_id == ScheduledActivity.tenant_id)
_LIMIT = literal_column(str(COUNTED), Integer)

_due_rows = (
    select(ScheduledActivity.channel, ScheduledActivity.due_at)
    .where(_has_status(ActivityStatus.DUE), ScheduledActivity.due_at <= NOW, not_(_IS_PAUSED))
    .limit(_LIMIT)
    .subquery()
)
_due_by_channel = (
    select(
        _due_rows.c.channel,
        func.jsonb_build_array(func.count(), func.extract("epoch", NOW - func.min(_due_rows.c.due_at))).label(
            "figures"
        ),
    )
    .group_by(_due_rows.c.channel)
    .subquery()
)


def _count(*where: ColumnElement[bool]) -> ColumnElement[int]:
    rows = select(literal_column("1")).select_from(ScheduledActivity).where(*where).limit(_LIMIT).subquery()
    return select(func.count()).select_from(rows).scalar_subquery()


FIGURES: Rows = select(
    _count(_OVERDUE).label("overdue"),
    select(func.coalesce(func.extract("epoch", NOW - func.min(ScheduledActivity.scheduled_at)), 0))
    .where(_OVERDUE)
    .scalar_subquery()
    .label("oldest_overdue_seconds"),
    _count(_has_status(ActivityStatus.UNRESOLVED)).label("unresolved"),
    _count(_READY, _SOON).label("due_soon"),
    select(
        func.coalesce(
            func.jsonb_object_agg(_due_by_channel.c.channel, _due_by_channel.c.figures), literal_column("'{}'::jsonb")
        )
    )
    .select_from(_due_by_channel)
    .scalar_subquery()
    .label("due"),
    _count(_has_status(ActivityStatus.DISPATCHED), ScheduledActivity.lease_expires_at <= NOW).label("expired_leases"),
)
"""The `Figures`, with the parameter `lead_seconds`. Each part reads a partial index, whatever the number of rows."""
