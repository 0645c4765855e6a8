"""Test the worker and the API started while PostgreSQL can't be used: they wait for it, and say why in one line."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import make_url
from temporalio.client import Client

from db.migrations import alembic_config
from db.roles import API, WORKER
from embedded.postgres import Postgres
from tests.support.builders import contract_example, from_now
from tests.support.deployed import Deployed, deployed
from tests.support.prepared_postgres import StoppablePostgres
from tests.support.service import http_client, running_service, until
from tests.support.worlds import new_database, new_namespace

UNREACHABLE = "PostgreSQL can't be reached yet, retrying"
REFUSED = "PostgreSQL refuses the role or the database of DATABASE_URL, retrying"
ORDERLY = {0, -signal.SIGTERM}
"""Exit codes of a process that SIGTERM has ended in order: uvicorn raises the signal once more at its end."""


@contextmanager
def both_deployed(url: str, temporal: Client, folder: Path) -> Iterator[tuple[Deployed, Deployed]]:
    """Run the worker and the API until the block ends."""
    named = {} if make_url(url).username == "postgres" else {"DATABASE_URL": url}
    with (
        deployed("worker", url, temporal, folder, **named) as worker,
        deployed("api", url, temporal, folder, **named) as api,
    ):
        yield worker, api


def lines(running: Deployed, event: str) -> list[dict[str, str]]:
    """Return the log's lines of this event."""
    assert "Traceback" not in running.log()
    found = [json.loads(line) for line in running.log().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


async def test_worker_and_api_wait_for_postgresql_and_a_creation_is_accepted_meanwhile(
    own_postgres: StoppablePostgres, temporal: Client, tmp_path: Path
) -> None:
    namespace = await new_namespace(temporal)
    url = own_postgres.server.url("template")
    async with running_service(url, namespace, work=False) as service:
        tenant = await service.tenant()
        headers = dict(service.client(tenant.id).headers)
    own_postgres.stop()
    with both_deployed(url, namespace, tmp_path) as (worker, api):
        async with asyncio.timeout(120):
            while await api.until_readiness(503) != ["postgresql"]:  # Temporal may not have answered yet
                await asyncio.sleep(0.1)
        await asyncio.to_thread(worker.wait_for_log, UNREACHABLE)
        async with http_client(api.url, headers) as http:
            assert (await http.get("/health/live")).status_code == 200
            refused = await http.get("/api/activities")
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            accepted = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(hours=1)))
            assert (accepted.status_code, accepted.json()["status"]) == (202, "RESOLVING")
            await asyncio.sleep(3)  # enough for further attempts
            for one in (worker, api):
                assert len(lines(one, UNREACHABLE)) == 1
                assert lines(one, UNREACHABLE)[0]["reason"]
            own_postgres.start()
            assert await api.until_readiness(200) == []
            assert (await until(http, accepted.headers["Location"], "READY"))["id"] == accepted.json()["id"]
        assert {await asyncio.to_thread(one.process.end) for one in (worker, api)} <= ORDERLY
        for one in (worker, api):
            assert len(lines(one, "PostgreSQL answers")) == 1


async def test_sigterm_ends_a_process_that_waits(
    own_postgres: StoppablePostgres, temporal: Client, tmp_path: Path
) -> None:
    url = own_postgres.server.url("template")
    own_postgres.stop()
    with both_deployed(url, temporal, tmp_path) as running:
        for one in running:
            await asyncio.to_thread(one.wait_for_log, UNREACHABLE)
            assert await asyncio.to_thread(one.process.end) in ORDERLY
            assert "Traceback" not in one.log()


def hide_database(postgres: Postgres, url: str) -> tuple[str, Callable[[], None]]:
    name = make_url(url).database

    def rename(before: str, after: str) -> None:
        with postgres.connect() as connection:
            connection.execute(f'ALTER DATABASE "{before}" RENAME TO "{after}"'.encode())

    rename(f"{name}", f"hidden-{name}")
    return url, lambda: rename(f"hidden-{name}", f"{name}")


def name_new_role(postgres: Postgres, url: str) -> tuple[str, Callable[[], None]]:
    role = f"role-{make_url(url).database}"

    def create() -> None:
        with postgres.connect() as connection:
            connection.execute(f'CREATE ROLE "{role}" LOGIN IN ROLE {API}, {WORKER}'.encode())

    return url.replace("postgres@", f"{role}@"), create


def allow_no_connection(postgres: Postgres, url: str) -> tuple[str, Callable[[], None]]:
    role = f"role-{make_url(url).database}"

    def execute(statement: str) -> None:
        with postgres.connect(str(make_url(url).database)) as connection:
            connection.execute(statement.encode())

    execute(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 0 IN ROLE {API}')
    return url.replace("postgres@", f"{role}@"), lambda: execute(f'ALTER ROLE "{role}" CONNECTION LIMIT 50')


def grant_nothing(postgres: Postgres, url: str) -> tuple[str, Callable[[], None]]:
    role = f"role-{make_url(url).database}"

    def execute(statement: str) -> None:
        with postgres.connect(str(make_url(url).database)) as connection:
            connection.execute(statement.encode())

    execute(f'CREATE ROLE "{role}" LOGIN')
    return url.replace("postgres@", f"{role}@"), lambda: execute(f'GRANT {API} TO "{role}"')


REFUSALS: dict[str, tuple[Any, str, str]] = {
    "no database": (hide_database, REFUSED, "does not exist"),
    "no role": (name_new_role, REFUSED, "does not exist"),
    "no grant": (grant_nothing, REFUSED, "permission denied"),
    "no connection": (allow_no_connection, UNREACHABLE, "too many connections"),
}
"""The function that refuses, the event of the log, and words of its reason."""


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_is_logged_in_one_line_and_its_end_is_waited_for(
    postgres: Postgres, temporal: Client, tmp_path: Path, refusal: str
) -> None:
    refuse, event, words = REFUSALS[refusal]
    url, end_refusal = refuse(postgres, new_database(postgres))
    with both_deployed(url, await new_namespace(temporal), tmp_path) as (worker, api):
        for one in (worker, api):
            await asyncio.to_thread(one.wait_for_log, event)
        end_refusal()
        assert await api.until_readiness(200) == []
        await asyncio.to_thread(worker.wait_for_log, '"event": "working"')
        for one in (worker, api):
            (line,) = lines(one, event)
            assert words in line["reason"]


async def test_a_url_that_can_never_work_ends_the_process_with_one_line(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    with both_deployed(f"{new_database(postgres)}&nonsense=1", temporal, tmp_path) as running:
        for one in running:
            assert await asyncio.to_thread(one.process.wait, 120) == 1
            (told,) = [line for line in one.log().splitlines() if line.startswith("DATABASE_URL can't be used: ")]
            assert "nonsense" in told
            assert "Traceback" not in one.log()


async def test_a_process_that_waited_refuses_a_stale_schema(
    own_postgres: StoppablePostgres, temporal: Client, tmp_path: Path
) -> None:
    url = own_postgres.server.url("template")
    command.downgrade(alembic_config(url), "base")
    own_postgres.stop()
    with both_deployed(url, temporal, tmp_path) as running:
        for one in running:
            await asyncio.to_thread(one.wait_for_log, UNREACHABLE)
        own_postgres.start()
        for one in running:
            assert await asyncio.to_thread(one.process.wait, 120) == 1
            assert "run `alembic upgrade head`" in one.log()
            assert "Traceback" not in one.log()
