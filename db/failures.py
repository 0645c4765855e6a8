"""Failures of the database: those that pass by themselves, and a description that quotes no row."""

from psycopg import Error, InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes: connection, transaction rollback, resources, object state, operator intervention, system."""


def may_pass(failure: BaseException) -> bool:
    """Return whether the failure may pass: connection, time-out, serialization and shutdown errors do.

    A fault in the data or in the program never does.
    """
    original = _original(failure)
    if isinstance(original, Error):
        if original.sqlstate is None:
            return isinstance(
                original, OperationalError | InterfaceError
            )  # others are the program's: a value that psycopg can't adapt
        return original.sqlstate[:2] in PASSING_CLASSES
    return isinstance(original, PoolTimeoutError | OSError | TimeoutError)


def kind(failure: BaseException) -> str:
    """Return the failure's class and SQLSTATE. PostgreSQL's own message may contain a customer's data."""
    original = _original(failure)
    state = getattr(original, "sqlstate", None)
    return f"{type(original).__name__}{f' (SQLSTATE {state})' if state else ''}"


def _original(failure: BaseException) -> BaseException:
    return failure.orig if isinstance(failure, DBAPIError) and failure.orig else failure
