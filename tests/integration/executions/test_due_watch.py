"""The listener for due activities: it connects as the pools do, and logs an outage once, with the reason."""

import asyncio
import json
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url, text

from db.due_watch import NOTIFICATION, DueWatch
from db.engine import Database, open_database
from embedded.postgres import Postgres
from tests.support.prepared_postgres import StoppablePostgres
from tests.support.worlds import new_database
from workflows.words import ActivityType, Channel

NOTIFY = text(f"SELECT pg_notify('{NOTIFICATION}', :payload)")
LISTENERS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'")
EVICTION = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'LISTEN %'"
)


def url_over(folder: Path, database_url: str, query: str = "") -> str:
    """Return the URL of the same database over a socket in another folder."""
    url = make_url(database_url)
    return f"postgresql+psycopg://postgres@/{url.database}?host={quote(str(folder))}&port={url.query['port']}{query}"


async def value(database: Database, statement: str) -> Any:
    async with database.autocommit.connect() as connection:
        return (await connection.execute(text(statement))).scalar_one()


async def until_listening(database: Database, number: int = 1) -> None:
    """Wait until so many sessions listen."""
    async with asyncio.timeout(60), database.autocommit.connect() as connection:
        while (await connection.execute(LISTENERS)).scalar_one() != number:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&options=-c%20search_path%3Dpublic,pg_catalog%20-c%20work_mem%3D5MB",
        "&options=-c+search_path%3Dpublic%5C+,pg_catalog",
        "&application_name=with+a+space+and+%25+and+%2B",
        "&connect_timeout=7&keepalives_idle=9",
    ],
)
async def test_the_listener_connects_wherever_the_pools_connect(
    postgres: Postgres, tmp_path: Path, log: StringIO, query: str
) -> None:
    folder = tmp_path / "with spaces + signs"
    folder.symlink_to(postgres.socket_folder)
    database = open_database(url_over(folder, new_database(postgres), query))
    tenant_id = uuid4()
    async with DueWatch(database.url) as watch:
        await until_listening(database)
        with watch.waiting(tenant_id, [Channel.SMS], [ActivityType.TASK]) as waiter:
            sleeping = asyncio.create_task(waiter.sleep(600))
            async with database.autocommit.connect() as connection:
                await connection.execute(NOTIFY, {"payload": mark(tenant_id)})
            async with asyncio.timeout(60):
                await sleeping
    await database.dispose()
    assert "not listening" not in log.getvalue()


def mark(tenant_id: UUID) -> str:
    return json.dumps({"tenant_id": str(tenant_id), "channel": "SMS", "type": "TASK", "seconds": 0})


async def test_an_outage_is_logged_once_with_its_reason_and_so_is_its_end(
    postgres: Postgres, tmp_path: Path, log: StringIO
) -> None:
    database_url = new_database(postgres)
    folder = tmp_path / "socket"
    database = open_database(database_url)
    async with DueWatch(make_url(url_over(folder, database_url))):
        for outage in (1, 2):
            await until_logged(log, "not listening for due activities", outage)
            await asyncio.sleep(2.5)  # enough for further attempts
            folder.symlink_to(postgres.socket_folder)
            await until_listening(database)
            await until_logged(log, "listening for due activities again", outage)
            folder.unlink()
            async with database.autocommit.connect() as connection:
                await connection.execute(EVICTION)
        await until_logged(log, "not listening for due activities", 3)
    await database.dispose()
    first, second, third = events(log, "not listening for due activities")
    assert str(folder) in first["reason"]
    assert "No such file or directory" in first["reason"]
    assert second["reason"]
    assert third["reason"]
    assert {line["level"] for line in (first, second, third)} == {"warning"}


MALFORMED = {
    "empty": "",
    "text": "María, +525555550101",
    "null": "null",
    "list": "[1]",
    "empty object": "{}",
    "a member is missing": '{"tenant_id": "%s", "channel": "SMS", "type": "TASK"}',
    "members of other types": '{"tenant_id": "%s", "channel": ["SMS"], "type": {"TASK": 1}, "seconds": 0}',
    "text for a number": '{"tenant_id": "%s", "channel": "SMS", "type": "TASK", "seconds": "soon"}',
    "not a number": '{"tenant_id": "%s", "channel": "SMS", "type": "TASK", "seconds": NaN}',
    "infinite": '{"tenant_id": "%s", "channel": "SMS", "type": "TASK", "seconds": 1e999}',
    "half": '{"tenant_id": "%s", "chan',
}
"""Payloads that the trigger doesn't send, by what is wrong."""


@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_notification_is_logged_once_and_skipped(
    postgres: Postgres, log: StringIO, payload: str
) -> None:
    database = open_database(new_database(postgres))
    tenant_id = uuid4()
    async with DueWatch(database.url) as watch:
        await until_listening(database)
        for _ in range(3):
            await notify(database, payload.replace("%s", str(tenant_id)))
            await notify(database, "whatever", channel="another_channel")
        await check_that_a_mark_wakes(watch, database, tenant_id)
        assert await value(database, str(LISTENERS)) == 1
    await database.dispose()
    (skipped,) = events(log, "skipping malformed notifications of due activities")
    assert skipped["level"] == "warning"
    assert "María" not in log.getvalue()
    assert "listening for due activities again" not in log.getvalue()


async def notify(database: Database, payload: str, channel: str = NOTIFICATION) -> None:
    async with database.autocommit.connect() as connection:
        statement = text("SELECT pg_notify(:channel, :payload)")
        await connection.execute(statement, {"channel": channel, "payload": payload})


async def check_that_a_mark_wakes(watch: DueWatch, database: Database, tenant_id: UUID) -> None:
    """Let a request wait for a mark, and send the mark."""
    with watch.waiting(tenant_id, [Channel.SMS], [ActivityType.TASK]) as waiter:
        waiter.begin_read()
        sleeping = asyncio.create_task(waiter.sleep(600))
        await notify(database, mark(tenant_id))
        async with asyncio.timeout(60):
            await sleeping


@pytest.mark.parametrize("fault", ["restart", "terminate", "cancel"])
async def test_the_listener_listens_again_after_every_fault_of_its_session(
    own_postgres: StoppablePostgres, log: StringIO, fault: str
) -> None:
    database = open_database(own_postgres.server.url("template"))
    async with DueWatch(database.url) as watch:
        await until_listening(database)
        if fault == "restart":
            own_postgres.stop()
            await until_logged(log, "not listening for due activities", 1)
            own_postgres.start()
        else:
            await value(database, str(EVICTION).replace("terminate", fault))
        await until_listening(database)
        if fault != "cancel":
            await until_logged(log, "listening for due activities again", 1)
        await check_that_a_mark_wakes(watch, database, uuid4())
    await database.dispose()


def events(log: StringIO, event: str) -> list[dict[str, Any]]:
    """Return the log's lines of this event."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


async def until_logged(log: StringIO, event: str, times: int) -> None:
    """Wait until the log has the event so often."""
    async with asyncio.timeout(60):
        while len(events(log, event)) < times:
            await asyncio.sleep(0.05)
    assert len(events(log, event)) == times


async def test_the_urls_options_reach_every_connection_beside_the_services_own(postgres: Postgres) -> None:
    url = new_database(postgres) + "&options=-c%20work_mem%3D5MB%20-c%20lock_timeout%3D7s&connect_timeout=9"
    database = open_database(url)
    assert await value(database, "SHOW work_mem") == "5MB"
    assert await value(database, "SHOW lock_timeout") == "7s"
    assert await value(database, "SHOW statement_timeout") == "8s"
    await database.dispose()
