"""Describe the failures of steps: whether a retry may cure them, without the data that caused them."""

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from db.failures import is_of_data, kind, may_pass
from workflows.activities import rejection_failure
from workflows.messages import RejectedError
from workflows.steps import REFUSED

DATABASE_UNAVAILABLE, TEMPORAL_UNAVAILABLE, UNEXPECTED = "DatabaseUnavailable", "TemporalUnavailable", "UnexpectedError"
PASSING = frozenset({DATABASE_UNAVAILABLE, TEMPORAL_UNAVAILABLE})
"""The types of failures that pass by themselves."""
DESCRIBED = PASSING | {UNEXPECTED, REFUSED}
"""The types of failures whose text holds no data."""


class DescribeFailures(Interceptor):
    """Give every failure of a step a type that retries are decided by, and a text that operators may read."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the description of failures between Temporal and each step."""
        return _DescribeFailures(next)


class _DescribeFailures(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except RejectedError as rejected:
            raise rejection_failure(rejected.rejection) from None
        except Exception as failure:  # noqa: BLE001 - Temporal needs a type for every failure
            raise describe_failure(failure) from None


def describe_failure(failure: Exception) -> ApplicationError:
    """Return the failure by its kind and place alone, because PostgreSQL's own message may quote a row.

    Only a failure of type `REFUSED` may end what the step is part of. Others are retried until PostgreSQL, its schema,
    its grants or the worker have been mended. Of simultaneous failures the first one is described.
    """
    if isinstance(failure, ExceptionGroup):
        return describe_failure(failure.exceptions[0])
    if may_pass(failure):
        return ApplicationError(f"PostgreSQL is not available: {kind(failure)}", type=DATABASE_UNAVAILABLE)
    if isinstance(failure, RPCError):
        return ApplicationError(f"Temporal has refused a call: {failure.status.name}", type=TEMPORAL_UNAVAILABLE)
    described = f"{kind(failure)} in {_find_place(failure)}"
    return ApplicationError(described, type=REFUSED if is_of_data(failure) else UNEXPECTED)


def _find_place(failure: Exception) -> str:
    """Return the file and line of the innermost frame that is not a library's."""
    places, trace = ["?"], failure.__traceback__
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if "site-packages" not in name and "lib/python" not in name:
            places.append(f"{name.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-1]
