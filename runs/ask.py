"""Ask Temporal about runs: what they were started with, what they are doing, and how they ended."""

import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum, auto
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistoryEventFilterType,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from runs.client import workflow_id
from runs.limits import is_limit
from runs.patience import ANSWER_PATIENCE, LIST_PATIENCE, wait_for_answer
from runs.payloads import decode_fields, read_key_id
from runs.start import RunFailedError, failure_of
from workflows.actors import read_actor
from workflows.findings import Listing
from workflows.limits import make_storable
from workflows.messages import Message, RejectedError, Snapshot
from workflows.search_attributes import ACTIVITY_ID, TENANT_ID
from workflows.words import ActivityStatus


class UnansweredError(Exception):
    """Temporal gave no answer in time; `is_started` is True if a run is known to have been started nevertheless."""

    def __init__(self, detail: str = "", *, is_started: bool = False) -> None:
        super().__init__(detail)
        self.is_started = is_started


class LimitedError(UnansweredError):
    """Temporal has refused the call because a limit is reached; a run may have been started nevertheless."""


def describe_silence(failure: BaseException | None, detail: str = "") -> UnansweredError:
    """Return the error of a call that has failed: a limit, or no answer."""
    return LimitedError("Temporal is at its limit.") if is_limit(failure) else UnansweredError(detail)


class RunIsFullError(UnansweredError):
    """Temporal refuses more updates of the run until it has continued as a new one."""


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Question = Callable[Arguments, Awaitable[Answer]]


