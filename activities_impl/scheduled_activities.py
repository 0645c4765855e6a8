"""Read, write and mark the row of a scheduled activity."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.exceptions import ApplicationError

from db import changes, creation, facts, marks
from db.engine import Database
from db.leases import expire_leases_statement
from db.reconciliation import run_note_statement
from db.restoration import restore_row
from db.rows import address
from db.snapshots import build_snapshot, read_snapshot, read_snapshot_of_key
from workflows.activities import ROW_MISSING, ScheduledActivityActivities
from workflows.messages import (
    ActivityRef,
    Apply,
    CommerceFound,
    MarkDue,
    Record,
    RejectedError,
    Rejection,
    Restore,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.resolution import decide
from workflows.words import ActivityStatus, EventType

NOT_RESTORABLE_YET = "NotRestorableYet"


class ScheduledActivities(ScheduledActivityActivities):
    """The steps that read and write the row, in one or two statements each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def create(self, scheduled: ScheduledActivityInput) -> Snapshot:
        """Load all facts by one statement and write the decision by another."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.read_creation_facts(connection, scheduled)
            found = await _find_commerce(connection, scheduled, known.key)
            if found.recorded:
                return found.recorded
            decision = decide(known.reason, known.target, known.attributes)
            return await _write_row(connection, decision.as_record(scheduled))

    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Find the commerce, after the key: a row of an earlier run counts, whatever is missing by now."""
        async with self._database.autocommit.connect() as connection:
            return await _find_commerce(connection, scheduled, await facts.read_key_facts(connection, scheduled))

    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """Write the row, or return the one that is there: a second attempt never changes what a 201 has said."""
        async with self._database.autocommit.connect() as connection:
            return await _write_row(connection, record)

    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """Mark the row if it is still READY at the version that the run saw; return its standing in any case."""
        async with self._database.autocommit.connect() as connection:
            written = (await connection.execute(*marks.mark_due_statement(mark))).one_or_none()
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
    async def restore(self, restore: Restore) -> Standing:
        """Write the row again or leave it as it is, with the event RESTORED, in one transaction.

        What the row refers to may be missing as well, until its tenant or an operator has brought it back.
        """
        try:
            async with self._database.transactions.begin() as connection:
                return (await restore_row(connection, restore, _run_id())).standing
        except RejectedError as rejected:
            if rejected.rejection.code == creation.IDEMPOTENCY_KEY_EXISTS:
                raise
            raise ApplicationError(rejected.rejection.detail, type=NOT_RESTORABLE_YET) from None

    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """Write the change under the row's lock; a key that was written before changes nothing."""
        async with self._database.transactions.begin() as connection:
            answer = await changes.apply_or_reject_change(connection, apply)
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
    if known.removed_id is not None:
        raise creation.key_exists_error(scheduled, known.removed_id)
    if known.recorded_id is not None:
        if known.recorded_id != scheduled.id:
            raise creation.key_exists_error(scheduled, known.recorded_id)
        await connection.execute(expire_leases_statement(address(scheduled.tenant_id, scheduled.id)))
        why = EventType.RUN_RESET if scheduled.reset_of else None
        note = run_note_statement(scheduled, _run_id(), why, "temporal-ui", key_id=scheduled.payload_key_id)
        await connection.execute(note)
        return CommerceFound(recorded=await _read_row_of_key(connection, scheduled))
    if known.commerce_id is None:
        raise creation.commerce_missing_error(scheduled)
    return CommerceFound()


async def _write_row(connection: AsyncConnection, record: Record) -> Snapshot:
    written = await connection.execute(creation.RECORD_STATEMENT, creation.parameters(record, _run_id()))
    row = written.mappings().one_or_none()
    recorded = build_snapshot(row) if row else await _read_row_of_key(connection, record.scheduled)
    if recorded.id != record.scheduled.id:
        raise creation.key_exists_error(record.scheduled, recorded.id)
    return recorded


async def _read_standing(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> Standing:
    found = await read_snapshot(connection, tenant_id, activity_id)
    if found is None:
        raise RejectedError(Rejection(code=ROW_MISSING, detail=f"Activity {activity_id} has no row."))
    return found.standing


async def _read_row_of_key(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> Snapshot:
    """Return the row that has the key, of this activity or of another."""
    found = await read_snapshot_of_key(connection, scheduled.tenant_id, scheduled.request.idempotency_key)
    assert found is not None  # noqa: S101 - the statement before it found the key, whose run has just begun
    return found


def _run_id() -> str:
    return activity.info().workflow_run_id or ""
