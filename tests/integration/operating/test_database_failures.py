"""Test failures of PostgreSQL, its schema and its data: only those of the data end anything."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from temporalio.client import Client

from db.engine import open_database
from db.tenant import acting_for
from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.activities import created
from tests.support.builders import contract_example, from_now
from tests.support.locks import row_locked
from tests.support.service import Service, http_client, until, until_listed
from tests.support.worlds import idle_service, work

URL = "/api/activities"
REASONS = "/api/activity-config/reasons"
HASTY: dict[str, Any] = {"answer_deadline_seconds": 1.0}


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """The service with a worker, in a world that the test breaks; the API answers after one second."""
    async with idle_service(postgres, temporal, **HASTY) as service, work(service):
        yield service


@pytest.fixture
async def caller(own: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Call that service as a new tenant."""
    async with own.client((await own.tenant()).id) as client:
        yield client


@pytest.fixture
async def patient(own: Service, caller: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """Call as that tenant an API that waits longer for an answer."""
    async with (
        own.beside() as api,
        http_client(api.url, caller.headers) as client,
    ):
        yield client


def alter(postgres: Postgres, service: Service, statement: str) -> None:
    """Execute a statement in the service's database, also while that is read-only."""
    with postgres.connect(str(service.database.url.database)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(statement.encode())


def fail_over(postgres: Postgres, service: Service) -> None:
    """Make the server read-only for new connections, and break those that exist."""
    alter(postgres, service, f'ALTER DATABASE "{service.database.url.database}" SET default_transaction_read_only = on')
    alter(
        postgres,
        service,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def end_failover(postgres: Postgres, service: Service) -> None:
    """Let new connections write again; those that exist stay read-only."""
    alter(postgres, service, f'ALTER DATABASE "{service.database.url.database}" RESET default_transaction_read_only')


FAULTS = {
    "failover": ("25006", fail_over, end_failover),
    "schema": (
        "42P01",
        lambda postgres, service: alter(postgres, service, "ALTER TABLE reasons RENAME TO hidden"),
        lambda postgres, service: alter(postgres, service, "ALTER TABLE hidden RENAME TO reasons"),
    ),
}
"""Faults by name: the SQLSTATE, how each begins, and how it ends."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_accepted_creation_outlasts_what_is_not_the_fault_of_its_data(
    postgres: Postgres, own: Service, caller: httpx.AsyncClient, fault: str
) -> None:
    body = contract_example(scheduled_at=from_now(hours=1))
    state, begin, end = FAULTS[fault]
    begin(postgres, own)
    accepted = await caller.post(URL, json=body)
    assert (accepted.status_code, accepted.json()["status"]) == (202, "RESOLVING"), accepted.text
    run = own.temporal.get_workflow_handle(workflow_id(UUID(caller.headers["x-tenant-id"]), body["idempotency_key"]))
    async with asyncio.timeout(60):
        while state not in str((await run.describe()).raw_description.pending_activities):
            await asyncio.sleep(0.1)
    end(postgres, own)
    assert (await until(caller, accepted.headers["Location"], "READY"))["id"] == accepted.json()["id"]


async def test_a_creation_that_postgresql_refuses_later_shows_the_problem_and_frees_its_key(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        alter(postgres, service, "ALTER TABLE scheduled_activities ADD CONSTRAINT planted CHECK (score <> 666)")
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example(score=666, scheduled_at=from_now(hours=1))
            accepted = await http.post(URL, json=body)
            assert accepted.status_code == 202
            await until_listed(http, accepted.headers["Location"])
            async with work(service), service.beside() as patient, patient.client(tenant.id) as again:
                async with asyncio.timeout(60):
                    while (seen := await http.get(accepted.headers["Location"])).status_code == 200:
                        await asyncio.sleep(0.05)
                repeated = await again.post(URL, json=body)
                told = [(one.status_code, one.json()["code"], one.json()["detail"]) for one in (seen, repeated)]
                assert told[0] == told[1]
                assert (told[0][:2], "can be used again" in told[0][2]) == ((500, "internal_error"), True)
                assert (await again.post(URL, json=body | {"score": 1})).status_code == 201


@pytest.mark.parametrize("statement", ["read", "write"])
async def test_a_server_that_has_become_read_only_is_503_and_its_connections_are_replaced(
    postgres: Postgres, own: Service, caller: httpx.AsyncClient, statement: str
) -> None:
    fail_over(postgres, own)
    body = {"code": "visit", "label": "Visit"}
    async with asyncio.timeout(60):
        while (await caller.get(REASONS)).status_code != 200:  # the connections that were broken
            await asyncio.sleep(0.05)
    for _ in range(3):
        refused = await caller.post(REASONS, json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    end_failover(postgres, own)
    await caller.post(REASONS, json=body | {"code": "meets the old connection"})
    if statement == "read":
        assert (await caller.get(REASONS)).status_code == 200
    else:
        assert (await caller.post(REASONS, json=body)).status_code == 201


async def test_the_url_may_demand_a_server_that_can_be_written(postgres: Postgres, own: Service) -> None:
    fail_over(postgres, own)
    url = own.database.url.render_as_string(hide_password=False)
    database = open_database(f"{url}&target_session_attrs=read-write")
    try:
        with pytest.raises(OperationalError, match="read-only"):
            await database.autocommit.connect()
        end_failover(postgres, own)
        async with database.autocommit.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.dispose()


async def test_a_migration_under_prepared_statements_fails_no_reading(
    postgres: Postgres, own: Service, caller: httpx.AsyncClient
) -> None:
    for _ in range(10):  # psycopg prepares a statement that it has executed five times
        assert (await caller.get(REASONS)).status_code == 200
    alter(postgres, own, "ALTER TABLE reasons ALTER COLUMN label TYPE varchar(1000)")
    answers = [(await caller.get(REASONS)).status_code for _ in range(10)]
    assert answers == [200] * 10


@pytest.mark.parametrize("engine", ["autocommit", "transactions"])
async def test_a_statement_whose_preparation_has_failed_can_be_executed_afterwards(
    postgres: Postgres, own: Service, engine: str
) -> None:
    reading = text("SELECT count(*) FROM reasons")
    with acting_for(uuid4()):
        async with getattr(own.roles.api, engine).connect() as connection:
            for _ in range(5):  # the next one prepares it
                await connection.execute(reading)
                await connection.commit()
            alter(postgres, own, "ALTER TABLE reasons RENAME TO renamed")
            with pytest.raises(ProgrammingError, match="reasons"):
                await connection.execute(reading)
            await connection.rollback()
            alter(postgres, own, "ALTER TABLE renamed RENAME TO reasons")
            assert [(await connection.execute(reading)).scalar_one() for _ in range(3)] == [0, 0, 0]


async def test_a_change_that_postgresql_refuses_ends_alone_as_an_event(
    postgres: Postgres, own: Service, caller: httpx.AsyncClient, patient: httpx.AsyncClient
) -> None:
    activity = await created(patient)
    url = f"{URL}/{activity['id']}"
    alter(postgres, own, "ALTER TABLE scheduled_activities ADD CONSTRAINT planted CHECK (why <> 'María')")
    run = own.temporal.get_workflow_handle(workflow_id(UUID(caller.headers["x-tenant-id"]), activity["idempotencyKey"]))
    async with row_locked(own, activity):
        first = asyncio.create_task(patient.post(f"{url}/cancel", json={"reason": "María"}))
        async with asyncio.timeout(60):
            while not (await run.describe()).raw_description.pending_activities:
                await asyncio.sleep(0.1)
        async with own.beside(answer_deadline_seconds=5.0) as api:
            second = await caller.patch(f"{api.url}{url}", json={"score": 3})
        assert second.status_code == 202, second.text
    refused = await first
    assert refused.status_code in {202, 500}
    async with asyncio.timeout(60):
        while len(events := (await caller.get(f"{url}/status-events")).json()["data"]) < 3:
            await asyncio.sleep(0.1)
    assert [event["eventType"] for event in events] == ["CREATED", "CHANGE_WITHDRAWN", "RESCHEDULED"]
    assert (events[1]["errorCode"], "23514" in events[1]["errorMessage"]) == ("internal_error", True)
    assert "María" not in str(events)


async def test_a_change_that_needs_what_can_not_be_decoded_ends_alone_as_an_event(
    postgres: Postgres, own: Service, patient: httpx.AsyncClient
) -> None:
    config = {"priority": 0, "resolution_strategy": "ON_DISPATCH", "criteria": []}
    answer = await patient.post("/api/activity-config/target-resolution", json=config)
    assert answer.status_code == 201, answer.text
    activity = await created(patient)
    url = f"{URL}/{activity['id']}"
    alter(postgres, own, """UPDATE target_configs SET criteria = '[{"type": "NONSENSE"}]'""")
    failed = await patient.post(f"{url}/execute-now")
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error"), failed.text
    assert (await patient.post(f"{url}/cancel", json={"reason": "x"})).status_code == 200
    events = (await patient.get(f"{url}/status-events")).json()["data"]
    assert [event["eventType"] for event in events] == ["CREATED", "CHANGE_WITHDRAWN", "CANCELED"]
