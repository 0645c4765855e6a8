"""Wait for PostgreSQL when a process starts, and compare its schema with the code, and its rows with the keys."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import Database
from db.payload_keys import find_missing_keys
from db.roles import API, OWNER, SYSTEM, WORKER
from db.schema import schema_fault

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1
ATTEMPTS_PER_LINE = 60
"""A reason is logged at once, and again after so many attempts."""

_REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf", "permission denied", "not permitted to log in")
"""libpq keeps the SQLSTATE of a failed connection to itself; a server may also speak another language."""


SEES_ALL_STATEMENT = text(
    f"""
    SELECT current_user AS role, EXISTS (SELECT FROM pg_roles
        WHERE rolname IN ('{OWNER}', '{SYSTEM}') AND pg_has_role(rolname, 'MEMBER')
            OR rolname = current_user AND (rolsuper OR rolbypassrls)) AS sees_all
    """  # noqa: S608 - two names of ours
)


async def wait_for_database(database: Database, key_ids: Collection[str]) -> str | None:
    """Retry until PostgreSQL answers; return what keeps a process with these keys from working then, or None.

    A role or a database that the server refuses is waited for too: it may be created without a restart.
    """

    async def find_fault(connection: AsyncConnection) -> str | None:
        return (
            await connection.run_sync(schema_fault)
            or await find_role_fault(connection)
            or await find_missing_keys(connection, key_ids)
        )

    return await _wait("DATABASE_URL", database, find_fault)


async def wait_for_system_database(database: Database) -> str | None:
    """Retry until PostgreSQL answers the role that works across tenants; return what is wrong with it, or None."""
    return await _wait("SYSTEM_DATABASE_URL", database, find_system_role_fault)


async def find_role_fault(connection: AsyncConnection) -> str | None:
    """Return one line if row-level security hides nothing from the connection's role, or None."""
    found = (await connection.execute(SEES_ALL_STATEMENT)).one()
    if not found.sees_all:
        return None
    return f"DATABASE_URL names the role {found.role}, which sees the rows of all tenants: name {API} or {WORKER}"


async def find_system_role_fault(connection: AsyncConnection) -> str | None:
    """Return one line if row-level security hides rows from the connection's role, or None."""
    found = (await connection.execute(SEES_ALL_STATEMENT)).one()
    if found.sees_all:
        return None
    return f"SYSTEM_DATABASE_URL names the role {found.role}, which doesn't see the rows of all tenants: name {SYSTEM}"


async def _wait(
    variable: str, database: Database, find_fault: Callable[[AsyncConnection], Awaitable[str | None]]
) -> str | None:
    outage = _Outage(variable)
    while True:
        try:
            async with database.autocommit.connect() as connection:
                fault = await find_fault(connection)
        except (DBAPIError, PoolTimeoutError, OSError) as failure:
            original = getattr(failure, "orig", None) or failure
            if isinstance(original, psycopg.ProgrammingError) and original.sqlstate is None:
                return f"{variable} can't be used: {_line(original)}"
            outage.log_attempt(_line(original))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            outage.log_end()
            return fault


class _Outage:
    """Logs the failures of the attempts in few lines."""

    def __init__(self, variable: str) -> None:
        self._variable = variable
        self._attempts = 0
        self._logged: set[str] = set()

    def log_attempt(self, reason: str) -> None:
        """Log a reason that is new, or was last logged long ago."""
        if self._attempts % ATTEMPTS_PER_LINE == 0:
            self._logged.clear()
        self._attempts += 1
        if reason in self._logged:
            return
        self._logged.add(reason)
        if any(words in reason for words in _REFUSALS):
            what = f"PostgreSQL refuses the role or the database of {self._variable}, retrying"
            log.error(what, reason=reason)
        else:
            log.warning("PostgreSQL can't be reached yet, retrying", reason=reason)

    def log_end(self) -> None:
        if self._attempts:
            log.info("PostgreSQL answers")


def _line(failure: BaseException) -> str:
    return " ".join(str(failure).split())
