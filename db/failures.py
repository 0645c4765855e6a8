"""Failures of the database: those that may pass, those of the data, and a description that quotes no row."""

from json import JSONDecodeError

from psycopg import DataError, Error, InterfaceError, OperationalError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

PASSING_CLASSES = ("08", "25", "40", "53", "55", "57", "58")
"""SQLSTATE classes: connection, transaction state, rollback, resources, object state, operator intervention, system."""
DATA_CLASSES = ("22", "23")
"""SQLSTATE classes: data exceptions and violated constraints."""
TIMEOUT_STATES = ("55P03", "57014")
"""SQLSTATEs of a lock that is held too long, and of a slow statement."""
ROW_STATES = ("40001", "40P01", *TIMEOUT_STATES)
"""SQLSTATEs of a passing failure that concerns few rows: conflicts, and what has taken too long."""
READ_ONLY = "25006"
"""The server has become a replica: connections that are opened now reach the new primary."""
STALE_PLAN = "0A000"
"""A migration has changed the columns of a prepared statement; a new connection prepares it anew."""
UNPREPARED = "26000"
"""The connection takes a statement for prepared that is not: in a pipeline, psycopg keeps the name of a statement whose
preparation has failed, at a locked table for example. A new connection prepares it anew."""
OUTDATED_CONNECTION = (READ_ONLY, STALE_PLAN, UNPREPARED)
"""SQLSTATEs of failures that end with a new connection."""


def may_pass(failure: BaseException) -> bool:
    """Return whether the failure may pass without a change of the data, the schema or the program."""
    original = _original(failure)
    if isinstance(original, Error):
        if original.sqlstate is None:
            return isinstance(
                original, OperationalError | InterfaceError
            )  # others are the program's: a value that psycopg can't adapt
        return original.sqlstate[:2] in PASSING_CLASSES or original.sqlstate in OUTDATED_CONNECTION
    return isinstance(original, PoolTimeoutError | OSError | TimeoutError)


def is_out_of_time(failure: BaseException) -> bool:
    """Return whether PostgreSQL has ended a statement that took too long or waited too long for a lock."""
    return getattr(_original(failure), "sqlstate", None) in TIMEOUT_STATES


def concerns_row(failure: BaseException) -> bool:
    """Return whether the failure may concern the row alone, so that the same statement may succeed for another."""
    return not may_pass(failure) or getattr(_original(failure), "sqlstate", None) in ROW_STATES


def is_of_data(failure: BaseException) -> bool:
    """Return whether the data are at fault: PostgreSQL refuses them, or stored ones can't be decoded."""
    original = _original(failure)
    if isinstance(original, Error) and original.sqlstate:
        return original.sqlstate[:2] in DATA_CLASSES
    return isinstance(original, DataError | ValidationError | JSONDecodeError | UnicodeError)


def kind(failure: BaseException) -> str:
    """Return the failure's class and SQLSTATE. PostgreSQL's own message may contain a customer's data."""
    original = _original(failure)
    state = getattr(original, "sqlstate", None)
    return f"{type(original).__name__}{f' (SQLSTATE {state})' if state else ''}"


def _original(failure: BaseException) -> BaseException:
    return failure.orig if isinstance(failure, DBAPIError) and failure.orig else failure
