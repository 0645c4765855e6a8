"""Erase one activity: cancel it if it is open, delete its runs in Temporal, then remove its rows."""

import asyncio
from uuid import UUID

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from db.bulk_operations import NextItem
from db.engine import Database
from db.removal import remove_activities
from runs.ask import describe_run
from runs.change import Applied, Changes, Rejected
from runs.client import workflow_id
from runs.patience import ANSWER_PATIENCE, BULK_ITEM_PATIENCE, LIST_PATIENCE
from workflows.bulk import ItemOutcome, ItemResult
from workflows.hand_off import FINISHED
from workflows.messages import Apply
from workflows.words import RemovalCause

BETWEEN_LOOKS_SECONDS = 0.1
LOOKS = 50
"""A run that has carried a cancellation out ends within some milliseconds."""
UNENDED = ItemResult(outcome=ItemOutcome.PENDING, detail="Its run has not ended yet.")
UNREMOVED = ItemResult(outcome=ItemOutcome.PENDING, detail="Its row is locked, or is not closed yet.")


class Erasure:
    """Erases activities. Each part can be repeated: what an earlier attempt has done is found done."""

    def __init__(self, client: Client, database: Database, changes: Changes) -> None:
        self._client = client
        self._database = database
        self._changes = changes

    async def erase(self, cancel: Apply, item: NextItem, *, cancel_open: bool) -> ItemResult:
        """Erase the activity, after the change `cancel` if it is open and may be cancelled."""
        if item.status not in FINISHED:
            refusal = await self._cancel(cancel, item) if cancel_open else _refuse_open(item)
            if refusal:
                return refusal
        if not await delete_closed_runs(self._client, workflow_id(cancel.tenant_id, item.idempotency_key)):
            return UNENDED
        async with self._database.begin_briefly() as connection:
            ids = [item.activity_id]
            removed = await remove_activities(connection, cancel.tenant_id, ids, RemovalCause.ERASURE)
        return ItemResult(outcome=ItemOutcome.APPLIED) if removed else UNREMOVED

    async def _cancel(self, cancel: Apply, item: NextItem) -> ItemResult | None:
        """Cancel the activity; return why it could not be cancelled, or None if it is closed now."""
        patience = BULK_ITEM_PATIENCE.total_seconds()
        match await self._changes.carry_out(cancel, item.idempotency_key, item.status, patience):
            case Rejected(rejection) if rejection.status not in FINISHED:
                return ItemResult(outcome=ItemOutcome.REFUSED, code=rejection.code, detail=rejection.detail)
            case Applied() | Rejected():
                return None
            case _:
                return ItemResult(outcome=ItemOutcome.PENDING, detail="Its cancellation is not carried out yet.")


def _refuse_open(item: NextItem) -> ItemResult:
    detail = f"It is {item.status}. Repeat the erasure with `cancel_open=true`."
    return ItemResult(outcome=ItemOutcome.REFUSED, code="wrong_status", detail=detail)


async def delete_closed_runs(client: Client, run: str) -> bool:
    """Delete all runs of a workflow ID from Temporal; return False if the latest does not end."""
    latest = await describe_run(client, run)
    for _ in range(LOOKS):
        if latest is None or latest.status is not WorkflowExecutionStatus.RUNNING:
            break
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)
        latest = await describe_run(client, run)
    else:
        return False
    run_ids = {latest.run_id} if latest else set()
    listed_runs = client.list_workflows(f"WorkflowId = '{run}'", rpc_timeout=LIST_PATIENCE)
    run_ids |= {listed.run_id async for listed in listed_runs}
    for run_id in run_ids:
        await delete_run(client, run, run_id)
    return True


async def delete_rejected_runs(client: Client, tenant_id: UUID, commerce_id: UUID) -> None:
    """Delete the closed runs that name the commerce and have no row: their creations were rejected."""
    query = f"CommerceId = '{commerce_id}' AND TenantId = '{tenant_id}' AND ExecutionStatus != 'Running'"
    async for listed in client.list_workflows(query, rpc_timeout=LIST_PATIENCE):
        await delete_run(client, listed.id, listed.run_id)


async def delete_run(client: Client, run: str, run_id: str) -> None:
    """Delete a run with its history, unless Temporal has forgotten it."""
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=run, run_id=run_id)
    )
    try:
        await client.workflow_service.delete_workflow_execution(request, retry=True, timeout=ANSWER_PATIENCE)
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
