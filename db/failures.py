"""Which failures of the database pass by themselves, and how to speak of one without quoting a row."""

from psycopg import Error, InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes: connection, transaction rollback, resources, object state, operator intervention, system."""


def may_pass(failure: BaseException) -> bool:
    """Connection, time-out, serialization and shutdown errors; a fault in the data or in our code never does."""
    original = _original(failure)
    if isinstance(original, Error):
        if original.sqlstate is None:
            return isinstance(original, OperationalError | InterfaceError)  # others are ours: what it can't adapt
        return original.sqlstate[:2] in PASSING_CLASSES
    return isinstance(original, PoolTimeoutError | OSError | TimeoutError)


def kind(failure: BaseException) -> str:
    """The failure's class and SQLSTATE: PostgreSQL's own message may hold a customer's data."""
    original = _original(failure)
    state = getattr(original, "sqlstate", None)
    return f"{type(original).__name__}{f' (SQLSTATE {state})' if state else ''}"


def _original(failure: BaseException) -> BaseException:
    return failure.orig if isinstance(failure, DBAPIError) and failure.orig else failure
