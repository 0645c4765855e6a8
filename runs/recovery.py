"""Puts a row and its run together again when one of them is missing: what reconciliation and operators' commands do."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import WorkflowAlreadyStartedError

from db import changes
from db.engine import Database
from db.reconciliation import goes_on_in
from runs.ask import Fate, ended, fate_of
from runs.client import lead_seconds, resume
from workflows.findings import Finding
from workflows.messages import Apply, BringBack, Cancel, Snapshot, Standing, Terminate
from workflows.words import OPEN, EventType

ACTOR = "reconciliation"


class Recovery:
    """Every repair holds the row's lock and asks Temporal under it: nobody can start or end a run meanwhile unseen."""

    def __init__(self, client: Client, database: Database, max_lead_seconds: float) -> None:
        self._client = client
        self._database = database
        self._max_lead_seconds = max_lead_seconds

    async def settle(self, tenant_id: UUID, activity_id: UUID) -> Finding | None:
        """See to an open row that seems to have no run; None if it has one, or isn't open any more."""
        wanted = Apply(tenant_id=tenant_id, id=activity_id, key="", change=Terminate(actor=ACTOR))
        async with self._database.transactions.begin() as connection:
            seen = await changes.locked(connection, wanted)
            if seen.standing.status not in OPEN:
                return None
            fate, execution = await fate_of(self._client, tenant_id, seen)
            match fate:
                case Fate.GOES_ON:
                    return None
                case Fate.LOST:
                    return await self._resume(connection, wanted, seen.standing)
                case Fate.TERMINATED:
                    await self._give_up(connection, wanted, execution)
                    return Finding.TERMINATED
                case Fate.CANCELLED:
                    cancel = Cancel(actor=ACTOR, reason="The run was cancelled in Temporal.")
                    by_cancel = wanted.model_copy(update={"key": f"cancelled:{seen.run_id}", "change": cancel})
                    await changes.apply(connection, by_cancel)
                    return Finding.CANCELLED

    async def _give_up(self, connection: AsyncConnection, wanted: Apply, run: WorkflowExecution | None) -> None:
        assert run is not None  # noqa: S101 - a terminated run is a known one
        how = await ended(self._client, run)
        reason = f"The run was ended in Temporal: {how.reason}" if how.reason else "The run was ended in Temporal."
        change = Terminate(actor=how.by or "temporal", reason=reason)
        apply = wanted.model_copy(update={"key": f"terminated:{run.run_id}", "change": change})
        await changes.apply(connection, apply)

    async def _resume(self, connection: AsyncConnection, wanted: Apply, standing: Standing) -> Finding | None:
        try:
            run_id = await self._start(connection, wanted, standing)
        except WorkflowAlreadyStartedError:
            return None
        resumed = goes_on_in(
            wanted.tenant_id, wanted.id, run_id, EventType.RUN_RESUMED, ACTOR, reason="Nothing went on for it."
        )
        await connection.execute(resumed)
        return Finding.RESUMED

    async def bring_back(self, tenant_id: UUID, activity_id: UUID, change: BringBack) -> Snapshot:
        """Undo a termination: the row is what it was before, and a new run goes on from it.

        Raises:
            RejectedError: it wasn't ended by a termination; nothing has changed.
            WorkflowAlreadyStartedError: somebody else has started a run for it at this moment; nothing has changed.
        """
        wanted = Apply(tenant_id=tenant_id, id=activity_id, key="", change=change)
        async with self._database.transactions.begin() as connection:
            seen = await changes.locked(connection, wanted)
            wanted = wanted.model_copy(update={"key": f"brought-back:{seen.version}"})
            standing = await changes.apply(connection, wanted)
            run_id = await self._start(connection, wanted, standing)
            await connection.execute(goes_on_in(tenant_id, activity_id, run_id, None, change.actor))
            return await changes.locked(connection, wanted)

    async def _start(self, connection: AsyncConnection, wanted: Apply, standing: Standing) -> str:
        """Before the commit: the run's first step waits for the lock."""
        lead = lead_seconds(standing.scheduled_at, datetime.now(UTC), self._max_lead_seconds)
        scheduled = await changes.input_of(connection, wanted)
        return await resume(self._client, scheduled.model_copy(update={"lead_seconds": lead}), standing)
