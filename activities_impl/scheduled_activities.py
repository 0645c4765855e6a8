"""The row of a scheduled activity in PostgreSQL: looked for, written, marked."""

from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities_impl.resolution import rejection_as_failure
from db import changes, creation, facts, marks
from db.engine import Database
from db.models import ScheduledActivity
from db.reconciliation import goes_on_in
from db.snapshots import SNAPSHOTS, snapshot
from workflows.activities import ScheduledActivityActivities, rejection_failure
from workflows.messages import (
    ActivityRef,
    Apply,
    CommerceFound,
    MarkDue,
    Record,
    Rejection,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.resolution import decide
from workflows.words import ActivityStatus, EventType

OF_KEY = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.idempotency_key == bindparam("of_key")
)
OF_ID = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("of_tenant"), ScheduledActivity.id == bindparam("of_id")
)
"""Statements are built once, not each time."""


class ScheduledActivities(ScheduledActivityActivities):
    """The steps that look for the row and write it, each a statement or two."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def create(self, scheduled: ScheduledActivityInput) -> Snapshot:
        """One statement finds all that decides, another writes what was decided; the steps' order is kept."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.creation_facts(connection, scheduled)
            found = await _commerce(connection, scheduled, known.key)
            if found.recorded:
                return found.recorded
            with rejection_as_failure():
                decision = decide(known.reason, known.target, known.attributes)
            return await _record(connection, decision.as_record(scheduled))

    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Whose the key is comes first: the row of an earlier run answers before anything is missing."""
        async with self._database.autocommit.connect() as connection:
            return await _commerce(connection, scheduled, await facts.key_facts(connection, scheduled))

    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """A row that is there already stays as it is: a second attempt never changes what a 201 has said."""
        async with self._database.autocommit.connect() as connection:
            return await _record(connection, record)

    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """The row tells where it stands now, whether this attempt has marked it, an earlier one, or nobody."""
        async with self._database.autocommit.connect() as connection:
            written = (await connection.execute(*marks.mark_due(mark))).one_or_none()
            if written and written.status is ActivityStatus.DUE:
                _observe_lateness(written.lateness_ms)
                return Standing.model_validate(written, from_attributes=True)
            return await _standing(connection, mark.tenant_id, mark.id)

    @activity.defn
    async def read_standing(self, read: ActivityRef) -> Standing:
        """Read the row without its lock: a change that commits meanwhile has a higher version."""
        async with self._database.autocommit.connect() as connection:
            return await _standing(connection, read.tenant_id, read.id)

    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """One transaction under the row's lock; a key that was written before changes nothing."""
        async with self._database.transactions.begin() as connection:
            answer = await changes.apply_or_refuse(connection, apply)
        if isinstance(answer, Rejection):
            raise rejection_failure(answer)
        return answer


def _observe_lateness(milliseconds: int) -> None:
    """For the worker's /metrics; by the attempt that has marked it alone, so that a repetition counts nothing."""
    histogram = activity.metric_meter().create_histogram(
        "scheduled_activity_lateness_ms", "How late activities were marked for execution.", "ms"
    )
    histogram.record(milliseconds)


async def _commerce(
    connection: AsyncConnection, scheduled: ScheduledActivityInput, known: facts.KeyFacts
) -> CommerceFound:
    """The row goes on in this run, if it is its own; the key belongs to another otherwise."""
    if known.recorded_id is not None:
        if known.recorded_id != scheduled.id:
            raise _key_exists(scheduled, known.recorded_id)
        why = EventType.RUN_RESET if scheduled.reset_of else None
        await connection.execute(goes_on_in(scheduled.tenant_id, scheduled.id, _run_id(), why, "temporal-ui"))
        return CommerceFound(recorded=await _of_key(connection, scheduled))
    if known.commerce_id is None:
        raise rejection_failure(
            Rejection(
                code="commerce_not_found",
                detail=f"This tenant has no active commerce {scheduled.request.commerce_id}.",
                faults=(),
            )
        )
    return CommerceFound()


async def _record(connection: AsyncConnection, record: Record) -> Snapshot:
    written = await connection.execute(creation.RECORD, creation.parameters(record, _run_id()))
    row = written.one_or_none()
    recorded = snapshot(row) if row else await _of_key(connection, record.scheduled)
    if recorded.id != record.scheduled.id:
        raise _key_exists(record.scheduled, recorded.id)
    return recorded


async def _standing(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> Standing:
    found = await connection.execute(OF_ID, {"of_tenant": tenant_id, "of_id": activity_id})
    return snapshot(found.one()).standing


async def _of_key(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> Snapshot:
    """The row of its key, whoever has written it."""
    asked = {"of_tenant": scheduled.tenant_id, "of_key": scheduled.request.idempotency_key}
    return snapshot((await connection.execute(OF_KEY, asked)).one())


def _run_id() -> str:
    return activity.info().workflow_run_id or ""


def _key_exists(scheduled: ScheduledActivityInput, activity_id: UUID) -> Exception:
    return rejection_failure(
        Rejection(
            code="idempotency_key_exists",
            detail=f"The idempotency key {scheduled.request.idempotency_key!r} belongs to activity {activity_id}.",
            activity_id=activity_id,
        )
    )
