"""Spans of steps, and none inside a workflow: a replay executes its code again, and would emit them again."""

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Tracer
from temporalio import activity, worker

from traces.tracing import current_traceparent, links_to, read_traceparent
from workflows.bulk import BulkOperation, Chunk
from workflows.messages import Apply, MarkDue, Record, Resolve, Restore, ScheduledActivityInput
from workflows.words import ResolutionMoment


@dataclass(frozen=True)
class Origin:
    """The span that a step is a child of, or those that its own trace is linked to, and the ids that its span has."""

    parent: str | None = None
    links: tuple[str | None, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)


def describe_origin(message: Any, *, is_late: bool = False) -> Origin:
    """Return where a step comes from; `is_late` if it is a later attempt of a visible step.

    The steps of a creation and of a change belong to the trace of the request. A mark, a later attempt and a step of a
    bulk operation may come hours afterwards: each has a trace of its own, linked to that of the request.
    """
    origin = _find_origin(message)
    if is_late and origin.parent:
        return Origin(None, (origin.parent, *origin.links), origin.ids)
    return origin


@singledispatch
def _find_origin(_: object) -> Origin:
    return Origin()


@_find_origin.register
def _(message: ScheduledActivityInput) -> Origin:
    ids, is_first = _ids(message, message.request_id), not (message.is_continued or message.reset_of)
    return Origin(message.traceparent, (), ids) if is_first else Origin(None, (message.traceparent,), ids)


@_find_origin.register
def _(message: Record) -> Origin:
    return _find_origin(message.scheduled)


@_find_origin.register
def _(message: Resolve) -> Origin:
    scheduled = message.scheduled
    if message.moment is ResolutionMoment.CREATION:
        return _find_origin(scheduled)
    ids = _ids(scheduled, message.request_id or scheduled.request_id)
    return Origin(message.traceparent, (scheduled.traceparent,), ids)


@_find_origin.register
def _(message: Restore) -> Origin:
    scheduled = message.scheduled
    return Origin(None, (scheduled.traceparent,), _ids(scheduled, scheduled.request_id))


@_find_origin.register
def _(message: Apply) -> Origin:
    return Origin(message.change.traceparent, (message.created_by,), _ids(message, message.change.request_id))


@_find_origin.register
def _(message: MarkDue) -> Origin:
    return Origin(None, (message.created_by,), _ids(message, message.request_id))


@_find_origin.register(BulkOperation)
@_find_origin.register(Chunk)
def _(message: BulkOperation | Chunk) -> Origin:
    return Origin(None, (message.traceparent,), _ids(message, message.request_id, "operation.id"))


def _ids(message: Any, request_id: str | None, kind: str = "activity.id") -> dict[str, str]:
    ids = {"tenant.id": str(message.tenant_id), kind: str(message.id)}
    return ids | ({"request.id": request_id} if request_id else {})


class TraceSteps(worker.Interceptor):
    """Open a span around each attempt of a step."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        """Put the span between Temporal and each step."""
        return _TraceStep(next, self._tracer)


class _TraceStep(worker.ActivityInboundInterceptor):
    def __init__(self, next: worker.ActivityInboundInterceptor, tracer: Tracer) -> None:
        super().__init__(next)
        self._tracer = tracer

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        info, message = activity.info(), input.args[0] if input.args else None
        origin = describe_origin(message, is_late=info.attempt > 1 and not info.is_local)
        parent = read_traceparent(origin.parent)
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent), Context()) if parent else Context()
        with self._tracer.start_as_current_span(
            info.activity_type,
            context,
            SpanKind.CONSUMER,
            attributes={"step.attempt": info.attempt, **origin.ids},
            links=links_to(origin.links),
        ):
            if isinstance(message, MarkDue):
                input.args = [message.model_copy(update={"traceparent": current_traceparent()})]
            return await super().execute_activity(input)
