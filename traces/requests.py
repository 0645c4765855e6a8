"""Spans of requests, by the official instrumentation of FastAPI."""

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.util.http import sanitize_method
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from traces.tracing import Tracing

UNTRACED = r"^https?://[^/]+/(health/live|health/ready|metrics)$"


def trace_requests(app: FastAPI, tracing: Tracing) -> None:
    """Trace the requests to an application, each under its route."""
    app.add_middleware(_NameByRoute)
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=tracing.provider, excluded_urls=UNTRACED, exclude_spans=["receive", "send"]
    )


class _NameByRoute:
    """Names the span of a request by its route, because a path has ids and may have any text; adds the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                span = trace.get_current_span()
                state = scope["state"]
                if "route" in state:  # a preflight is answered before it is a request
                    span.update_name(f"{_name_method(scope['method'])} {state['route']}")
                    span.set_attribute("http.route", state["route"])
                    span.set_attribute("request.id", state["request_id"])
            await send(message)

        await self._app(scope, receive, send_named)


def _name_method(method: str) -> str:
    """Return a method of HTTP as it is, and for any other text the name that OpenTelemetry gives it in a span's."""
    known = sanitize_method(method)
    return "HTTP" if known == "_OTHER" else known
