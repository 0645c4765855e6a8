"""Test that reconciliation reports the runs whose workflow tasks keep failing, while they do."""

import asyncio

from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities_impl.listed_runs import ListedRuns
from activities_impl.tenants import ActForTenants
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import TASK_QUEUE
from runs.lead import Lead
from runs.sandbox import Sandbox
from tests.support.activities import created
from tests.support.builders import from_now
from tests.support.changed_workflow import Careless
from tests.support.reconciliation import run_of
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import new_database
from worker import steps
from workflows.findings import Compared, Finding

AFTER_TWO_FAILURES = {"system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2"}
"""The server's own number is five, with 5 s between two of them."""
LONG = 600.0


async def find_stuck(service: Service) -> Compared:
    step = ListedRuns(service.temporal, service.roles.worker, service.roles.across_tenants, Lead(0)).find_stuck
    return await ActivityEnvironment().run(step, LONG)


async def until_stuck(service: Service, *activity_ids: str) -> None:
    async with asyncio.timeout(90):
        while (await find_stuck(service)).examples[Finding.STUCK] != activity_ids:
            await asyncio.sleep(0.2)


async def test_a_run_that_the_deployed_code_can_not_replay_is_reported_until_a_version_can(postgres: Postgres) -> None:
    url = new_database(postgres)
    with running_temporal(dynamic_config=DYNAMIC_CONFIG | AFTER_TWO_FAILURES) as server:
        client = await temporal_client(server.address)
        async with running_service(url, client) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity, asleep = await created(http), await created(http)
        async with running_service(url, client, work=False) as service:
            careless = Worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=[Careless],
                activities=steps(client, service.roles.worker, service.roles.across_tenants),
                interceptors=[ActForTenants()],
                workflow_runner=Sandbox(),
            )
            await run_of(service, tenant, activity).signal("nothing")  # the task that fails
            async with careless:
                await until_stuck(service, activity["id"])
        async with running_service(url, client) as service, service.client(tenant.id) as http:
            await until_stuck(service)
            url = f"/api/activities/{activity['id']}"
            assert (await http.patch(url, json={"scheduled_at": from_now(seconds=1)})).status_code == 200
            await until(http, url, "DUE")
            assert (await http.get(f"/api/activities/{asleep['id']}")).json()["status"] == "READY"
