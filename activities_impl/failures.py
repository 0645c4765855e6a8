"""What of a step's failure may pass by itself, and what an operator may read of it."""

from typing import Any

from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from workflows.steps import UNEXPECTED

PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes: connection, transaction rollback, resources, object state, operator intervention, system."""


class DescribeFailures(Interceptor):
    """Gives every failure of a step a type to decide by, and a text without the data that caused it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand between Temporal and each step."""
        return _DescribeFailures(next)


class _DescribeFailures(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's own name
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except Exception as failure:
            raise described(failure) from None


def described(failure: Exception) -> ApplicationError:
    """PostgreSQL's own words may quote a row, so only the kind of the failure is told; the log has no more either."""
    original = failure.orig if isinstance(failure, DBAPIError) else failure
    if isinstance(failure, PoolTimeoutError):
        return ApplicationError("no free database connection", type="DatabaseUnavailable")
    if isinstance(original, errors.Error) and (original.sqlstate is None or original.sqlstate[:2] in PASSING_CLASSES):
        state = f"SQLSTATE {original.sqlstate}" if original.sqlstate else "no connection"
        return ApplicationError(f"PostgreSQL: {type(original).__name__} ({state})", type="DatabaseUnavailable")
    if isinstance(original, OSError | TimeoutError):
        return ApplicationError(f"{type(original).__name__}: {original}"[:500], type="Unreachable")
    return ApplicationError(f"{type(original).__name__} in {_where(failure)}", type=UNEXPECTED)


def _where(failure: Exception) -> str:
    """The innermost place of our own code."""
    places, trace = ["?"], failure.__traceback__
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if "site-packages" not in name and "lib/python" not in name:
            places.append(f"{name.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-1]
