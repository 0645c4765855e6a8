"""Locks of rows and tables, which the statements of the service wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import httpx
from psycopg import Connection
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from db.models import ScheduledActivity
from embedded.postgres import Postgres
from tests.support.activities import created
from tests.support.builders import from_now
from tests.support.service import Service


@asynccontextmanager
async def row_locked(
    service: Service, activity: dict[str, Any], of: InstrumentedAttribute[UUID] = ScheduledActivity.id
) -> AsyncIterator[AsyncConnection]:
    """Keep the activity's row locked until the block ends, so that its run accepts changes but can't write them.

    `of` is the column of another table that has the activity's id: the rows of that table are locked instead. Yields
    the connection that holds the lock.
    """
    async with service.database.transactions.begin() as connection:
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await connection.execute(select(of).where(of == UUID(activity["id"])).with_for_update())
        yield connection


@asynccontextmanager
async def locked_before_mark(
    service: Service,
    http: httpx.AsyncClient,
    prepare: Callable[[dict[str, Any]], Awaitable[Any]] | None = None,
    seconds: float = 2,
    **changes: Any,
) -> AsyncIterator[tuple[dict[str, Any], AsyncConnection]]:
    """Create an activity that is due in so many seconds, and lock its row until the block ends: its mark waits.

    On a busy machine an activity may be marked before it is prepared and locked: a later one is created then. Yields
    the activity and the connection that holds the lock.
    """
    while True:
        activity = await created(http, scheduled_at=from_now(seconds=seconds), **changes)
        if prepare:
            await prepare(activity)
        async with row_locked(service, activity) as connection:
            if (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "READY":
                yield activity, connection
                return
        seconds *= 2


@contextmanager
def table_locked(postgres: Postgres, service: Service, table: str) -> Iterator[Connection]:
    """Lock a table of the service until the block ends: statements that read it wait. Yields the session that locks."""
    with postgres.connect(str(service.database.url.database)) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection


async def until_blocked(postgres: Postgres, service: Service, statements: int = 1) -> None:
    """Return once so many statements of the service wait for a lock."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with postgres.connect() as connection:
        async with asyncio.timeout(60):
            while connection.execute(statement, [service.database.url.database]).fetchall() < [(statements,)]:
                await asyncio.sleep(0.02)
