"""Asks Temporal what became of a run."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum, auto
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistoryEventFilterType,
)
from temporalio.service import RPCError, RPCStatusCode

from runs.client import workflow_id
from runs.start import RunFailedError, failure_of
from workflows import search_attributes as sa
from workflows.messages import Message, RejectedError, ScheduledActivityInput, Snapshot
from workflows.search_attributes import ACTIVITY_ID

PATIENCE_SECONDS = 3


class UnansweredError(Exception):
    """Temporal gave no answer in time; `is_started` is True if a run is known to have been started nevertheless."""

    def __init__(self, detail: str = "", *, is_started: bool = False) -> None:
        super().__init__(detail)
        self.is_started = is_started


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def patiently(ask: Callable[Arguments, Awaitable[Answer]]) -> Callable[Arguments, Awaitable[Answer]]:
    """Turn silence, and a connection that can't be made at all, into the RPC error that says so."""

    @wraps(ask)
    async def bounded(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(*arguments, **named)
        except (TimeoutError, RuntimeError) as failure:
            raise RPCError("no answer in time", RPCStatusCode.UNAVAILABLE, b"") from failure

    return bounded


Input = TypeVar("Input")

LOST = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.TIMED_OUT)
"""Ended by an operator: what such a run has not recorded by then, it never will."""


async def exists(client: Client, scheduled: ScheduledActivityInput) -> bool:
    """Whether a start of which nothing was heard has started a run all the same; False if nobody answers."""
    try:
        run = await latest(client, scheduled.tenant_id, scheduled.request.idempotency_key)
    except RPCError:
        return False
    return run is not None and run.typed_search_attributes.get(sa.ACTIVITY_ID) == str(scheduled.id)


@patiently
async def latest(client: Client, tenant_id: UUID, idempotency_key: str) -> WorkflowExecution | None:
    """The latest run of a key, if Temporal knows one."""
    try:
        return await client.get_workflow_handle(workflow_id(tenant_id, idempotency_key)).describe()
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


@patiently
async def of_activity(client: Client, tenant_id: UUID, activity_id: UUID) -> WorkflowExecution | None:
    """The latest run of an activity, if Temporal knows one."""
    query = f"ActivityId = '{activity_id}' AND TenantId = '{tenant_id}'"
    async for execution in client.list_workflows(query, limit=1):
        return execution
    return None


@patiently
async def input_of(client: Client, workflow_id: str, run_id: str | None, kind: type[Input]) -> Input:
    """What a run, the latest one unless it is named, was started with: its first event has it."""
    async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        started_with: Input
        (started_with,) = await client.data_converter.decode(payloads, [kind])
        return started_with
    raise LookupError(workflow_id)


@patiently
async def refusal(client: Client, execution: WorkflowExecution) -> RejectedError | RunFailedError | None:
    """Why a failed run was refused; None for a run that hasn't failed."""
    if execution.status is not WorkflowExecutionStatus.FAILED:
        return None
    try:
        await client.get_workflow_handle(execution.id, run_id=execution.run_id).result()
    except WorkflowFailureError as failure:
        return failure_of(failure.cause)
    return None


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
