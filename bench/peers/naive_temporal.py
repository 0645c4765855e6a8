"""Create by a Temporal workflow whose steps are regular activities; `work` runs its worker."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from activities_impl.resolution import Resolution
from activities_impl.scheduled_activities import ScheduledActivities
from activities_impl.tenants import ActForTenants
from bench.peers.naive_workflow import QUEUE, NaiveWorkflow
from bench.peers.route import Create, serve
from db.engine import Database, open_database
from runs.client import connect, workflow_id
from runs.sandbox import Sandbox
from settings import DatabaseSettings
from worker import TUNING
from workflows.messages import ScheduledActivityInput, Snapshot


@asynccontextmanager
async def opening(_: Database) -> AsyncIterator[Create]:
    """Open the peer; its API needs only a client."""
    client = await connect(None)

    async def create(scheduled: ScheduledActivityInput) -> Snapshot:
        operation = WithStartWorkflowOperation(
            NaiveWorkflow.run,
            scheduled,
            id=f"naive:{workflow_id(scheduled.tenant_id, scheduled.request.idempotency_key)}",
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        return await client.execute_update_with_start_workflow(NaiveWorkflow.create, start_workflow_operation=operation)

    yield create


async def work() -> None:
    """Run a worker with the settings of ours, without local activities."""
    database = open_database(DatabaseSettings().database_url.get_secret_value())
    rows, resolution = ScheduledActivities(database), Resolution(database)
    steps: list[Callable[..., Any]] = [rows.resolve_commerce, resolution.resolve_reason, resolution.resolve_target]
    steps += [resolution.resolve_attributes, rows.record, rows.mark_due]
    async with Worker(
        await connect(None),
        task_queue=QUEUE,
        workflows=[NaiveWorkflow],
        activities=steps,
        interceptors=[ActForTenants()],
        workflow_runner=Sandbox("bench"),
        **TUNING,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        uvloop.run(work())
    serve(opening)
