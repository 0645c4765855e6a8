"""Bring a row and its run into agreement when the run is lost or was ended from outside."""

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import WorkflowAlreadyStartedError

from db import changes
from db.engine import Database
from db.reconciliation import run_note_statement
from runs.ask import Fate, find_fate, read_ending
from runs.lead import Lead
from runs.start import resume_run
from workflows.findings import Finding
from workflows.messages import ActivityRef, Apply, BringBack, Cancel, Snapshot, Standing, Terminate
from workflows.words import OPEN, EventType

ACTOR = "reconciliation"


class Recovery:
    """Repairs of rows; each asks Temporal under the row's lock, so that no other process repairs the row meanwhile."""

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._lead = lead

    async def settle(self, ref: ActivityRef) -> Finding | None:
        """Settle an open row that seems to have no run; return None if it has one, or is not open any more."""
        async with self._database.transactions.begin() as connection:
            seen = await changes.lock_activity(connection, ref)
            if seen.standing.status not in OPEN:
                return None
            fate, execution = await find_fate(self._client, ref.tenant_id, seen)
            match fate:
                case Fate.RUNNING:
                    return None
                case Fate.LOST:
                    return await self._resume(connection, ref, seen.standing)
                case Fate.TERMINATED:
                    await self._terminate(connection, ref, execution)
                    return Finding.TERMINATED
                case Fate.CANCELLED:
                    cancel = Cancel(reason="The run was cancelled in Temporal.")
                    await changes.apply_change(connection, _build_apply(ref, f"cancelled:{seen.run_id}", ACTOR, cancel))
                    return Finding.CANCELLED

    async def _terminate(self, connection: AsyncConnection, ref: ActivityRef, run: WorkflowExecution | None) -> None:
        assert run is not None  # noqa: S101 - a terminated run is a known one
        how = await read_ending(self._client, run)
        reason = f"The run was ended in Temporal: {how.reason}" if how.reason else "The run was ended in Temporal."
        apply = _build_apply(ref, f"terminated:{run.run_id}", how.by or "temporal", Terminate(reason=reason))
        await changes.apply_change(connection, apply)

    async def _resume(self, connection: AsyncConnection, ref: ActivityRef, standing: Standing) -> Finding | None:
        try:
            run_id = await self._start_run(connection, ref, standing)
        except WorkflowAlreadyStartedError:
            return None
        resumed = run_note_statement(ref, run_id, EventType.RUN_RESUMED, ACTOR, reason="No run was open for it.")
        await connection.execute(resumed)
        return Finding.RESUMED

    async def bring_back(self, ref: ActivityRef, actor: str, change: BringBack) -> Snapshot:
        """Undo a termination: restore the row's status, and start a run that continues from it.

        Raises:
            RejectedError: the activity was not ended by a termination; nothing has changed.
            WorkflowAlreadyStartedError: another process has just started a run for it; nothing has changed.
        """
        async with self._database.transactions.begin() as connection:
            seen = await changes.lock_activity(connection, ref)
            apply = _build_apply(ref, f"brought-back:{seen.version}", actor, change)
            standing = await changes.apply_change(connection, apply)
            run_id = await self._start_run(connection, ref, standing)
            await connection.execute(run_note_statement(ref, run_id, None, actor))
            return await changes.lock_activity(connection, ref)

    async def _start_run(self, connection: AsyncConnection, ref: ActivityRef, standing: Standing) -> str:
        """Start a run before the commit: its first step waits for the row's lock."""
        scheduled = await changes.read_run_input(connection, ref, self._lead.before(standing.scheduled_at))
        return await resume_run(self._client, scheduled, standing)


def _build_apply(ref: ActivityRef, key: str, actor: str, change: Cancel | Terminate | BringBack) -> Apply:
    return Apply(tenant_id=ref.tenant_id, id=ref.id, key=key, actor=actor, change=change)
