"""Wait for PostgreSQL when a process starts, and compare its schema with the code, and its rows with the keys."""

import asyncio
from collections.abc import Collection

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.engine import Database
from db.payload_keys import find_missing_keys
from db.schema import schema_fault

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1
ATTEMPTS_PER_LINE = 60
"""A reason is logged at once, and again after so many attempts."""

_REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf", "permission denied", "not permitted to log in")
"""libpq keeps the SQLSTATE of a failed connection to itself; a server may also speak another language."""


async def wait_for_database(database: Database, key_ids: Collection[str]) -> str | None:
    """Retry until PostgreSQL answers; return what keeps a process with these keys from working then, or None.

    A role or a database that the server refuses is waited for too: it may be created without a restart.
    """
    outage = _Outage()
    while True:
        try:
            async with database.autocommit.connect() as connection:
                fault = await connection.run_sync(schema_fault) or await find_missing_keys(connection, key_ids)
        except (DBAPIError, PoolTimeoutError, OSError) as failure:
            original = getattr(failure, "orig", None) or failure
            if isinstance(original, psycopg.ProgrammingError) and original.sqlstate is None:
                return f"DATABASE_URL can't be used: {_line(original)}"
            outage.log_attempt(_line(original))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            outage.log_end()
            return fault


class _Outage:
    """Logs the failures of the attempts in few lines."""

    def __init__(self) -> None:
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
            log.error("PostgreSQL refuses the role or the database of DATABASE_URL, retrying", reason=reason)
        else:
            log.warning("PostgreSQL can't be reached yet, retrying", reason=reason)

    def log_end(self) -> None:
        if self._attempts:
            log.info("PostgreSQL answers")


def _line(failure: BaseException) -> str:
    return " ".join(str(failure).split())
