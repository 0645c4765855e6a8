"""Measure the floor: Update-with-Start of an empty workflow from a bare client, on a worker with our settings."""

import asyncio
from uuid import uuid4

import uvloop
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from bench.floor_workflow import QUEUE, EmptyWorkflow
from bench.load import Call
from runs.client import connect
from runs.sandbox import Sandbox
from worker import TUNING


def creating(client: Client) -> Call:
    """Return a caller that starts one empty run per call and waits for its answer."""

    async def create() -> None:
        operation = WithStartWorkflowOperation(
            EmptyWorkflow.run, id=f"floor-{uuid4()}", task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        await client.execute_update_with_start_workflow(EmptyWorkflow.create, start_workflow_operation=operation)

    return create


async def main() -> None:
    """Work until killed."""
    async with Worker(
        await connect(None),
        task_queue=QUEUE,
        workflows=[EmptyWorkflow],
        workflow_runner=Sandbox("bench"),
        **TUNING,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
