"""Replay the server's runs on the checked-out code, to find those that would break if it were deployed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowHistory
from temporalio.common import HeaderCodecBehavior
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from runs.sandbox import Sandbox
from runs.worker_actors import ReadActors
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.scheduled_activity import ScheduledActivityWorkflow

STORIES = (ScheduledActivityWorkflow, BulkOperationWorkflow)
DEFAULT_QUERY = f"WorkflowType IN ({', '.join(repr(story.__name__) for story in STORIES)})"


@dataclass
class Replayed:
    """The number of runs that were replayed, and those that would break, with the reason."""

    runs: int = 0
    broken: dict[str, str] = field(default_factory=dict)


async def replay(client: Client, query: str, limit: int | None, workflows: Sequence[type] = STORIES) -> Replayed:
    """Replay the open and closed runs that the query finds; change nothing on the server."""
    replayed = Replayed()

    async def histories() -> AsyncIterator[WorkflowHistory]:
        async for execution in client.list_workflows(query, limit=limit):
            names[execution.run_id] = execution.id
            try:
                history = await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
            except RPCError as failure:
                if failure.status is not RPCStatusCode.NOT_FOUND:
                    raise
                continue  # it was deleted after it had been listed
            replayed.runs += 1
            yield history

    names: dict[str, str] = {}
    replayer = Replayer(
        workflows=workflows,
        workflow_runner=Sandbox(),
        data_converter=client.data_converter,
        header_codec_behavior=HeaderCodecBehavior.CODEC,
        interceptors=[ReadActors()],
    )
    results = await replayer.replay_workflows(histories(), raise_on_replay_failure=False)
    for run_id, failure in results.replay_failures.items():
        replayed.broken[f"{names[run_id]} (run {run_id})"] = str(failure)
    return replayed
