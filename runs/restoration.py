"""Write rows again that runs have and PostgreSQL lacks, because it was restored to an earlier point."""

from typing import NamedTuple
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError

from db import changes
from db.engine import Database
from db.reconciliation import run_note_statement
from db.restoration import restore_row
from db.snapshots import read_snapshot
from runs.ask import describe_run, read_result, read_start
from runs.lead import Lead
from runs.locked import LockedCalls
from runs.payloads import first_key_id
from runs.recovery import ACTOR, build_apply, has_task, refresh_run
from runs.start import resume_run
from workflows.findings import Finding
from workflows.limits import bound_input
from workflows.messages import Cancel, Refresh, Restore, ScheduledActivityInput, Standing
from workflows.search_attributes import ACTIVITY_ID, SCHEDULED_AT
from workflows.words import OPEN, ActivityStatus

NOT_EXECUTED = (*OPEN, ActivityStatus.DUE, ActivityStatus.DISPATCHED)
"""The statuses at the end of a run from which an activity is still to be executed."""


class MissingRow(NamedTuple):
    """An activity that has a run and no row."""

    tenant_id: UUID
    id: UUID
    run: str


class Restoration:
    """Restores missing rows. Each is confirmed by a description of the run and a second look at the row."""

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._lead = lead

    async def restore(self, missing: MissingRow) -> Finding | None:
        """Have the row written again; return None if it is there by now, or if its run is still writing it.

        Raises:
            UnansweredError: the open run does not answer in time; it may still write the row.
            RejectedError: the commerce or a catalogue that the row needs is missing as well.
        """
        run = await describe_run(self._client, missing.run)
        if run is None or run.typed_search_attributes.get(ACTIVITY_ID) != str(missing.id):
            return None
        if run.status is WorkflowExecutionStatus.RUNNING:
            return await self._refresh(missing, run)
        if run.status is WorkflowExecutionStatus.COMPLETED:
            return await self._write_row(missing, run)
        return None

    async def _refresh(self, missing: MissingRow, run: WorkflowExecutionDescription) -> Finding | None:
        """Make an open run look at its row, unless it is busy: it may be resolving, or writing the row again."""
        if has_task(run) or run.raw_description.pending_activities:
            return None
        async with self._database.autocommit.connect() as connection:
            if await read_snapshot(connection, missing.tenant_id, missing.id):
                return None
        return Finding.RESTORED if await refresh_run(self._client, run.id, Refresh()) else None

    async def _write_row(self, missing: MissingRow, run: WorkflowExecutionDescription) -> Finding | None:
        """Write the row of a run that has completed; start a run if the activity is still to be executed."""
        started_with, actor = await read_start(self._client, run.id, run.run_id, ScheduledActivityInput)
        scheduled = bound_input(started_with).model_copy(update={"actor": actor})
        ended_as = await read_result(self._client, run)
        at = run.typed_search_attributes.get(SCHEDULED_AT) or scheduled.request.scheduled_at
        known = Standing(status=ended_as, version=0, scheduled_at=at)
        restore = Restore(scheduled=scheduled, known=known, key=f"restored:{run.run_id}")
        async with self._database.begin_briefly() as connection:
            if await read_snapshot(connection, missing.tenant_id, missing.id):
                return None
            restored = await restore_row(connection, restore, run.run_id)
            if ended_as not in NOT_EXECUTED:
                cancel = Cancel(reason=f"It was {ended_as} before PostgreSQL was restored.")
                await changes.apply_change(connection, build_apply(missing, f"ended:{run.run_id}", ACTOR, cancel))
                return Finding.RESTORED
            continued = {"actor": None, "lead_seconds": self._lead.before(at), "is_continued": True}
            again = scheduled.model_copy(update=continued)
            try:
                run_id = await LockedCalls().limit(resume_run(self._client, again, restored.standing))
            except WorkflowAlreadyStartedError:
                await connection.rollback()
                return None
            await connection.execute(
                run_note_statement(missing, run_id, None, ACTOR, key_id=first_key_id(self._client))
            )
        return Finding.RESTORED
