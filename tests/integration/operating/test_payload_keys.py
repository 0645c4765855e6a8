"""Test that rows name the keys of their runs, and what a process and an operator learn of them."""

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, ScheduleActionStartWorkflow

from db.models import ScheduledActivity
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import workflow_id
from runs.key_ring import KeyRing
from runs.payloads import read_key_id
from runs.schedule import SCHEDULE_ID, ensure_schedule
from tests.integration.operating.test_runbook import commands
from tests.support.activities import created, marked_ahead, reset
from tests.support.builders import Tenant, from_now
from tests.support.deployed import deployed
from tests.support.encryption import BOTH_KEYS, BOTH_RING, NEW_KEY, OLD_KEY, OLD_RING, with_keys
from tests.support.operate import operate, operators_variables
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.shells import run_in_shell
from tests.support.worlds import new_database, new_namespace
from workflows.findings import Part

PATH = "/api/activities"


async def read_key(service: Service, activity: dict[str, Any]) -> str | None:
    """Return the key that the activity's row names."""
    found = select(ScheduledActivity.payload_key_id).where(ScheduledActivity.id == activity["id"])
    async with service.database.autocommit.connect() as connection:
        return (await connection.execute(found)).scalar_one()


@pytest.mark.parametrize("keys", [None, OLD_RING, BOTH_RING], ids=["no keys", "one key", "two keys"])
async def test_a_row_names_the_key_that_its_run_began_with(
    postgres: Postgres, temporal: Client, keys: KeyRing | None
) -> None:
    namespace = await with_keys(await new_namespace(temporal), keys)
    async with (
        running_service(new_database(postgres), namespace) as service,
        service.client((await service.tenant()).id) as http,
    ):
        assert await read_key(service, await created(http)) == (keys.first if keys else None)


async def test_the_key_of_a_row_is_that_of_its_newest_run(postgres: Postgres, temporal: Client) -> None:
    """A reset run begins with the input of the run before; a move after the mark starts a run of its own."""
    namespace = await new_namespace(temporal)
    url = new_database(postgres)
    async with running_service(url, await with_keys(namespace, OLD_RING)) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            activity = await created(http)
        ahead = await marked_ahead(service, tenant)
    async with running_service(url, await with_keys(namespace, BOTH_RING)) as service:
        run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
        reset_run = await reset(service, run, 4)
        async with service.client(tenant.id) as http:
            moved = await http.patch(f"{PATH}/{ahead['id']}", json={"scheduled_at": from_now(hours=2)})
            assert moved.status_code == 200, moved.text
            async with asyncio.timeout(60):
                while (await http.get(f"{PATH}/{activity['id']}")).json()["workflow"]["runId"] != reset_run:
                    await asyncio.sleep(0.1)
                while await read_key(service, ahead) == "old1":
                    await asyncio.sleep(0.1)
        assert await read_key(service, activity) == "old1"
        assert await read_key(service, ahead) == "new2"


async def test_a_run_that_continues_another_is_encrypted_with_the_first_key_of_then(postgres: Postgres) -> None:
    config = DYNAMIC_CONFIG | {"limit.historyCount.suggestContinueAsNew": "20"}
    url = new_database(postgres)
    with running_temporal(dynamic_config=config) as server:
        async with running_service(url, await temporal_client(server.address, keys=OLD_RING)) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity = await created(http)
        async with running_service(url, await temporal_client(server.address, keys=BOTH_RING)) as service:
            async with service.client(tenant.id) as http, asyncio.timeout(60):
                score = 0
                while await read_key(service, activity) == "old1":
                    await http.patch(f"{PATH}/{activity['id']}", json={"score": (score := score + 1)})
            assert await read_key(service, activity) == "new2"


