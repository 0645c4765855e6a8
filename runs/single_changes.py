"""One change of one activity, as if it were the only one: by its open run, or, once that has ended, by its row."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from db import changes
from db.engine import Database
from db.failures import kind, may_pass
from runs.client import resume, workflow_id
from runs.recovery import Recovery
from workflows.activities import rejection_of
from workflows.bulk import ItemOutcome, ItemResult
from workflows.messages import Apply, Cancel, RejectedError, Rejection, Reschedule
from workflows.words import OPEN, ActivityStatus

PATIENCE = timedelta(seconds=5)
"""How long a run may take to accept a change, and then to carry it out."""


class SingleChanges:
    """Sending the same change again is harmless: its key is the update's id and the event's key, withdrawn or not."""

    def __init__(self, client: Client, database: Database, max_lead_seconds: float) -> None:
        self._client = client
        self._database = database
        self._recovery = Recovery(client, database, max_lead_seconds)

    async def change(self, wanted: Apply, idempotency_key: str, status: ActivityStatus) -> ItemResult:
        """What became of it; PENDING where nothing was changed, and another try, with another key, is worth it."""
        try:
            if status not in OPEN:
                return await self._by_row(wanted)
            try:
                return await self._by_run(wanted, workflow_id(wanted.tenant_id, idempotency_key))
            except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RPCError):
                return await self._withdrawn(wanted, "No worker took the change in time.")
        except RejectedError as refused:
            return _refused(refused.rejection)
        except (WorkflowAlreadyStartedError, RPCError, RuntimeError, SQLAlchemyError, OSError) as failure:
            if may_pass(failure):  # PostgreSQL's silence says nothing: the same key has to be asked again
                raise
            return _not_yet(kind(failure))

    async def _by_run(self, wanted: Apply, run: str) -> ItemResult:
        handle = self._client.get_workflow_handle(run)
        try:
            async with asyncio.timeout(2 * PATIENCE.total_seconds()):
                update = await handle.start_update(
                    wanted.change.verb, wanted.change, id=wanted.key, wait_for_stage=WorkflowUpdateStage.ACCEPTED
                )
            return await _carried_out(update.result())
        except WorkflowUpdateFailedError as failure:
            rejection = rejection_of(failure.cause)
            if rejection:
                return _refused(rejection)
            return await self._withdrawn(wanted, "Its run could not carry the change out.")
        except RPCError as failure:
            if failure.status is RPCStatusCode.NOT_FOUND:
                return await self._by_row(wanted)
            raise

    async def _by_row(self, wanted: Apply) -> ItemResult:
        """A move that takes back an unseen mark needs a run again: started before the commit, or nothing is changed."""
        async with self._database.transactions.begin() as connection:
            standing = (await changes.locked(connection, wanted)).standing
            if standing.status not in OPEN or isinstance(wanted.change, Cancel):
                standing = await changes.apply(connection, wanted)
                if standing.status in OPEN:
                    lead = wanted.change.lead_seconds if isinstance(wanted.change, Reschedule) else 0
                    await resume(self._client, await changes.input_of(connection, wanted, lead), standing)
                return ItemResult(outcome=ItemOutcome.APPLIED)
        await self._recovery.settle(wanted)
        return await self._withdrawn(wanted, "Its run was missing.")

    async def _withdrawn(self, wanted: Apply, why: str) -> ItemResult:
        """Nobody carries it out any more, unless somebody has."""
        async with self._database.transactions.begin() as connection:
            withdrawn = await changes.withdraw(connection, wanted)
        return _not_yet(why) if withdrawn else ItemResult(outcome=ItemOutcome.APPLIED)


async def _carried_out(result: Awaitable[object]) -> ItemResult:
    """Accepted is as good as done, but who asks shall not be told before it is."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await result
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        return ItemResult(outcome=ItemOutcome.ACCEPTED, detail="Accepted durably; it will be carried out.")
    return ItemResult(outcome=ItemOutcome.APPLIED)


def _refused(rejection: Rejection) -> ItemResult:
    if rejection.code == "unavailable":
        return _not_yet(rejection.detail)
    return ItemResult(outcome=ItemOutcome.REFUSED, code=rejection.code, detail=rejection.detail)


def _not_yet(detail: str) -> ItemResult:
    return ItemResult(outcome=ItemOutcome.PENDING, detail=detail)
