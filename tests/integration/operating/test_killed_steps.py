"""Test that a long step whose worker was killed is taken over by its missing heartbeats, not by its time limit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.client import Client, WorkflowHandle

from embedded.postgres import Postgres
from runs.bulk import start_bulk_operation
from runs.client import TASK_QUEUE
from tests.support.activities import created
from tests.support.deployed import deployed_worker
from tests.support.locks import table_locked, until_blocked
from tests.support.service import Service
from tests.support.worlds import idle_service, work
from workflows.bulk import BulkChange, BulkOperation, BulkVerb, bulk_workflow_id
from workflows.findings import Compared, Page, Reconcile
from workflows.messages import ActivityFilter
from workflows.reconciliation import ReconciliationWorkflow
from workflows.steps import HEARTBEAT_TIMEOUT

LONGEST_SILENT_STEP_SECONDS = 30


@pytest.fixture
async def idle(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """Run a service without a worker."""
    async with idle_service(postgres, temporal) as service:
        yield service


async def silent_steps(run: WorkflowHandle[Any, Any]) -> list[str]:
    """Return the regular steps of a run that may last long and send no heartbeats."""
    scheduled = [
        event.activity_task_scheduled_event_attributes
        async for event in run.fetch_history_events()
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert scheduled
    return [
        step.activity_type.name
        for step in scheduled
        if step.start_to_close_timeout.ToSeconds() > LONGEST_SILENT_STEP_SECONDS
        and step.heartbeat_timeout.ToTimedelta() != HEARTBEAT_TIMEOUT
    ]


async def silenced_attempts(run: WorkflowHandle[Any, Any]) -> list[int]:
    """Return the attempt of each step that was taken over because its heartbeats were missing."""
    started = [
        event.activity_task_started_event_attributes
        async for event in run.fetch_history_events()
        if event.HasField("activity_task_started_event_attributes")
    ]
    return [
        step.attempt
        for step in started
        if step.last_failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    ]


async def test_a_worker_killed_while_it_chooses_the_items_of_a_bulk_operation_is_replaced_by_its_silence(
    idle: Service, postgres: Postgres, tmp_path: Path
) -> None:
    tenant = await idle.tenant()
    async with idle.client(tenant.id) as http:
        async with work(idle):
            activity = await created(http)
        change = BulkChange(verb=BulkVerb.CANCEL, reason="x")
        operation = BulkOperation(id=uuid4(), tenant_id=tenant.id, filter=ActivityFilter(), change=change, actor="x")
        with table_locked(postgres, idle, "bulk_operation_items"), deployed_worker(idle, tmp_path) as worker:
            assert await start_bulk_operation(idle.temporal, operation)
            await until_blocked(postgres, idle)
            worker.process.kill()
        run = idle.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, operation.id))
        async with work(idle):
            assert await run.result() == "COMPLETED"
        assert (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "CANCELED"
    assert (await silenced_attempts(run))[0] == 2
    assert await silent_steps(run) == []


async def test_a_worker_killed_in_a_round_of_reconciliation_is_replaced_by_its_silence(
    idle: Service, postgres: Postgres, tmp_path: Path
) -> None:
    tenant = await idle.tenant()
    async with idle.client(tenant.id) as http, work(idle):
        await created(http)
    with deployed_worker(idle, tmp_path, RECONCILE_EVERY_SECONDS="3600") as worker:
        await asyncio.to_thread(worker.wait_for_log, '"working"')  # its start reads the table that is locked below
        with table_locked(postgres, idle, "scheduled_activities"):
            round_of = await idle.temporal.start_workflow(
                ReconciliationWorkflow.run,
                Reconcile(page=Page(grace_seconds=0)),
                id=f"reconciliation-{uuid4()}",
                task_queue=TASK_QUEUE,
            )
            await until_blocked(postgres, idle)
            worker.process.kill()
    async with work(idle):
        found: Compared = await round_of.result()
    assert found.rows == 1
    assert (await silenced_attempts(round_of))[0] == 2
    assert await silent_steps(round_of) == []
