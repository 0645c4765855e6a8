"""Middleware: the request's id, log line and metrics, and the answer to an unexpected exception."""

import time
from traceback import format_tb
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import MEDIA_TYPE, HeadTooLarge, InternalError, NotFound, Problem, Unavailable, ValidationFailed
from api.http.metrics import LATENCY, REQUESTS
from api.http.turns import end_turns
from db.failures import kind
from db.tenant import act_for
from workflows.limits import REQUEST_ID
from workflows.tenant_limits import HEAD_BYTES, HEAD_LINES, PARAMETERS

log = structlog.get_logger(__name__)

LONG_HEAD = (
    f"The request's line and headers may have at most {HEAD_BYTES:,} bytes. Send fewer or shorter headers."
    f" They may be {HEAD_LINES} lines at most."
)
HUNG_UP = 499
"""Status that is logged and counted, as nginx does, when a caller closes the connection before its answer."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""The headers of each answer that doesn't set them itself."""
IS_CROWDED = "is_crowded"
"""The key in a request's state under which the server notes that the process has too many connections."""
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
        sent = Headers(scope=scope).getlist("x-request-id")
        request_id = sent[0] if len(sent) == 1 and REQUEST_ID.fullmatch(sent[0]) else str(uuid4())
        scope["state"]["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        act_for(None)  # a request may begin in the context of the one before on its connection
        method = scope["method"]
        if method == "HEAD":  # as GET, for every route alike; the server leaves the body out
            scope = dict(scope, method="GET")
        exchange = _Exchange(scope, receive, send)
        started = time.perf_counter()
        try:
            await self._find_app(scope)(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass  # recorded below; no caller is left to answer
        except Exception as failure:  # the caller gets an answer to any of them
            # The stack without the message and the variables: those may hold a customer's data.
            trace = format_tb(failure.__traceback__)
            log.error("unexpected exception", route=_route_of(scope), failure=kind(failure), trace=trace)  # noqa: TRY400
            if exchange.status:
                raise
            problem = InternalError(
                "The service has a defect. Report the request's id: the log has the details under it."
            )
            await _answer(problem, scope, exchange.receive, exchange.send)
        finally:
            end_turns(scope["state"])
        status = HUNG_UP if exchange.caller_hung_up else exchange.status
        _record(method, scope, status, time.perf_counter() - started)

    def _find_app(self, scope: Scope) -> ASGIApp:
        """Return the application, or what refuses a request that it should not see."""
        if scope["state"].get(IS_CROWDED):
            return _refuse_connection
        if _is_long(scope):
            return _refuse_head
        if scope["path"].endswith("\n"):
            return _refuse_path
        return _refuse_query if _has_many_parameters(scope) else self._app


class _Exchange:
    """Passes the messages of one request on, and notes its status and whether its caller hung up."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._is_answered = False
        self.status = 0
        self.caller_hung_up = False

    async def receive(self) -> Message:
        """Return the next message from the caller."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_answered:
            self.caller_hung_up = True
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; its head carries `HEADERS`, the request's id, and the state of the rate limits."""
        if message["type"] == "http.response.start":
            state = self._scope["state"]
            self.status = int(message["status"])
            state["route"] = _route_of(self._scope)
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = state["request_id"]
            for limit in state.get("rate_limits", {}).values():
                for name, value in limit.items():
                    headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._is_answered = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)


def _is_long(scope: Scope) -> bool:
    """Has the head too many bytes? One that arrives in one piece is parsed whatever its length."""
    fields = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return len(scope["raw_path"]) + len(scope["query_string"]) + fields > HEAD_BYTES


async def _refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Unavailable("The process has as many connections as it may have. Nothing was begun: try again.")
    problem.headers["Connection"] = "close"
    await _answer(problem, scope, receive, send)


async def _refuse_head(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(HeadTooLarge(LONG_HEAD), scope, receive, send)


async def _refuse_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a line break at the end: Starlette's patterns allow one, and a proxy's rules may not."""
    await _answer(NotFound("There is no such path."), scope, receive, send)


def _has_many_parameters(scope: Scope) -> bool:
    """Count the parameters before they are parsed, which takes long."""
    return bool(scope["query_string"].count(b"&") >= PARAMETERS)


async def _refuse_query(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(ValidationFailed(f"A query may have at most {PARAMETERS} parameters."), scope, receive, send)


async def _answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    body = problem.body(scope["path"], scope["state"]["request_id"])
    await JSONResponse(body, problem.status, problem.headers, media_type=MEDIA_TYPE)(scope, receive, send)


def _route_of(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unknown")


def _record(method: str, scope: Scope, status: int, seconds: float) -> None:
    """Count and log the request by its route; a path holds ids."""
    route = _route_of(scope)
    method = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
    REQUESTS.labels(method, route, status).inc()
    LATENCY.labels(method, route).observe(seconds)
    if scope["path"] not in _UNLOGGED:
        event = "caller hung up" if status == HUNG_UP else "request answered"
        log.info(event, method=method, route=route, status=status, ms=round(seconds * 1000, 1))
