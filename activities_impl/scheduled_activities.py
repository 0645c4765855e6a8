"""Read, write and mark the row of a scheduled activity."""

from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from db import changes, creation, facts, marks
from db.engine import Database
from db.models import ScheduledActivity
from db.reconciliation import goes_on_in
from db.snapshots import SNAPSHOTS, snapshot
from workflows.activities import ScheduledActivityActivities
from workflows.messages import (
    ActivityRef,
    Apply,
    CommerceFound,
    MarkDue,
    Record,
    RejectedError,
    Rejection,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.resolution import decide
from workflows.words import ActivityStatus, EventType

# Both statements are built once, because building one takes longer than sending it.
ROW_BY_KEY = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.idempotency_key == bindparam("of_key")
)
ROW_BY_ID = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.id == bindparam("of_id")
)


class ScheduledActivities(ScheduledActivityActivities):
    """The steps that read and write the row, in one or two statements each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def create(self, scheduled: ScheduledActivityInput) -> Snapshot:
        """Load all facts by one statement and write the decision by another."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.creation_facts(connection, scheduled)
            found = await _find_commerce(connection, scheduled, known.key)
            if found.recorded:
                return found.recorded
            decision = decide(known.reason, known.target, known.attributes)
            return await _write_row(connection, decision.as_record(scheduled))

    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Find the commerce, after the key: a row of an earlier run counts, whatever is missing by now."""
        async with self._database.autocommit.connect() as connection:
            return await _find_commerce(connection, scheduled, await facts.key_facts(connection, scheduled))

    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """Write the row, or return the one that is there: a second attempt never changes what a 201 has said."""
        async with self._database.autocommit.connect() as connection:
            return await _write_row(connection, record)

    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """Mark the row if it is still READY at the version that the run saw; return its standing in any case."""
        async with self._database.autocommit.connect() as connection:
            written = (await connection.execute(*marks.mark_due(mark))).one_or_none()
            if written and written.status is ActivityStatus.DUE:
                _observe_lateness(written.lateness_ms)
                return Standing.model_validate(written, from_attributes=True)
            return await _read_standing(connection, mark.tenant_id, mark.id)

    @activity.defn
    async def read_standing(self, read: ActivityRef) -> Standing:
        """Read the row without its lock, because a change that commits meanwhile has a higher version."""
        async with self._database.autocommit.connect() as connection:
            return await _read_standing(connection, read.tenant_id, read.id)

    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """Write the change under the row's lock; a key that was written before changes nothing."""
        async with self._database.transactions.begin() as connection:
            answer = await changes.apply_or_refuse(connection, apply)
        if isinstance(answer, Rejection):
            raise RejectedError(answer)
        return answer


def _observe_lateness(milliseconds: int) -> None:
    """Add the lateness to the worker's /metrics. Only the attempt that marked the row does so."""
    histogram = activity.metric_meter().create_histogram(
        "scheduled_activity_lateness_ms", "How late activities were marked for execution.", "ms"
    )
    histogram.record(milliseconds)


async def _find_commerce(
    connection: AsyncConnection, scheduled: ScheduledActivityInput, known: facts.KeyFacts
) -> CommerceFound:
    """Return this activity's own row if an earlier run wrote it, and note that this run continues it.

    Raises:
        RejectedError: the key belongs to another activity, or the commerce is unknown or inactive.
    """
    if known.recorded_id is not None:
        if known.recorded_id != scheduled.id:
            raise _key_exists_error(scheduled, known.recorded_id)
        why = EventType.RUN_RESET if scheduled.reset_of else None
        await connection.execute(goes_on_in(scheduled.tenant_id, scheduled.id, _run_id(), why, "temporal-ui"))
        return CommerceFound(recorded=await _read_row_of_key(connection, scheduled))
    if known.commerce_id is None:
        detail = f"This tenant has no active commerce {scheduled.request.commerce_id}."
        raise RejectedError(Rejection(code="commerce_not_found", detail=detail))
    return CommerceFound()


async def _write_row(connection: AsyncConnection, record: Record) -> Snapshot:
    written = await connection.execute(creation.RECORD, creation.parameters(record, _run_id()))
    row = written.one_or_none()
    recorded = snapshot(row) if row else await _read_row_of_key(connection, record.scheduled)
    if recorded.id != record.scheduled.id:
        raise _key_exists_error(record.scheduled, recorded.id)
    return recorded


async def _read_standing(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> Standing:
    found = await connection.execute(ROW_BY_ID, {"of_tenant": tenant_id, "of_id": activity_id})
    return snapshot(found.one()).standing


async def _read_row_of_key(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> Snapshot:
    """Return the row that has the key, of this activity or of another."""
    asked = {"of_tenant": scheduled.tenant_id, "of_key": scheduled.request.idempotency_key}
    return snapshot((await connection.execute(ROW_BY_KEY, asked)).one())


def _run_id() -> str:
    return activity.info().workflow_run_id or ""


def _key_exists_error(scheduled: ScheduledActivityInput, activity_id: UUID) -> RejectedError:
    return RejectedError(
        Rejection(
            code="idempotency_key_exists",
            detail=f"The idempotency key {scheduled.request.idempotency_key!r} belongs to activity {activity_id}.",
            activity_id=activity_id,
        )
    )
