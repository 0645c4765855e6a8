"""Locks of rows and tables, which the statements of the service wait for."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from psycopg import Connection
from sqlalchemy import select, text
from sqlalchemy.orm import InstrumentedAttribute

from db.models import ScheduledActivity
from embedded.postgres import Postgres
from tests.support.service import Service


@asynccontextmanager
async def row_locked(
    service: Service, activity: dict[str, Any], of: InstrumentedAttribute[UUID] = ScheduledActivity.id
) -> AsyncIterator[None]:
    """Keep the activity's row locked until the block ends, so that its run accepts changes but can't write them.

    `of` is the column of another table that has the activity's id: the rows of that table are locked instead.
    """
    async with service.database.transactions.begin() as connection:
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await connection.execute(select(of).where(of == UUID(activity["id"])).with_for_update())
        yield


@contextmanager
def table_locked(postgres: Postgres, service: Service, table: str) -> Iterator[Connection]:
    """Lock a table of the service until the block ends: statements that read it wait. Yields the session that locks."""
    with postgres.connect(str(service.database.url.database)) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection


async def until_blocked(postgres: Postgres, service: Service) -> None:
    """Return once a statement of the service waits for a lock."""
    statement = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with postgres.connect() as connection:
        async with asyncio.timeout(30):
            while not connection.execute(statement, [service.database.url.database]).fetchone():
                await asyncio.sleep(0.02)
