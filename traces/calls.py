"""Spans of calls to Temporal: each names itself in the message that is sent."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import SpanKind, Tracer
from temporalio import client

from traces.tracing import current_traceparent
from workflows.bulk import BulkOperation
from workflows.messages import Change, ScheduledActivityInput


class TraceCalls(client.Interceptor):
    """Open a span around each start and update, and name it in the message that is sent."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Put the spans between the client and Temporal."""
        return _TraceCall(next, self._tracer)


class _TraceCall(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, tracer: Tracer) -> None:
        super().__init__(next)
        self._tracer = tracer

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        with self._open(f"StartWorkflow {input.workflow}"):
            input.args = _name_current(input.args)
            return await super().start_workflow(input)

    async def start_workflow_update(self, input: client.StartWorkflowUpdateInput) -> client.WorkflowUpdateHandle[Any]:
        with self._open(f"Update {input.update}"):
            input.args = _name_current(input.args)
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        with self._open(f"UpdateWithStart {start.workflow}"):
            start.args = _name_current(start.args)
            return await super().start_update_with_start_workflow(input)

    def _open(self, name: str) -> Any:
        return self._tracer.start_as_current_span(
            name, kind=SpanKind.PRODUCER, record_exception=False, set_status_on_exception=False
        )


def _name_current(arguments: Sequence[Any]) -> list[Any]:
    """Return the arguments with the current span in each message that has a place for it.

    The run that continues an activity keeps the trace of its creation.
    """
    named = {"traceparent": current_traceparent()}
    return [one.model_copy(update=named) if _may_be_named(one) else one for one in arguments]


def _may_be_named(argument: Any) -> bool:
    if isinstance(argument, ScheduledActivityInput):
        return not argument.is_continued
    return isinstance(argument, Change | BulkOperation)
