"""The row of a scheduled activity in PostgreSQL: looked for, written, marked."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio import activity

from db import changes, recording, writes
from db.engine import autocommit
from db.models import Commerce, ScheduledActivity
from db.queries import SNAPSHOTS, snapshot
from db.reconciliation import goes_on_in
from workflows.activities import ScheduledActivityActivities, rejected
from workflows.payloads import (
    ActivityStatus,
    Apply,
    CommerceFound,
    EventType,
    MarkDue,
    Record,
    Rejection,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)

_OF_KEY = and_(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.idempotency_key == bindparam("of_key")
)
_COMMERCE = and_(
    Commerce.tenant_id == bindparam("of_tenant"), Commerce.id == bindparam("of_commerce"), Commerce.is_active
)
OF_KEY = SNAPSHOTS.where(_OF_KEY)
OF_ID = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.id == bindparam("of_id")
)
LOOK = select(
    select(ScheduledActivity.id).where(_OF_KEY).with_for_update().scalar_subquery(),
    select(Commerce.id).where(_COMMERCE).scalar_subquery(),
)
"""Whose the key is, and whether there is the commerce. Statements are built once, not each time."""


class ScheduledActivities(ScheduledActivityActivities):
    """The steps that look for the row and write it, each a statement or two."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = autocommit(engine)
        self._transactions = engine

    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """The lock waits for a move after the mark: it starts this run before it commits what the run goes on from."""
        request = scheduled.request
        async with self._engine.connect() as connection:
            asked = _key(scheduled) | {"of_commerce": request.commerce_id}
            found = await connection.execute(LOOK, asked)
            activity_id, commerce_id = found.one()
        if activity_id is not None:
            return CommerceFound(recorded=await self._adopt(scheduled, activity_id))
        if commerce_id is None:
            raise rejected(
                Rejection(
                    code="commerce_not_found",
                    detail=f"This tenant has no active commerce {request.commerce_id}.",
                    faults=(),
                )
            )
        return CommerceFound()

    async def _adopt(self, scheduled: ScheduledActivityInput, activity_id: UUID) -> Snapshot:
        """The row goes on in this run, if it is its own; the key belongs to another otherwise."""
        if activity_id != scheduled.id:
            raise _key_exists(scheduled, activity_id)
        run_id = activity.info().workflow_run_id or ""
        why = EventType.RUN_RESET if scheduled.reset_of else None
        async with self._engine.connect() as connection:
            await connection.execute(goes_on_in(scheduled.tenant_id, scheduled.id, run_id, why, "temporal-ui"))
            return await _of_key(connection, scheduled)

    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """A row that is there already stays as it is: a second attempt never changes what a 201 has said."""
        run_id = activity.info().workflow_run_id or ""
        async with self._engine.connect() as connection:
            await connection.execute(recording.RECORD, recording.parameters(record, run_id))
            recorded = await _of_key(connection, record.scheduled)
        if recorded.id != record.scheduled.id:
            raise _key_exists(record.scheduled, recorded.id)
        return recorded

    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """The row tells where it stands now, whether this attempt has marked it, an earlier one, or nobody."""
        async with self._engine.connect() as connection:
            written = (await connection.execute(*writes.mark_due(mark))).one_or_none()
            found = await connection.execute(OF_ID, {"of_tenant": mark.tenant_id, "of_id": mark.id})
            row = found.one()
        if written and row.status is ActivityStatus.DUE:
            _observe_lateness(row.lateness_ms)
        return snapshot(row).standing

    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """One transaction under the row's lock; a key that was written before changes nothing."""
        try:
            async with self._transactions.begin() as connection:
                return await changes.apply(connection, apply)
        except changes.RefusedChangeError as refused:
            raise rejected(refused.rejection) from None


def _observe_lateness(milliseconds: int) -> None:
    """For the worker's /metrics; by the attempt that has marked it alone, so that a repetition counts nothing."""
    histogram = activity.metric_meter().create_histogram(
        "scheduled_activity_lateness_ms", "How late activities were marked for execution.", "ms"
    )
    histogram.record(milliseconds)


async def _of_key(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> Snapshot:
    """The row of its key, whoever has written it."""
    found = await connection.execute(OF_KEY, _key(scheduled))
    return snapshot(found.one())


def _key(scheduled: ScheduledActivityInput) -> dict[str, Any]:
    return {"of_tenant": scheduled.tenant_id, "of_key": scheduled.request.idempotency_key}


def _key_exists(scheduled: ScheduledActivityInput, activity_id: UUID) -> Exception:
    return rejected(
        Rejection(
            code="idempotency_key_exists",
            detail=f"The idempotency key {scheduled.request.idempotency_key!r} belongs to activity {activity_id}.",
            activity_id=activity_id,
        )
    )
