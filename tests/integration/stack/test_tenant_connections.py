"""Test that connections see the rows of the tenant for which they are taken, and of no other one's turn."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from temporalio.client import Client

from db.across_tenants import AcrossTenants
from db.engine import Database, open_database
from db.models import Reason
from db.roles import API, OWNER, SYSTEM, WORKER
from db.tenant import act_for, acting_for
from embedded.postgres import Postgres
from tests.support.deployed import deployed
from tests.support.every_table import fill_tables
from tests.support.service import url_of
from tests.support.worlds import new_database
from workflows.findings import Page

OURS, THEIRS = uuid4(), uuid4()
TENANTS = select(Reason.tenant_id)
SETTING = select(func.current_setting("app.tenant_id"))


@pytest.fixture(scope="module")
def name(postgres: Postgres) -> str:
    """Create a database in which two tenants have a row in each table."""
    fill_tables(new_database(postgres, "tenant-connections"), (OURS, THEIRS))
    return "tenant-connections"


@pytest.fixture
async def one(postgres: Postgres, name: str) -> AsyncIterator[Database]:
    """A pool with a single connection, so that each task gets the one of the task before."""
    opened = open_database(postgres.url(name, API), 1)
    yield opened
    await opened.dispose()


async def seen(database: Database, *, in_transaction: bool) -> list[UUID]:
    if in_transaction:
        async with database.transactions.begin() as connection:
            return list((await connection.execute(TENANTS)).scalars())
    async with database.autocommit.connect() as connection:
        return list((await connection.execute(TENANTS)).scalars())


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_a_connection_sees_the_rows_of_the_tenant_it_was_taken_for(
    one: Database, *, in_transaction: bool
) -> None:
    for tenant_id in (OURS, THEIRS, None, OURS, uuid4()):
        act_for(tenant_id)
        expected = [tenant_id] if tenant_id in {OURS, THEIRS} else []
        assert await seen(one, in_transaction=in_transaction) == expected
    act_for(None)
    with acting_for(THEIRS):
        assert await seen(one, in_transaction=in_transaction) == [THEIRS]
    assert await seen(one, in_transaction=in_transaction) == []


async def test_nothing_of_a_tenant_stays_on_a_connection_after_its_return(one: Database) -> None:
    """Also after a failed statement, a rollback, and a cancelled task."""
    for fault in ("SELECT 1 / 0", "SELECT * FROM absent"):
        with acting_for(OURS), pytest.raises(DBAPIError):
            async with one.autocommit.connect() as connection:
                await connection.execute(text(fault))
        with acting_for(OURS), pytest.raises(DBAPIError):
            async with one.transactions.begin() as connection:
                await connection.execute(text(fault))
    with acting_for(OURS):
        sleeping = asyncio.create_task(sleep(one))
        await asyncio.sleep(0.2)
        sleeping.cancel()
        await asyncio.wait({sleeping})
    for engine in (one.autocommit, one.transactions):
        async with engine.connect() as connection:
            assert (await connection.execute(SETTING)).scalar_one() == ""
            assert (await connection.execute(TENANTS)).all() == []


async def sleep(database: Database) -> None:
    async with database.autocommit.connect() as connection:
        await connection.execute(text("SELECT pg_sleep(30)"))


async def test_a_connection_keeps_its_tenant_for_all_transactions_of_its_turn(one: Database) -> None:
    """Whatever the task acts for meanwhile."""
    act_for(OURS)
    async with one.transactions.connect() as connection:
        act_for(THEIRS)
        for _ in range(2):
            assert list((await connection.execute(TENANTS)).scalars()) == [OURS]
            await connection.rollback()
    act_for(None)


async def test_many_rows_at_once_are_written_for_the_tenant_alone(one: Database) -> None:
    rows = [{"tenant_id": OURS, "code": f"c{n}", "label": "l"} for n in range(3)]
    with acting_for(OURS):
        async with one.transactions.connect() as connection:
            await connection.execute(insert(Reason), rows)
            assert len((await connection.execute(TENANTS)).all()) == 4
            await connection.rollback()
    with acting_for(THEIRS):
        async with one.transactions.connect() as connection:
            with pytest.raises(DBAPIError, match="row-level security"):
                await connection.execute(insert(Reason), rows)


async def test_tasks_at_once_see_their_own_tenants(postgres: Postgres, name: str) -> None:
    opened = open_database(postgres.url(name, WORKER), 3)

    async def look(tenant_id: UUID) -> None:
        with acting_for(tenant_id):
            for _ in range(20):
                assert await seen(opened, in_transaction=False) == [tenant_id]

    await asyncio.gather(*(look((OURS, THEIRS)[number % 2]) for number in range(8)))
    await opened.dispose()


async def test_work_across_tenants_sees_all_rows(postgres: Postgres, name: str) -> None:
    across_tenants = AcrossTenants(open_database(postgres.url(name, SYSTEM), 1))
    rows = await across_tenants.list_open_rows(Page())
    assert {row.tenant_id for row in rows} == {OURS, THEIRS}
    await across_tenants.dispose()


async def test_the_worker_ends_when_its_role_across_tenants_sees_none(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    url = new_database(postgres)
    with deployed("worker", url, temporal, tmp_path, SYSTEM_DATABASE_URL=url_of(url, WORKER)) as started:
        assert await asyncio.to_thread(started.process.wait, 120) == 1
        assert "SYSTEM_DATABASE_URL names the role scheduler_worker, which doesn't see the rows" in started.log()


@pytest.mark.parametrize("process", ["api", "worker"])
@pytest.mark.parametrize("role", [OWNER, SYSTEM, "postgres"])
async def test_a_process_ends_when_its_role_sees_the_rows_of_all_tenants(
    postgres: Postgres, temporal: Client, tmp_path: Path, process: str, role: str
) -> None:
    url = new_database(postgres)
    too_much = url.replace("postgres@", f"{role}@")
    with deployed(process, url, temporal, tmp_path, DATABASE_URL=too_much) as started:
        assert await asyncio.to_thread(started.process.wait, 120) == 1
        (told,) = [line for line in started.log().splitlines() if "rows of all tenants" in line]
    assert told.startswith(
        f"DATABASE_URL names the role {role}, which sees the rows of all tenants: name scheduler_api"
    )
