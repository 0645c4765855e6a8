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
    async with asyncio.timeout(30), database.autocommit.connect() as connection:
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
            async with asyncio.timeout(30):
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


def events(log: StringIO, event: str) -> list[dict[str, Any]]:
    """Return the log's lines of this event."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


async def until_logged(log: StringIO, event: str, times: int) -> None:
    """Wait until the log has the event so often."""
    async with asyncio.timeout(30):
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
