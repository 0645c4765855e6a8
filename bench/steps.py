"""Measure the cost of steps: creations with none, one, two and five of them, from a bare client without HTTP.

`python -m bench.steps` runs the worker of the variants that the service doesn't have.
"""

import asyncio
import os
from typing import Any
from uuid import uuid4

import uvloop
from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from activities_impl.failures import DescribeFailures
from activities_impl.resolution import Resolution
from activities_impl.scheduled_activities import ScheduledActivities
from activities_impl.tenants import ActForTenants
from api.activities.schemas import ScheduledActivityCreate
from bench.create import CLIENTS
from bench.load import Call, body, loop
from bench.machine import machine
from bench.results import Results
from bench.servers import python
from bench.steps_workflow import QUEUE, FiveSteps, Half, NoSteps, TwoSteps
from db import facts
from db.engine import Database, open_database
from embedded.demo_ids import TENANT_ID
from runs.client import connect
from runs.sandbox import Sandbox
from runs.start import start_run
from settings import DatabaseSettings, EncryptionSettings
from worker import TUNING
from workflows.messages import Record, ScheduledActivityInput
from workflows.resolution import decide


async def run(results: Results, *, rounds: int, seconds: float) -> None:
    """Measure our creation and the variants, each on its own worker."""
    with machine() as servers:
        servers.start("steps worker", python("-m", "bench.steps"))
        servers.start_ours()
        os.environ["TEMPORAL_ADDRESS"] = servers.temporal.address
        client = await connect(EncryptionSettings().key_ring)
        calls = {
            "no step": _variant(client, NoSteps),
            "one step: ours": _ours(client),
            "two steps": _variant(client, TwoSteps),
            "five steps": _variant(client, FiveSteps),
        }
        await in_turns(results, "steps", calls, rounds, seconds)


async def in_turns(results: Results, benchmark: str, calls: dict[str, Call], rounds: int, seconds: float) -> None:
    """Warm up all calls, then measure each in turn, by one caller and by many."""
    for call in calls.values():
        await loop([call] * 4, 2)
    for _ in range(rounds):
        for clients in CLIENTS:
            for name, call in calls.items():
                measured = await loop([call] * clients, seconds)
                results.add(f"{benchmark}, {clients} at once", name, measured.rate, "rate", "/s")
                results.add(f"{benchmark}, {clients} at once", name, measured.percentile(0.5), "p50", "ms")


def _input() -> ScheduledActivityInput:
    request = ScheduledActivityCreate.model_validate(body()).as_request()
    return ScheduledActivityInput(id=uuid4(), tenant_id=TENANT_ID, request=request)


def _ours(client: Client) -> Call:
    async def create() -> None:
        await start_run(client, _input(), 10)

    return create


def _variant(client: Client, workflow: type[NoSteps | TwoSteps | FiveSteps]) -> Call:
    async def create() -> None:
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            workflow.__name__,
            _input(),
            id=f"steps-{uuid4()}",
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        await client.execute_update_with_start_workflow("create", start_workflow_operation=operation)

    return create


class Decided(Half):
    """The first half of our own step `create`: its reads and decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="decide")
    async def decide(self, scheduled: ScheduledActivityInput) -> Record:
        """Return the record to write."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.read_creation_facts(connection, scheduled)
        return decide(known.reason, known.target, known.attributes).as_record(scheduled)


async def main() -> None:
    """Work until killed."""
    database = open_database(DatabaseSettings().database_url.get_secret_value())
    scheduled_activities, resolution = ScheduledActivities(database), Resolution(database)
    async with Worker(
        await connect(EncryptionSettings().key_ring),
        task_queue=QUEUE,
        workflows=[NoSteps, TwoSteps, FiveSteps],
        interceptors=[ActForTenants(), DescribeFailures()],
        activities=[
            Decided(database).decide,
            scheduled_activities.resolve_commerce,
            resolution.resolve_reason,
            resolution.resolve_target,
            resolution.resolve_attributes,
            scheduled_activities.record,
        ],
        workflow_runner=Sandbox("bench"),
        **TUNING,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
