"""Test that runs beside activities that have ended are ended, and that every run ended from outside is settled."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WorkflowExecutionStatus,
)
from temporalio.testing import ActivityEnvironment

from activities_impl.reconciliation import Reconciliation
from api.activities.schemas import ScheduledActivityCreate
from db import changes
from db.marks import mark_due_statement
from db.models import ScheduledActivity
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import TASK_QUEUE, workflow_id
from runs.lead import Lead
from runs.schedule import LISTED_PAGES
from runs.start import resume_run
from tests.support.activities import created, trail, unresolved
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import insert_rows
from tests.support.reconciliation import reconciled, round_of, run_of, until_asleep
from tests.support.service import Service, running_service, temporal_client
from tests.support.worlds import idle_service, new_database, new_namespace, work
from workflows.findings import Compared, Finding, Listing, Page, Part, Reconcile
from workflows.messages import Apply, Cancel, ExecuteNow, MarkDue, Reschedule, ScheduledActivityInput, Standing
from workflows.reconciliation import ReconciliationWorkflow
from workflows.words import ActivityStatus

MANY = 33
TERMINATIONS = int(os.environ.get("TERMINATIONS", "60"))
PAGES_OF_3000 = 6
READY_ROWS = text(
    "UPDATE scheduled_activities SET status = 'READY', due_at = NULL, marked_at = NULL, lateness_ms = NULL"
    " WHERE tenant_id = :tenant RETURNING id, idempotency_key, version, scheduled_at"
)
LIMIT = 20


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """Run a service with its own database and namespace, so that rounds see only its rows."""
    async with running_service(new_database(postgres), await new_namespace(temporal)) as service:
        yield service


async def apply_unheard(
    service: Service, tenant: Tenant, activity: dict[str, Any], change: Cancel | ExecuteNow | Reschedule
) -> None:
    """Write a change that the run never learns of, as if the completion of its workflow task was lost."""
    unheard = Apply(tenant_id=tenant.id, id=activity["id"], key="unheard", actor="tester", change=change)
    async with service.database.transactions.begin() as connection:
        await changes.apply_change(connection, unheard)


@pytest.mark.parametrize(("change", "status"), [(Cancel(), "CANCELED"), (ExecuteNow(), "DUE")], ids=["cancel", "due"])
async def test_a_run_that_missed_the_end_of_its_activity_ends_in_the_next_round(
    own: Service, change: Cancel | ExecuteNow, status: str
) -> None:
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity, other = await created(http), await created(http)
        await until_asleep(own.temporal, 2)
        await apply_unheard(own, tenant, activity, change)
        before = await trail(http, activity["id"])
        found = await reconciled(own.temporal, size=1)
        assert found.examples == {Finding.ENDED: (activity["id"],), Finding.STUCK: ()}
        assert await run_of(own, tenant, activity).result() == status
        assert await trail(http, activity["id"]) == before
        assert (await run_of(own, tenant, other).describe()).status is WorkflowExecutionStatus.RUNNING
        assert Finding.ENDED not in (await reconciled(own.temporal)).counts


async def test_a_run_that_missed_a_move_and_marked_at_the_new_time_ends_in_the_next_round(own: Service) -> None:
    """Its history has the timer of the first time alone: both were written in workflow tasks that Temporal lost."""
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity = await created(http)
        await until_asleep(own.temporal, 1)
        await apply_unheard(own, tenant, activity, Reschedule(scheduled_at=datetime.now(UTC)))
        mark = MarkDue(tenant_id=tenant.id, id=activity["id"], version=2)
        async with own.database.autocommit.connect() as connection:
            await connection.execute(*mark_due_statement(mark))
        assert (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "DUE"
        found = await reconciled(own.temporal, size=1)
        assert found.examples == {Finding.ENDED: (activity["id"],), Finding.STUCK: ()}
        assert await run_of(own, tenant, activity).result() == "DUE"


async def test_a_run_that_had_a_task_when_it_was_compared_is_ended_by_a_later_round(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                activity = await created(http, scheduled_at=from_now(days=9))
            await apply_unheard(service, tenant, activity, ExecuteNow())
            run = run_of(service, tenant, activity)
            await run.signal("nothing")  # its task waits for a worker
            steps = Reconciliation(service.temporal, service.roles.worker, service.roles.across_tenants, Lead(0))
            passed_over: Compared = await ActivityEnvironment().run(steps.end_runs, Page(grace_seconds=0))
            assert (passed_over.counts, passed_over.after is not None) == ({}, True)
            async with work(service):
                async with asyncio.timeout(60):
                    while (await run.describe()).raw_description.HasField("pending_workflow_task"):
                        await asyncio.sleep(0.1)
                assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING
                async with asyncio.timeout(60):
                    lists = Reconcile(parts=(Part.LISTS,))
                    while not (found := await round_of(service.temporal, lists)).counts.get(Finding.ENDED):
                        await asyncio.sleep(0.2)
                assert found.examples[Finding.ENDED] == (activity["id"],)
                assert await run.result() == "DUE"


async def test_an_unresolved_run_whose_activity_ended_long_ago_is_found_by_temporals_list(own: Service) -> None:
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity = await unresolved(own, http, tenant)
        await apply_unheard(own, tenant, activity, Cancel())
        async with own.database.transactions.begin() as connection:
            long_ago = "UPDATE scheduled_activities SET updated_at = now() - interval '9 days' WHERE id = :id"
            await connection.execute(text(long_ago), {"id": UUID(activity["id"])})
        found = Compared()
        async with asyncio.timeout(60):
            while not found.counts.get(Finding.ENDED):
                found = await reconciled(own.temporal)
        assert found.examples[Finding.ENDED] == (activity["id"],)
        assert await run_of(own, tenant, activity).result() == "CANCELED"


async def test_a_run_that_takes_no_more_updates_is_terminated_beside_its_ended_activity(postgres: Postgres) -> None:
    limits = {
        "history.maxTotalUpdates": str(LIMIT),
        "history.maxTotalUpdates.suggestContinueAsNewThreshold": "1000",
    }
    with running_temporal(dynamic_config=DYNAMIC_CONFIG | limits) as server:
        async with running_service(new_database(postgres), await temporal_client(server.address)) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity = await created(http)
                url = f"/api/activities/{activity['id']}"
                for score in range(LIMIT - 1):
                    assert (await http.patch(url, json={"score": score})).status_code == 200
                assert (await http.post(f"{url}/cancel", json={"reason": "x"})).status_code == 200
                found = await reconciled(service.temporal)
                assert found.examples[Finding.ENDED] == (activity["id"],)
                run = await run_of(service, tenant, activity).describe()
                assert run.status is WorkflowExecutionStatus.TERMINATED
                assert Finding.TERMINATED not in (await reconciled(service.temporal)).counts
                assert (await http.get(url)).json()["status"] == "CANCELED"


async def test_any_number_of_runs_terminated_while_the_workers_are_away_are_settled_over_the_next_rounds(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant, client = await service.tenant(), service.temporal
        async with service.client(tenant.id) as http:
            async with work(service):
                activities = []
                for _ in range(MANY // 11):
                    activities += await asyncio.gather(*(created(http) for _ in range(11)))
            await asyncio.gather(*(run_of(service, tenant, one).terminate("by mistake") for one in activities))
            async with asyncio.timeout(60):
                while (await client.count_workflows("ExecutionStatus = 'Terminated'")).count < MANY:
                    await asyncio.sleep(0.1)
            rounds = Reconcile(listing=Listing(size=6), listed_pages=2, pages=1, parts=(Part.LISTS,))
            action = ScheduleActionStartWorkflow(ReconciliationWorkflow.run, rounds, id="rounds", task_queue=TASK_QUEUE)
            spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
            await client.create_schedule("rounds", Schedule(action=action, spec=spec))
            async with work(service):
                async with asyncio.timeout(120):
                    while await count_failed(service) < MANY:
                        await asyncio.sleep(0.2)
                results = await first_results(client, 4)
    settled, failed = (
        [result.counts.get(finding, 0) for result in results] for finding in (Finding.TERMINATED, Finding.FAILED)
    )
    # On a busy machine a row may fail in a round, which says so; a later one tries it again.
    assert [sum(one) for one in zip(settled, failed, strict=True)][:3] == [12, 12, 9]
    assert settled[3] <= sum(failed)
    walks = [result.listings["settle_ended"] for result in results]
    assert [walk.token is None for walk in walks] == [False, False, True, False]
    assert walks[0].since is None
    assert walks[2].since is not None


async def test_all_that_were_terminated_while_the_workers_are_away_are_failed_in_the_first_round(
    postgres: Postgres, temporal: Client
) -> None:
    """A scheduled round reads ten pages; 3,000 need six of them, and so do fewer with smaller pages."""
    listing = Listing(size=TERMINATIONS // PAGES_OF_3000)
    assert Listing().size * PAGES_OF_3000 == 3000 <= Listing().size * LISTED_PAGES
    async with idle_service(postgres, temporal) as service:
        tenant, client = await service.tenant(), service.temporal
        await terminated_activities(service, tenant, TERMINATIONS)
        async with asyncio.timeout(600):
            while (await client.count_workflows("ExecutionStatus = 'Terminated'")).count < TERMINATIONS:
                await asyncio.sleep(0.1)
            async with work(service):
                wanted = Reconcile(parts=(Part.LISTS,), listing=listing, listed_pages=LISTED_PAGES)
                found = (await round_of(client, wanted)).counts
                while await count_failed(service) < TERMINATIONS:
                    await round_of(client, wanted)
        # On a busy machine a row may fail in a round, which says so; the next one tries it again.
        assert found[Finding.TERMINATED] + found.get(Finding.FAILED, 0) == TERMINATIONS


async def terminated_activities(service: Service, tenant: Tenant, number: int) -> None:
    """Write so many activities whose runs no worker has seen, and terminate the runs."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, number, age=-3600.0)
        rows = (await connection.execute(READY_ROWS, {"tenant": tenant.id})).all()
    at_once = asyncio.Semaphore(20)

    async def terminate(row: Any) -> None:
        request = ScheduledActivityCreate.model_validate(contract_example(idempotency_key=row.idempotency_key))
        started_with = ScheduledActivityInput(
            id=row.id, tenant_id=tenant.id, request=request.as_request(), lead_seconds=0
        )
        standing = Standing(status=ActivityStatus.READY, version=row.version, scheduled_at=row.scheduled_at)
        async with at_once:
            await resume_run(service.temporal, started_with, standing)
            run = service.temporal.get_workflow_handle(workflow_id(tenant.id, row.idempotency_key))
            await run.terminate("by mistake")

    await asyncio.gather(*(terminate(row) for row in rows))


async def count_failed(service: Service) -> int:
    """Count the activities that are FAILED."""
    async with service.database.autocommit.connect() as connection:
        failed = select(func.count()).where(ScheduledActivity.status == "FAILED")
        return int((await connection.execute(failed)).scalar_one())


async def first_results(client: Client, number: int) -> list[Compared]:
    """Return the results of the first completed rounds, the earliest first."""
    query = "WorkflowType = 'ReconciliationWorkflow' AND ExecutionStatus = 'Completed'"
    async with asyncio.timeout(60):
        while (await client.count_workflows(query)).count < number:
            await asyncio.sleep(0.2)
    runs = sorted([run async for run in client.list_workflows(query)], key=lambda run: run.start_time)[:number]
    return [await client.get_workflow_handle(run.id, run_id=run.run_id, result_type=Compared).result() for run in runs]