async def test_a_process_without_a_key_that_an_open_row_needs_ends_and_names_it(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    namespace, url = await new_namespace(temporal), new_database(postgres)
    async with running_service(url, await with_keys(namespace, OLD_RING)) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            await created(http)
            done = await created(http, scheduled_at="2025-01-16T09:00:00.000Z")
            await until(http, f"{PATH}/{done['id']}", "DUE")
    for name in ("worker", "api"):
        for keys in ("", NEW_KEY):
            with deployed(name, url, namespace, tmp_path, PAYLOAD_ENCRYPTION_KEYS=keys) as running:
                assert await asyncio.to_thread(running.process.wait, 120) == 1
                assert (
                    "PAYLOAD_ENCRYPTION_KEYS lacks keys that runs were begun with: old1 (1 open activities)."
                    in running.log()
                )
                assert "Traceback" not in running.log()
    refused = operate(namespace, url, "rebuild", PAYLOAD_ENCRYPTION_KEYS=NEW_KEY)
    assert refused.returncode == 1
    assert "lacks keys that runs were begun with: old1" in refused.stderr
    with deployed("api", url, namespace, tmp_path, PAYLOAD_ENCRYPTION_KEYS=BOTH_KEYS) as api:
        assert await api.until_readiness(200) == []


async def test_keys_that_can_not_be_read_end_a_process_without_showing_them(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    url = new_database(postgres)
    with deployed("worker", url, temporal, tmp_path, PAYLOAD_ENCRYPTION_KEYS=f"{NEW_KEY},{OLD_KEY}x") as running:
        assert await asyncio.to_thread(running.process.wait, 120) == 1
        assert "entry 2 must be an id of" in running.log()
        assert OLD_KEY.split(":")[1] not in running.log()


async def test_operators_see_which_key_may_go(postgres: Postgres, temporal: Client) -> None:
    """A run that began with the new key, and has been changed by an API that still encrypted with the old one."""
    namespace, url = await new_namespace(temporal), new_database(postgres)
    old = await with_keys(namespace, KeyRing.parse(f"{OLD_KEY},{NEW_KEY}"))
    new = await with_keys(namespace, BOTH_RING)
    async with running_service(url, new) as service, running_service(url, old, work=False) as behind:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http, behind.client(tenant.id) as http_behind:
            unused = operate(new, url, "keys", PAYLOAD_ENCRYPTION_KEYS=BOTH_KEYS)
            assert "old1: 0 open activities began with it, 0 runs and schedules need it: may go" in unused.stdout
            activity = await created(http)
            moved = await http_behind.patch(f"{PATH}/{activity['id']}", json={"score": 5})
            assert moved.status_code == 200, moved.text
            await listed(new)
            used = operate(new, url, "keys", PAYLOAD_ENCRYPTION_KEYS=BOTH_KEYS)
            assert used.returncode == 0
            assert "new2: 1 open activities began with it, 1 runs and schedules need it: encrypts" in used.stdout
            assert "old1: 0 open activities began with it, 1 runs and schedules need it: must stay" in used.stdout
            missing = operate(new, url, "keys", PAYLOAD_ENCRYPTION_KEYS=OLD_KEY)
            assert missing.returncode == 1
            assert "new2: 1 open activities began with it" in missing.stdout
            assert "MISSING in PAYLOAD_ENCRYPTION_KEYS" in missing.stdout


async def run_block(block: str, temporal: Client, database_url: str, keys: str) -> str:
    """Run a block of the runbook as an operator does, and return its output."""
    variables = operators_variables(temporal, database_url)
    return await run_in_shell(block, {**variables, "PAYLOAD_ENCRYPTION_KEYS": keys})


@asynccontextmanager
async def restarted(temporal: Client, database_url: str, tenant: Tenant | None, keys: str) -> AsyncIterator[Any]:
    """Run every process with these keys, as after a restart; yield the service and a caller."""
    client = await with_keys(temporal, KeyRing.parse(keys))
    async with running_service(database_url, client) as service:
        own = tenant or await service.tenant()
        async with service.client(own.id) as http:
            yield own, http


async def test_a_key_is_rotated_as_the_runbook_says(postgres: Postgres, temporal: Client, tmp_path: Path) -> None:
    make_key, list_keys = (block for title, block in commands() if title == "Keys of Temporal's payloads")
    namespace, url = await new_namespace(temporal), new_database(postgres)
    async with restarted(namespace, url, None, OLD_KEY) as (tenant, http):
        sleeping = await created(http)
    new_key = (await run_block(make_key, namespace, url, OLD_KEY)).strip()
    new_id = new_key.split(":")[0]
    async with restarted(namespace, url, tenant, f"{OLD_KEY},{new_key}") as (_, http):
        assert (await http.patch(f"{PATH}/{sleeping['id']}", json={"score": 1})).status_code == 200
    both = f"{new_key},{OLD_KEY}"
    async with restarted(namespace, url, tenant, both) as (_, http):
        assert (await http.patch(f"{PATH}/{sleeping['id']}", json={"score": 2})).status_code == 200
        kept = await created(http)
        said = await run_block(list_keys, namespace, url, both)
        assert "old1: 1 open activities began with it" in said
        assert "must stay" in said
        (await http.post(f"{PATH}/{sleeping['id']}/cancel", json={"reason": "x"})).raise_for_status()
        async with asyncio.timeout(60):
            while "may go" not in (said := await run_block(list_keys, namespace, url, both)):
                await asyncio.sleep(1)
        assert f"{new_id}: 1 open activities began with it, 1 runs and schedules need it: encrypts" in said
    with deployed("api", url, namespace, tmp_path, PAYLOAD_ENCRYPTION_KEYS=new_key) as api:
        assert await api.until_readiness(200) == []
    async with restarted(namespace, url, tenant, new_key) as (_, http):
        assert (await http.patch(f"{PATH}/{kept['id']}", json={"score": 3})).status_code == 200
        assert (await http.get(f"{PATH}/{sleeping['id']}")).json()["status"] == "CANCELED"
        assert (await created(http))["status"] == "READY"


async def test_the_schedule_of_reconciliation_takes_over_a_new_key(temporal: Client) -> None:
    namespace = await new_namespace(temporal)
    handle = namespace.get_schedule_handle(SCHEDULE_ID)

    async def read_written() -> tuple[set[str | None], int]:
        described = await handle.describe()
        assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
        keys = {read_key_id(argument) for argument in described.schedule.action.args}
        return keys, int.from_bytes(described.raw_description.conflict_token)

    for ring, written in ((OLD_RING, ({"old1"}, 1)), (BOTH_RING, ({"new2"}, 2))):
        client = await with_keys(namespace, ring)
        for _ in range(2):  # the second one changes nothing
            await ensure_schedule(client, Part.ROWS, timedelta(hours=1))
            async with asyncio.timeout(60):
                while await read_written() != written:  # Temporal answers before it is done
                    await asyncio.sleep(0.05)


async def test_runs_whose_key_is_lost_are_started_again_from_their_rows(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    """Another key under the lost one's id lets the processes start; reconciliation replaces the deleted run."""
    namespace, url = await new_namespace(temporal), new_database(postgres)
    async with restarted(namespace, url, None, OLD_KEY) as (tenant, http):
        activity = await created(http)
    keys = f"{NEW_KEY},old1:{b64encode(os.urandom(32)).decode()}"
    with deployed("api", url, namespace, tmp_path, PAYLOAD_ENCRYPTION_KEYS=keys) as api:
        assert await api.until_readiness(200) == []
    async with restarted(namespace, url, tenant, keys) as (_, http):
        run = namespace.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
        await namespace.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace=namespace.namespace, workflow_execution=WorkflowExecution(workflow_id=run.id)
            )
        )
        async with asyncio.timeout(60):
            while True:
                await asyncio.sleep(0.5)
                reconcile = partial(operate, namespace, url, "reconcile", "--grace", "0", PAYLOAD_ENCRYPTION_KEYS=keys)
                found = await asyncio.to_thread(reconcile)  # the worker is in this thread
                if '"resumed": 1' in found.stdout:
                    break
        assert (await http.patch(f"{PATH}/{activity['id']}", json={"score": 3})).status_code == 200
        said = operate(namespace, url, "keys", PAYLOAD_ENCRYPTION_KEYS=keys).stdout
        assert "new2: 1 open activities began with it" in said


async def listed(temporal: Client) -> None:
    """Wait until Temporal lists the run that was started last."""
    async with asyncio.timeout(60):
        while not (await temporal.count_workflows("ExecutionStatus = 'Running'")).count:
            await asyncio.sleep(0.1)
