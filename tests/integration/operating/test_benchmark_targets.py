"""Test the benchmarks against a stack that runs already: they measure it, and leave nothing behind."""

import asyncio
import os
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
from sqlalchemy import func, select
from temporalio.client import Client

from api.http.auth import Permission
from bench.floor_workflow import QUEUE
from db.models import Table
from db.roles import SYSTEM
from embedded.postgres import Postgres
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.programs import run_program
from tests.support.service import KEY, Service


async def measure(service: Service, postgres: Postgres, tenant_id: UUID, *words: str) -> tuple[int, str]:
    """Run a benchmark against the service, in this tenant; returns its exit code and output."""
    variables = {
        "API_URL": service.url,
        "SYSTEM_DATABASE_URL": postgres.url("service", SYSTEM),
        "TEMPORAL_ADDRESS": service.temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": service.temporal.namespace,
        "TENANT_ID": str(tenant_id),
        "STAGING_TOKEN": KEY.token("bench", {tenant_id: tuple(Permission)}, timedelta(hours=1)),
    }
    command = ("bench/__main__.py", *words, "--rounds", "1", "--token", "STAGING_TOKEN")
    ended = await asyncio.to_thread(run_program, *command, environment=os.environ | variables)
    return ended.returncode, ended.stdout + ended.stderr


async def rows(service: Service, tenant_id: UUID) -> dict[str, int]:
    """Return the number of the tenant's rows by table, without the tables that have none."""
    async with service.database.autocommit.connect() as connection:
        counted = {
            table.name: (
                await connection.execute(select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id))
            ).scalar_one()
            for table in Table.metadata.sorted_tables
        }
    return {name: number for name, number in counted.items() if number}


async def runs(temporal: Client, query: str) -> list[str]:
    return [run.id async for run in temporal.list_workflows(query)]


async def test_a_benchmark_measures_a_running_stack_beside_the_floor_and_leaves_nothing(
    service: Service, postgres: Postgres, temporal: Client
) -> None:
    tenant_id = uuid4()
    code, output = await measure(service, postgres, tenant_id, "cost")
    assert code == 0, output
    assert "| floor | history events | 7  |" in output
    assert "| ours | history events | 8  |" in output
    assert "| ours | history events | 14  |" in output
    assert "| ours | growth of database service |" in output
    assert (await rows(service, tenant_id)).keys() <= {"audit_entries"}  # they are never deleted
    assert await runs(temporal, f"TenantId = '{tenant_id}'") == []
    assert await runs(temporal, f"TaskQueue = '{QUEUE}'") == []


async def test_a_benchmark_touches_no_tenant_that_has_rows_of_its_own(
    service: Service, postgres: Postgres, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    created = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(days=1)))
    assert created.status_code == 201
    before = await rows(service, tenant.id)
    code, output = await measure(service, postgres, tenant.id, "cost")
    assert code == 1
    assert f"tenant {tenant.id} has rows of its own" in output
    assert await rows(service, tenant.id) == before
    assert len(await runs(service.temporal, f"TenantId = '{tenant.id}'")) == 1


def test_a_benchmark_names_what_the_environment_lacks() -> None:
    environment = {"API_URL": "http://127.0.0.1:1", "PATH": os.environ["PATH"]}
    ended = run_program("bench/__main__.py", "create", environment=environment)
    assert ended.returncode == 1
    assert "set SYSTEM_DATABASE_URL, TEMPORAL_ADDRESS, TENANT_ID, TOKEN as well" in ended.stderr
