"""What of a step's failure may pass by itself, and what an operator may read of it."""

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from db.failures import kind, may_pass
from workflows.steps import UNEXPECTED


class DescribeFailures(Interceptor):
    """Gives every failure of a step a type to decide by, and a text without the data that caused it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand between Temporal and each step."""
        return _DescribeFailures(next)


class _DescribeFailures(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, Temporal has to be told how to treat it
            raise described(failure) from None


def described(failure: Exception) -> ApplicationError:
    """PostgreSQL's own words may quote a row, so only the kind of the failure is told; the log has no more either."""
    if may_pass(failure):
        return ApplicationError(f"PostgreSQL doesn't answer: {kind(failure)}", type="DatabaseUnavailable")
    return ApplicationError(f"{kind(failure)} in {_where(failure)}", type=UNEXPECTED)


def _where(failure: Exception) -> str:
    """The innermost place of our own code."""
    places, trace = ["?"], failure.__traceback__
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if "site-packages" not in name and "lib/python" not in name:
            places.append(f"{name.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-1]
