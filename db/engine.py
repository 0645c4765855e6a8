"""Opening PostgreSQL, with the same options in every process."""

import json
import math
import re
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection as DriverConnection
from psycopg import OperationalError
from psycopg.errors import Diagnostic, FeatureNotSupported, InvalidSqlStatementName
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExecutionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from db.failures import OUTDATED_CONNECTION
from db.sessions import LIMITS, connect_arguments
from db.tenant import TenantCursor, put_connection_back, take_connection

_SHORT_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '1s'")
_SET_ACTOR = text("SELECT set_config('app.actor', :actor, true)")
_LONG = 40
_WAS_USED = "was_used"
"""The key in a connection's information under which it is noted that the pool has handed it out before."""


@dataclass(frozen=True)
class Database:
    """Two pools of connections to the same database.

    `transactions` is for several statements that commit together. `autocommit` is for a single statement: each is its
    own transaction, without BEGIN and COMMIT on the wire. Its connections stay in that mode, because switching a
    connection at every checkout costs more than the statement itself.
    """

    transactions: AsyncEngine
    autocommit: AsyncEngine

    @property
    def url(self) -> URL:
        """Return the address of the database, with the password."""
        return self.transactions.url

    @asynccontextmanager
    async def begin_briefly(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction that waits at most a second for each lock, because other rows are to be looked at."""
        async with self.transactions.begin() as connection:
            await connection.execute(_SHORT_LOCK_TIMEOUT)
            yield connection

    @asynccontextmanager
    async def begin_as(self, actor: str) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction whose changes the audit attributes to `actor`."""
        async with self.transactions.begin() as connection:
            await connection.execute(_SET_ACTOR, {"actor": actor})
            yield connection

    async def dispose(self) -> None:
        """Close the idle connections of both pools."""
        await self.transactions.dispose()
        await self.autocommit.dispose()


def open_database(url: str, pool_size: int = 20) -> Database:
    """Open both pools, so that a server that refuses, stays silent or is slow is noticed within seconds."""
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "hide_parameters": True,
        "json_deserializer": _read_json,
        "pool_timeout": 5,
        "connect_args": {
            **connect_arguments(make_url(url), LIMITS),
            "cursor_factory": TenantCursor,
        },
    }
    opened = Database(
        transactions=create_async_engine(url, **options),
        autocommit=create_async_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **options),
    )
    for engine in (opened.transactions, opened.autocommit):
        event.listen(engine.sync_engine, "handle_error", _drop_outdated_connections)
        event.listen(engine.sync_engine, "checkout", _replace_closed_connections)
        event.listen(engine.sync_engine, "checkout", _set_tenant)
        event.listen(engine.sync_engine, "checkin", _clear_tenant)
    event.listen(opened.autocommit.sync_engine, "do_execute", _execute_despite_outdated_connection)
    return opened


def _replace_closed_connections(_: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Replace the pool's connections if the server has closed the one that is taken: nothing was sent over it yet.

    Raises:
        OperationalError: the server has closed it since it was opened for this checkout.
    """
    connection = entry.driver_connection
    assert isinstance(connection, DriverConnection)  # noqa: S101 - both engines use psycopg
    if not is_closed(connection):
        entry.info[_WAS_USED] = True
    elif _WAS_USED in entry.info:
        raise InvalidatePoolError
    else:
        # SQLAlchemy would replace it twice, and then raise an error that doesn't say what has failed.
        raise OperationalError("the server closes new connections")


def _set_tenant(_: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Show the connection the rows of the tenant for which the task acts."""
    connection = entry.driver_connection
    assert isinstance(connection, DriverConnection)  # noqa: S101 - both engines use psycopg
    take_connection(connection)


def _clear_tenant(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Hide all rows from the connection until it is taken again."""
    connection = entry.driver_connection
    if isinstance(connection, DriverConnection):  # not if it was closed
        put_connection_back(connection)


def is_closed(connection: DriverConnection[Any]) -> bool:
    """Return whether the server has closed an idle connection. What its socket holds says so, without a round trip.

    An idle connection may also hold notifications, notices and changed parameters: they are read, and it stays open.
    """
    if connection.closed:
        return True
    arrivals = select.poll()
    arrivals.register(connection.pgconn.socket, select.POLLIN)
    if not arrivals.poll(0):
        return False
    notices: list[Diagnostic] = []
    connection.add_notice_handler(notices.append)
    try:
        while arrivals.poll(0):
            connection.pgconn.consume_input()
            while connection.pgconn.notifies():
                pass
    except OperationalError:
        return True
    finally:
        connection.remove_notice_handler(notices.append)
    # The server's last message arrives before the end of the stream.
    return any(notice.severity_nonlocalized in {"FATAL", "PANIC"} for notice in notices)


def _drop_outdated_connections(context: ExceptionContext) -> None:
    """Drop the pool's connections after a failure that new ones don't have."""
    if getattr(context.original_exception, "sqlstate", None) in OUTDATED_CONNECTION:
        context.is_disconnect = True


def _execute_despite_outdated_connection(
    cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext
) -> bool:
    """Execute the statement; if its prepared form is outdated or missing, do so once more and drop the connection.

    PostgreSQL refuses such a statement before it executes anything. In a transaction the statements before it would be
    lost: there the failure reaches the caller.
    """
    try:
        cursor.execute(statement, parameters)
    except (FeatureNotSupported, InvalidSqlStatementName):
        connection = context.root_connection.connection
        connection.invalidate(soft=True)  # this statement still uses it, the next one does not
        assert connection.driver_connection is not None  # noqa: S101 - it has just answered
        connection.driver_connection.prepare_threshold = None
        cursor.execute(statement, parameters)
    return True


_LONG_INTEGER = re.compile(rb"\d{%d}" % (_LONG + 1))


def _read_json(content: bytes) -> Any:
    """Parse a JSON value. Calling Python for each of many integers takes long, so that only long ones are looked at."""
    return json.loads(content, parse_int=_read_integer if _LONG_INTEGER.search(content) else None)


def _read_integer(digits: str) -> int | float:
    """Return an integer of a JSON value, as a float where that has the same value and is shorter.

    PostgreSQL writes out all digits of 1e308; as a float the number stays as short as the caller sent it.
    """
    short = float(digits) if len(digits) > _LONG else math.inf
    return short if math.isfinite(short) and Decimal(repr(short)) == Decimal(digits) else int(digits)
