"""Middleware: the request's id, log line and metrics, and the answer to an unexpected exception."""

import re
import time
from traceback import format_tb
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import MEDIA_TYPE, InternalError
from api.http.metrics import LATENCY, REQUESTS
from db.failures import kind

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_UNLOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})


class RequestMiddleware:
    """Takes the caller's `X-Request-Id`, or creates one, and adds it to the answer and to every log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else str(uuid4())
        scope["state"]["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as failure:  # the caller gets an answer to any of them
            # The stack without the message and the variables: those may hold a customer's data.
            log.error("unexpected exception", failure=kind(failure), trace=format_tb(failure.__traceback__))  # noqa: TRY400
            if status:
                raise
            problem = InternalError(
                "The service has a defect. Report the request's id: the log has the details under it."
            )
            answer = JSONResponse(problem.body(scope["path"], request_id), problem.status, media_type=MEDIA_TYPE)
            await answer(scope, receive, send_with_id)
        _record(scope, status, time.perf_counter() - started)


def _record(scope: Scope, status: int, seconds: float) -> None:
    """Count and log the request by its route; a path holds ids."""
    route = getattr(scope.get("route"), "path", "unknown")
    method = scope["method"] if scope["method"] in {"GET", "POST", "PUT", "PATCH", "DELETE"} else "other"
    REQUESTS.labels(method, route, status).inc()
    LATENCY.labels(method, route).observe(seconds)
    if scope["path"] not in _UNLOGGED:
        log.info("request answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
