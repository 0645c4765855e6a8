"""Test connections that the server closes while they are idle: the next request succeeds, and is sent once."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client

from db.engine import Database, open_database
from db.failures import may_pass
from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.builders import contract_example, from_now
from tests.support.prepared_postgres import StoppablePostgres
from tests.support.tcp import pump, tcp_address
from tests.support.worlds import idle_service, work

REASONS = "/api/activity-config/reasons"
OTHERS = "FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"


async def open_connections(engine: AsyncEngine, number: int) -> None:
    """Let the pool open so many connections and keep them idle."""
    async with AsyncExitStack() as stack:
        for _ in range(number):
            await (await stack.enter_async_context(engine.connect())).execute(text("SELECT 1"))


async def backend(engine: AsyncEngine) -> int:
    """Return the server's process behind the connection that the pool hands out."""
    async with engine.connect() as connection:
        return await process_of(connection)


async def process_of(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())


def terminate_backends(postgres: Postgres, database: str) -> None:
    """End all sessions of a database, and wait until they have ended."""
    with postgres.connect() as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {OTHERS.format(database)}".encode())


def restart(own: StoppablePostgres, _: str) -> None:
    own.stop()
    own.start()


@pytest.mark.parametrize(
    "interrupt", [restart, lambda own, database: terminate_backends(own.server, database)], ids=["restart", "terminate"]
)
async def test_the_first_request_after_an_interruption_succeeds_and_is_sent_once(
    own_postgres: StoppablePostgres, temporal: Client, interrupt: Callable[[StoppablePostgres, str], None]
) -> None:
    async with idle_service(own_postgres.server, temporal) as service, work(service):
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            for engine in (service.database.transactions, service.database.autocommit):
                await open_connections(engine, 5)
            interrupt(own_postgres, str(service.database.url.database))
            reads = [http.get(REASONS) for _ in range(5)]
            writes = [http.post(REASONS, json={"code": f"after-{number}", "label": "x"}) for number in range(5)]
            assert [one.status_code for one in await asyncio.gather(*reads, *writes)] == [200] * 5 + [201] * 5
            body = contract_example(scheduled_at=from_now(hours=1))
            created = await http.post("/api/activities", json=body)
            assert (created.status_code, created.json()["status"]) == (201, "READY")
            assert (await http.get(REASONS)).json()["meta"]["total"] == 5 + 1
        run = service.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
        events = (await run.fetch_history()).events
        assert not any(one.HasField("activity_task_scheduled_event_attributes") for one in events)  # no step has failed
    inserts = [line for line in own_postgres.log().splitlines() if "INSERT INTO reasons" in line]
    assert len(inserts) == 5 + 1  # and the tenant's own


async def test_a_closed_connection_replaces_the_whole_pool(own_postgres: StoppablePostgres) -> None:
    database = open_database(own_postgres.server.url("template"))
    for engine in (database.transactions, database.autocommit):
        await open_connections(engine, 3)
        victim = await backend(engine)
        with own_postgres.server.connect() as connection:
            before = {pid for (pid,) in connection.execute(f"SELECT pid {OTHERS.format('template')}".encode())}
            connection.execute("SELECT pg_terminate_backend(%s, 10000)", [victim])
        async with AsyncExitStack() as stack:
            taken = [await stack.enter_async_context(engine.connect()) for _ in range(6)]
            after = {await process_of(one) for one in taken}
        assert len(after) == 6
        # The pool hands out the connection that has been idle longest: up to two come before the closed one.
        assert victim not in after
        assert len(before & after) <= 2
    await database.dispose()


async def test_what_else_arrives_over_an_idle_connection_leaves_it_open(own_postgres: StoppablePostgres) -> None:
    database = open_database(own_postgres.server.url("template"), pool_size=1)
    for engine in (database.transactions, database.autocommit):
        async with engine.connect() as connection:
            await connection.execute(text("LISTEN anything"))
            await connection.commit()
        before = await backend(engine)
        with own_postgres.server.connect("template") as other:
            for number in range(100):
                other.execute(f"NOTIFY anything, '{number} {'x' * 5000}'".encode())
            other.execute(f"ALTER SYSTEM SET application_name = 'application-{before}'".encode())
            other.execute("SELECT pg_reload_conf()")
        await until_reloaded(engine, f"application-{before}")
        assert await backend(engine) == before
    await database.dispose()


async def until_reloaded(engine: AsyncEngine, name: str) -> None:
    async with asyncio.timeout(60):
        while True:
            async with engine.connect() as connection:
                if (await connection.execute(text("SHOW application_name"))).scalar_one() == name:
                    return
            await asyncio.sleep(0.02)


READY_FOR_QUERY = b"Z\x00\x00\x00\x05I"


async def test_a_server_that_closes_every_new_connection_is_an_outage(postgres: Postgres) -> None:
    path = next(postgres.socket_folder.glob(".s.PGSQL.*[0-9]"))
    is_ending = asyncio.Event()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(path))
        asking = asyncio.create_task(pump(reader, back))
        while (data := await there.read(65536)) and not writer.is_closing():
            writer.write(data)
            if is_ending.is_set() and data.endswith(READY_FOR_QUERY):
                break
        writer.close()
        await asking

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = open_database(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
        for engine in (database.transactions, database.autocommit):
            is_ending.clear()
            await open_connections(engine, 1)
            await engine.dispose()
            is_ending.set()
            with pytest.raises(DBAPIError) as failure:
                await backend(engine)
            assert may_pass(failure.value)


async def test_a_half_open_connection_is_noticed_by_its_socket(postgres: Postgres) -> None:
    async with tcp_address(postgres) as port:
        database = open_database(f"postgresql+psycopg://postgres@127.0.0.1:{port}/template")
        for engine in (database.transactions, database.autocommit):
            async with engine.connect() as connection:
                options = socket_options(await connection.get_raw_connection())
            assert options == {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
        await database.dispose()


def socket_options(connection: Any) -> dict[str, int]:
    """Return how soon the kernel notices that the other end is gone."""
    with socket.socket(fileno=os.dup(connection.driver_connection.fileno())) as dialled:
        return {
            "SO_KEEPALIVE": dialled.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            **{
                name: dialled.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
            },
        }


async def test_the_next_host_of_the_url_is_tried_and_its_options_are_kept(postgres: Postgres) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    async with tcp_address(postgres) as port:
        database = open_database(
            f"postgresql+psycopg://postgres@/template?host=127.0.0.1:{closed}&host=127.0.0.1:{port}"
            "&target_session_attrs=read-write&options=-c%20work_mem%3D5MB&options=-c%20lock_timeout%3D7s"
        )
        for name, expected in (("work_mem", "5MB"), ("lock_timeout", "7s"), ("statement_timeout", "8s")):
            assert await setting(database, name) == expected
        await database.dispose()


async def setting(database: Database, name: str) -> str:
    async with database.autocommit.connect() as connection:
        return str((await connection.execute(text(f"SHOW {name}"))).scalar_one())
