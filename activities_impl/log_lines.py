"""Log each step of a workflow in one line, with the ids of the request and of the activity that it works for."""

import time
from collections.abc import Sequence
from traceback import format_tb
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities_impl.failures import DESCRIBED, PASSING
from workflows.bulk import BulkOperation, OperationRef
from workflows.messages import ActivityRef, Apply, Record, Resolve, Restore, ScheduledActivityInput

log = structlog.get_logger(__name__)


class LogSteps(Interceptor):
    """Log how each attempt of a step ends. It belongs around `DescribeFailures`, whose failures hold no data."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the line between Temporal and each step."""
        return _LogStep(next)


class _LogStep(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        # They are never unbound: each attempt is a task of its own, whose later lines belong to it too.
        structlog.contextvars.bind_contextvars(
            step=info.activity_type,
            attempt=info.attempt,
            run_id=info.workflow_run_id,  # the workflow's id has the idempotency key, which is its caller's text
            **describe_subject(input.args),
        )
        began = time.perf_counter()
        try:
            result = await super().execute_activity(input)
        except ApplicationError as failure:
            _log_failure(failure, began)
            raise
        log.info("step finished", ms=_milliseconds_since(began))
        return result


def _log_failure(failure: ApplicationError, began: float) -> None:
    """Log the failure in a line, with the stack once if its cause is unknown.

    The text of a rejection is its caller's: it may quote the request.
    """
    ms = _milliseconds_since(began)
    if failure.category is ApplicationErrorCategory.BENIGN:
        log.info("step rejected", code=failure.type, ms=ms)
        return
    cause = failure.__context__
    described = {"failure": failure.message} if failure.type in DESCRIBED else {}
    is_unknown = failure.type in DESCRIBED - PASSING and activity.info().attempt == 1
    trace = {"trace": format_tb(cause.__traceback__)} if is_unknown and cause else {}
    log.warning("step failed", type=failure.type, ms=ms, **described, **trace)


def describe_subject(arguments: Sequence[Any]) -> dict[str, str]:
    """Return the ids, of a request, a tenant, and an activity or an operation, that a step's message names."""
    message = arguments[0] if arguments else None
    if isinstance(message, Resolve | Record | Restore):
        own_id = message.request_id if isinstance(message, Resolve) else None
        return describe_subject([message.scheduled]) | ({"request_id": own_id} if own_id else {})
    if not isinstance(message, ActivityRef | ScheduledActivityInput | OperationRef | BulkOperation):
        return {}
    source = message.change if isinstance(message, Apply) else message
    request_id: str | None = getattr(source, "request_id", None)
    kind = "operation_id" if isinstance(message, OperationRef | BulkOperation) else "activity_id"
    subject = {"tenant_id": str(message.tenant_id), kind: str(message.id)}
    return subject | ({"request_id": request_id} if request_id else {})


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
