"""Bring a row and its run into agreement when the run is lost, was ended from outside, or outlives its activity."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from db import changes
from db.across_tenants import EndedRow
from db.engine import Database
from db.reconciliation import run_note_statement
from db.rows import HasAddress
from runs.ask import Fate, RunIsFullError, UnansweredError, describe_run, find_fate, read_ending
from runs.client import workflow_id
from runs.lead import Lead
from runs.locked import LockedCalls
from runs.patience import ROW_PATIENCE
from runs.payloads import first_key_id
from runs.start import resume_run
from workflows.findings import Finding
from workflows.messages import ActivityRef, Apply, BringBack, Cancel, Refresh, Snapshot, Standing, Terminate
from workflows.search_attributes import ACTIVITY_ID
from workflows.words import OPEN, EventType

ACTOR = "reconciliation"
Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Recovery:
    """Repairs of rows; each asks Temporal under the row's lock, so that no other process repairs the row meanwhile."""

    def __init__(self, client: Client, database: Database, lead: Lead, begin: Begin | None = None) -> None:
        """`begin` begins each transaction; by default one that waits for locks as long as a caller does."""
        self._client = client
        self._begin = begin or database.transactions.begin
        self._lead = lead

    async def settle(self, ref: ActivityRef) -> Finding | None:
        """Settle an open row that seems to have no run; return None if it has one, or is not open any more."""
        async with self._begin() as connection:
            seen = await changes.lock_activity(connection, ref)
            if seen.standing.status not in OPEN:
                return None
            calls = LockedCalls()
            fate, execution = await calls.limit(find_fate(self._client, ref.tenant_id, seen))
            match fate:
                case Fate.RUNNING:
                    return None
                case Fate.LOST:
                    return await self._resume(connection, ref, seen.standing, calls)
                case Fate.TERMINATED:
                    await self._terminate(connection, ref, execution, calls)
                    return Finding.TERMINATED
                case Fate.CANCELLED:
                    cancel = Cancel(reason="The run was cancelled in Temporal.")
                    await changes.apply_change(connection, build_apply(ref, f"cancelled:{seen.run_id}", ACTOR, cancel))
                    return Finding.CANCELLED

    async def _terminate(
        self, connection: AsyncConnection, ref: ActivityRef, run: WorkflowExecution | None, calls: LockedCalls
    ) -> None:
        assert run is not None  # noqa: S101 - a terminated run is a known one
        how = await calls.limit(read_ending(self._client, run))
        reason = f"The run was ended in Temporal: {how.reason}" if how.reason else "The run was ended in Temporal."
        apply = build_apply(ref, f"terminated:{run.run_id}", how.by or "temporal", Terminate(reason=reason))
        await changes.apply_change(connection, apply)

    async def _resume(
        self, connection: AsyncConnection, ref: ActivityRef, standing: Standing, calls: LockedCalls
    ) -> Finding | None:
        try:
            run_id = await self._start_run(connection, ref, standing, calls)
        except WorkflowAlreadyStartedError:
            return None
        reason, key_id = "No run was open for it.", first_key_id(self._client)
        resumed = run_note_statement(ref, run_id, EventType.RUN_RESUMED, ACTOR, key_id=key_id, reason=reason)
        await connection.execute(resumed)
        return Finding.RESUMED

    async def end_run(self, row: EndedRow) -> Finding | None:
        """End the run of an activity that has ended; return None if no run is open, or it has not read its row yet.

        Raises:
            UnansweredError: the run does not answer in time; it may still end by itself.
        """
        run = await describe_run(self._client, workflow_id(row.tenant_id, row.idempotency_key))
        if run is None or run.status is not WorkflowExecutionStatus.RUNNING or has_task(run):
            return None
        if run.typed_search_attributes.get(ACTIVITY_ID) != str(row.id):
            return None
        try:
            return Finding.ENDED if await refresh_run(self._client, run.id, Refresh()) else None
        except RunIsFullError:
            return await self._terminate_run(ActivityRef(tenant_id=row.tenant_id, id=row.id), run)

    async def _terminate_run(self, ref: ActivityRef, run: WorkflowExecution) -> Finding | None:
        """Terminate a run that takes no more updates, unless its activity is open again."""
        async with self._begin() as connection:
            status = (await changes.lock_activity(connection, ref)).standing.status
            if status in OPEN:
                return None
            reason = f"Its activity is {status}, and Temporal refuses more updates of the run."
            handle = self._client.get_workflow_handle(run.id, run_id=run.run_id)
            await LockedCalls().limit(handle.terminate(reason=reason))
        return Finding.ENDED

    async def bring_back(self, ref: ActivityRef, actor: str, change: BringBack) -> Snapshot:
        """Undo a termination: restore the row's status, and start a run that continues from it.

        Raises:
            RejectedError: the activity was not ended by a termination; nothing has changed.
            WorkflowAlreadyStartedError: another process has just started a run for it; nothing has changed.
        """
        async with self._begin() as connection:
            seen = await changes.lock_activity(connection, ref)
            apply = build_apply(ref, f"brought-back:{seen.version}", actor, change)
            standing = await changes.apply_change(connection, apply)
            run_id = await self._start_run(connection, ref, standing, LockedCalls())
            await connection.execute(run_note_statement(ref, run_id, None, actor, key_id=first_key_id(self._client)))
            return await changes.lock_activity(connection, ref)

    async def _start_run(
        self, connection: AsyncConnection, ref: ActivityRef, standing: Standing, calls: LockedCalls
    ) -> str:
        """Start a run before the commit: its first step waits for the row's lock."""
        scheduled = await changes.read_run_input(connection, ref, self._lead.before(standing.scheduled_at))
        return await calls.limit(resume_run(self._client, scheduled, standing))


def has_task(run: WorkflowExecutionDescription) -> bool:
    """Return whether a workflow task of the run is pending: the run may still read its row in it."""
    return run.raw_description.HasField("pending_workflow_task")


async def refresh_run(client: Client, run: str, refresh: Refresh) -> bool:
    """Make the run read its row again; return False if it has ended meanwhile.

    Raises:
        UnansweredError: the run does not answer in time.
        RunIsFullError: Temporal refuses more updates of the run.
    """
    update = client.get_workflow_handle(run).execute_update("refresh", refresh)
    try:
        async with asyncio.timeout(ROW_PATIENCE.total_seconds()):
            await update
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as failure:
        raise UnansweredError("its run does not answer") from failure
    except WorkflowUpdateFailedError:
        return False
    except RPCError as failure:
        if failure.status is RPCStatusCode.FAILED_PRECONDITION:
            raise RunIsFullError from failure
        if failure.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def build_apply(ref: HasAddress, key: str, actor: str, change: Cancel | Terminate | BringBack) -> Apply:
    """Build a change of the service's own to an activity; `key` makes writing it twice impossible."""
    return Apply(tenant_id=ref.tenant_id, id=ref.id, key=key, actor=actor, change=change)