def limit_time_to(patience: timedelta) -> Callable[[Question[Arguments, Answer]], Question[Arguments, Answer]]:
    """Limit the time of a question, as `wait_for_answer` does."""

    def limit(ask: Question[Arguments, Answer]) -> Question[Arguments, Answer]:
        @wraps(ask)
        async def ask_in_time(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
            return await wait_for_answer(ask(*arguments, **named), patience.total_seconds())

        return ask_in_time

    return limit


limit_time = limit_time_to(ANSWER_PATIENCE)


Input = TypeVar("Input")

ENDED_FROM_OUTSIDE = (
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TIMED_OUT,
)
"""An activity that such a run has not recorded is never recorded."""


@limit_time
async def find_latest_run(client: Client, tenant_id: UUID, idempotency_key: str) -> WorkflowExecutionDescription | None:
    """Return the latest run of a key, or None if Temporal knows none."""
    return await describe_run(client, workflow_id(tenant_id, idempotency_key))


@limit_time
async def find_run_of(client: Client, activity_id: UUID) -> WorkflowExecution | None:
    """Return the latest run of an activity of any tenant whose key is not known, or None if Temporal lists none.

    The list lags behind: it names the run, and the run itself says how it stands.
    """
    query = f"ActivityId = '{activity_id}'"
    async for listed in client.list_workflows(query, limit=1):
        latest = await describe_run(client, listed.id)
        if latest and latest.typed_search_attributes.get(ACTIVITY_ID) == str(activity_id):
            return latest
        return await describe_run(client, listed.id, listed.run_id)
    return None


class ListedRun(NamedTuple):
    """A run as a list names it. A person can start a run of our type with any tenant and id, or without them."""

    id: str
    tenant_id: str | None
    activity_id: str | None


@limit_time_to(LIST_PATIENCE)
async def list_runs(client: Client, query: str, listing: Listing) -> tuple[list[ListedRun], str | None]:
    """Return a page of a list of runs, the latest first, and the token of the next page; None after the last."""
    token = b64decode(listing.token) if listing.token else b""
    request = ListWorkflowExecutionsRequest(
        namespace=client.namespace, page_size=listing.size, next_page_token=token, query=query
    )
    answer = await client.workflow_service.list_workflow_executions(request, retry=True)
    runs = [
        ListedRun(run.execution.workflow_id, _read_keyword(run, TENANT_ID), _read_keyword(run, ACTIVITY_ID))
        for run in answer.executions
    ]
    return runs, b64encode(answer.next_page_token).decode() or None


def _read_keyword(run: WorkflowExecutionInfo, key: SearchAttributeKey[str]) -> str | None:
    """Return one search attribute; the SDK decodes all of them, and fails if it can't decode any one."""
    value: str | None = json.loads(run.search_attributes.indexed_fields[key.name].data or "null")
    return value


@limit_time_to(LIST_PATIENCE)
async def count_runs(client: Client, query: str) -> int:
    """Return the number of runs that Temporal lists."""
    return (await client.count_workflows(query)).count


async def read_input(client: Client, workflow_id: str, run_id: str | None, kind: type[Input]) -> Input:
    """Return what a run was started with, from its first event; without `run_id`, the latest run's."""
    return (await read_start(client, workflow_id, run_id, kind))[0]


@limit_time
async def read_start(client: Client, workflow_id: str, run_id: str | None, kind: type[Input]) -> tuple[Input, str]:
    """Return what a run was started with, and the actor who started it."""
    async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events(page_size=1):
        started = event.workflow_execution_started_event_attributes
        started_with: Input
        (started_with,) = await client.data_converter.decode(started.input.payloads, [kind])
        return started_with, read_actor(await decode_fields(client.data_converter, started.header.fields))
    raise LookupError(workflow_id)


@limit_time
async def read_failure(client: Client, run: WorkflowExecution) -> RejectedError | RunFailedError | None:
    """Return what a run has failed with, or None if it has not failed."""
    if run.status is not WorkflowExecutionStatus.FAILED:
        return None
    try:
        await client.get_workflow_handle(run.id, run_id=run.run_id).result()
    except WorkflowFailureError as failure:
        return failure_of(failure.cause)
    return None


@limit_time
async def read_result(client: Client, run: WorkflowExecution) -> ActivityStatus:
    """Return the status that the activity had when its run completed."""
    handle = client.get_workflow_handle(run.id, run_id=run.run_id, result_type=str)
    return ActivityStatus(await handle.result())


class Fate(Enum):
    """The state of the run of an open row."""

    RUNNING = auto()
    TERMINATED = auto()
    CANCELLED = auto()
    LOST = auto()


_FATES = {
    WorkflowExecutionStatus.TERMINATED: Fate.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: Fate.TERMINATED,
    WorkflowExecutionStatus.CANCELED: Fate.CANCELLED,
}


async def find_fate(
    client: Client, tenant_id: UUID, seen: Snapshot
) -> tuple[Fate, WorkflowExecutionDescription | None]:
    """Find the run of an open row, and its state.

    A run that failed or completed beside an open row counts as lost, like one that Temporal has forgotten.
    """
    own_id = workflow_id(tenant_id, seen.idempotency_key)
    latest = await describe_run(client, own_id)
    if latest and latest.status is WorkflowExecutionStatus.RUNNING:
        return Fate.RUNNING, latest
    own = latest
    if latest and latest.typed_search_attributes.get(ACTIVITY_ID) != str(seen.id):
        own = await describe_run(client, own_id, seen.run_id)  # the latest is of another request, rejected just now
    if own is None or own.status is None:
        return Fate.LOST, None
    return _FATES.get(own.status, Fate.LOST), own


async def describe_run(
    client: Client, workflow_id: str, run_id: str | None = None
) -> WorkflowExecutionDescription | None:
    """Return the run as Temporal knows it, or None if it knows none."""
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=ANSWER_PATIENCE)
    except RPCError as failure:
        if failure.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            return None
        raise


class Ending(Message):
    """The person or process that ended a run, and the reason if one was given."""

    by: str
    reason: str | None = None


async def read_ending(client: Client, run: WorkflowExecution) -> Ending:
    """Return who ended a closed run, and why, from its last event."""
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    async for event in handle.fetch_history_events(
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, rpc_timeout=ANSWER_PATIENCE
    ):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            terminated = event.workflow_execution_terminated_event_attributes
            return Ending(by=make_storable(terminated.identity), reason=make_storable(terminated.reason) or None)
    return Ending(by="temporal")


class Beginning(NamedTuple):
    """Facts of a run's first event. `is_reset`: an operator made the run by resetting another, which it names."""

    is_reset: bool
    key_id: str | None


async def read_beginning(client: Client, run: WorkflowExecution) -> Beginning:
    """Return what the first event of a run says of its beginning."""
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    async for event in handle.fetch_history_events(page_size=1, rpc_timeout=ANSWER_PATIENCE):
        started = event.workflow_execution_started_event_attributes
        key_ids = [read_key_id(payload) for payload in started.input.payloads]
        return Beginning(started.original_execution_run_id != run.run_id, next(iter(key_ids), None))
    return Beginning(is_reset=False, key_id=None)
