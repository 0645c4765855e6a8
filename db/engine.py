"""Opening PostgreSQL, with the same options in every process."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from psycopg.errors import FeatureNotSupported
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.failures import READ_ONLY, STALE_PLAN

_PATIENCE: Mapping[str, Any] = MappingProxyType({"connect_timeout": 3, "tcp_user_timeout": 5000})
_SESSION = "-c statement_timeout=8s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s -c jit=off"
"""With `jit` PostgreSQL would compile the statement that reads many users, which takes longer than reading them."""
_LONG = 40


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
        "json_deserializer": partial(json.loads, parse_int=_read_integer),
        "pool_timeout": 5,
        "connect_args": connect_arguments(make_url(url), _SESSION),
    }
    opened = Database(
        transactions=create_async_engine(url, **options),
        autocommit=create_async_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **options),
    )
    for engine in (opened.transactions, opened.autocommit):
        event.listen(engine.sync_engine, "handle_error", _drop_outdated_connections)
    event.listen(opened.autocommit.sync_engine, "do_execute", _execute_without_stale_plan)
    return opened


def _drop_outdated_connections(context: ExceptionContext) -> None:
    """Drop the pool's connections after a failover or a migration, so that the next statements use new ones."""
    if getattr(context.original_exception, "sqlstate", None) in {READ_ONLY, STALE_PLAN}:
        context.is_disconnect = True


def _execute_without_stale_plan(
    cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext
) -> bool:
    """Execute the statement; if a migration has outdated its plan, execute it once more and drop the connection.

    PostgreSQL refuses an outdated plan before it executes anything. In a transaction the statements before it would be
    lost: there the failure reaches the caller.
    """
    try:
        cursor.execute(statement, parameters)
    except FeatureNotSupported:
        connection = context.root_connection.connection
        connection.invalidate(soft=True)  # this statement still uses it, the next one does not
        assert connection.driver_connection is not None  # noqa: S101 - it has just answered
        connection.driver_connection.prepare_threshold = None
        cursor.execute(statement, parameters)
    return True


def connect_arguments(url: URL, session: str = "") -> dict[str, Any]:
    """Return psycopg's arguments for a URL: SQLAlchemy reads it, because libpq reads `+` for a space differently.

    What the URL sets takes precedence over the limits that every connection has, and over the options of `session`.
    """
    _, arguments = url.get_dialect()().create_connect_args(url)
    options = f"{session} {arguments.get('options', '')}".strip()
    return {**_PATIENCE, **arguments, **({"options": options} if options else {})}


def _read_integer(digits: str) -> int | float:
    """Return an integer of a JSON value, as a float where that has the same value and is shorter.

    PostgreSQL writes out all digits of 1e308; as a float the number stays as short as the caller sent it.
    """
    short = float(digits) if len(digits) > _LONG else math.inf
    return short if math.isfinite(short) and Decimal(repr(short)) == Decimal(digits) else int(digits)
