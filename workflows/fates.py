"""What became of the run of an open row, asked of Temporal itself, not of its lists; never imported by workflows."""

from datetime import timedelta
from enum import Enum, auto
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHistoryEventFilterType,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.client import workflow_id
from workflows.payloads import Message, Snapshot
from workflows.search_attributes import ACTIVITY_ID

PATIENCE = timedelta(seconds=3)


class Fate(Enum):
    """Whether something goes on for the row, and if not, who wanted that."""

    GOES_ON = auto()
    TERMINATED = auto()
    CANCELLED = auto()
    LOST = auto()


class Ended(Message):
    """What the last event of a run says: who ended it, and why if they said so."""

    by: str
    reason: str | None = None


_WANTED = {
    WorkflowExecutionStatus.TERMINATED: Fate.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: Fate.TERMINATED,
    WorkflowExecutionStatus.CANCELED: Fate.CANCELLED,
}


async def fate_of(client: Client, tenant_id: UUID, seen: Snapshot) -> tuple[Fate, WorkflowExecution | None]:
    """A run that failed or completed beside an open row is lost like one that Temporal has forgotten: the row goes on.

    The latest run of the key may be another request's that is just being refused: then it is the row's own that counts.
    """
    own_id = workflow_id(tenant_id, seen.idempotency_key)
    latest = await described(client, own_id)
    if latest and latest.status is WorkflowExecutionStatus.RUNNING:
        return Fate.GOES_ON, latest
    own = latest
    if latest and latest.typed_search_attributes.get(ACTIVITY_ID) != str(seen.id):
        own = await described(client, own_id, seen.run_id)
    if own is None or own.status is None:
        return Fate.LOST, None
    return _WANTED.get(own.status, Fate.LOST), own


async def described(client: Client, workflow_id: str, run_id: str | None = None) -> WorkflowExecutionDescription | None:
    """The run as Temporal knows it, or None if it knows none."""
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=PATIENCE)
    except RPCError as failure:
        if failure.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            return None
        raise


async def ended(client: Client, run: WorkflowExecution) -> Ended:
    """Who ended a closed run, and why."""
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    async for event in handle.fetch_history_events(
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, rpc_timeout=PATIENCE
    ):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            terminated = event.workflow_execution_terminated_event_attributes
            return Ended(by=terminated.identity, reason=terminated.reason[:500] or None)
    return Ended(by="temporal")


async def is_reset(client: Client, run: WorkflowExecution) -> bool:
    """Whether a run repeats another one: its first event was written by that."""
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    async for event in handle.fetch_history_events(page_size=1, rpc_timeout=PATIENCE):
        return event.workflow_execution_started_event_attributes.original_execution_run_id != run.run_id
    return False
