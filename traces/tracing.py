"""The spans of a process: their provider, what they may say, and those of statements by psycopg's instrumentation."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from temporalio import client, worker

NAME = "scheduled-activities"
MOST_LINKS = 256
"""A claim of 100 activities has two links for each."""

SAID = frozenset(
    {
        *("http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code"),
        *("http.scheme", "url.scheme", "http.flavor", "network.protocol.version"),
        *("db.system", "db.system.name", "db.name", "db.namespace", "db.statement", "db.query.text"),
        *("db.operation.name", "error.type", "exception.type"),
        *("request.id", "tenant.id", "activity.id", "operation.id", "step.attempt"),
    }
)
"""The attributes that leave the process. A URL has tenants' texts and ids in it, and a message of PostgreSQL a row."""

_PROPAGATOR = TraceContextTextMapPropagator()


def build_exporter(kind: str) -> SpanExporter:
    """Build the exporter that `OTEL_TRACES_EXPORTER` names; the variables `OTEL_EXPORTER_OTLP_*` configure it."""
    if kind == "console":
        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - not for others

    return OTLPSpanExporter()


def current_traceparent() -> str | None:
    """Return the W3C name of the current span; None outside one."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def read_traceparent(traceparent: str | None) -> SpanContext | None:
    """Return the span that a `traceparent` names; None if it names none."""
    if not traceparent:
        return None
    found = trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent}, Context())).get_span_context()
    return found if found.is_valid else None


def links_to(traceparents: Iterable[str | None]) -> list[Link]:
    """Return a link to each of the spans, once."""
    named = dict.fromkeys(filter(None, traceparents))
    return [Link(found) for found in map(read_traceparent, named) if found]


class Tracing:
    """The tracing of one process."""

    def __init__(self, process: str, exporter: SpanExporter) -> None:
        """Trace the statements on every connection that is opened from here on."""
        resource = Resource.create({} if _names_service() else {"service.name": f"{NAME}-{process}"})
        limits = None if "OTEL_SPAN_LINK_COUNT_LIMIT" in os.environ else SpanLimits(max_links=MOST_LINKS)
        self.provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
        self.provider.add_span_processor(_Cleaned(BatchSpanProcessor(exporter)))
        self.tracer = self.provider.get_tracer(NAME)
        PsycopgInstrumentor().instrument(tracer_provider=self.provider)

    def calls(self) -> "list[client.Interceptor]":
        """Return what traces the calls to Temporal."""
        from traces.calls import TraceCalls  # noqa: PLC0415 - each process loads what it needs

        return [TraceCalls(self.tracer)]

    def steps(self) -> "list[worker.Interceptor]":
        """Return what traces the steps of a worker."""
        from traces.steps import TraceSteps  # noqa: PLC0415 - as above

        return [TraceSteps(self.tracer)]

    @staticmethod
    def link_current(traceparents: Iterable[str | None]) -> None:
        """Link the current span to others."""
        span = trace.get_current_span()
        for link in links_to(traceparents):
            span.add_link(link.context)

    def close(self) -> None:
        """Send the spans that are left, and stop tracing."""
        self.provider.shutdown()
        PsycopgInstrumentor().uninstrument()


def _names_service() -> bool:
    return "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


class _Cleaned(SpanProcessor):
    """Passes spans on without what they may not say, and drops statements that belong to no request and no step."""

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner

    def on_end(self, span: ReadableSpan) -> None:
        """Pass the span on."""
        if span.parent is not None or span.kind is not SpanKind.CLIENT:
            self._inner.on_end(clean(span))

    def shutdown(self) -> None:
        """Send what is left."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is left."""
        return self._inner.force_flush(timeout_millis)


def clean(span: ReadableSpan) -> ReadableSpan:
    """Return the span with the attributes of `SAID` alone, and without the texts of exceptions."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_said(span.attributes),
        events=[Event(event.name, _said(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _said(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name in SAID}
