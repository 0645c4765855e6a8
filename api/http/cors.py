"""Allow the pages of some origins, and of no other, to use the service in a browser."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.headers import HEADERS as READABLE
from api.http.middleware import HEADERS

BROWSERS_SEND = (
    "Authorization",
    "Content-Type",
    "X-Tenant-Id",
    "X-Api-Key",
    "Idempotency-Key",
    "If-Match",
    "X-Request-Id",
)


class Cors:
    """Answers the preflight requests of browsers, and adds the headers that let the page read an answer.

    Pages of `origins` may use the API, without cookies, since its tokens are in headers. Pages of Temporal's web UI
    alone may use `/codec`, with the cookie of a session.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._api = app
        if origins:
            self._api = _ProtectedCors(
                app,
                allow_origins=origins,
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=BROWSERS_SEND,
                expose_headers=list(READABLE),
                max_age=600,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        is_of_codec = scope["type"] == "http" and scope["path"].startswith("/codec/")
        await (self._allow_web_ui(scope) if is_of_codec else self._api)(scope, receive, send)

    def _allow_web_ui(self, scope: Scope) -> ASGIApp:
        origin = scope["state"]["resources"].codec_allowed_origin
        return _ProtectedCors(
            self._app,
            allow_origins=[origin] if origin else [],
            allow_credentials=True,
            allow_methods=["POST"],
            allow_headers=["authorization", "authorization-extras", "content-type", "x-namespace"],
        )


class _ProtectedCors(CORSMiddleware):
    """Answers preflight requests with the headers of each answer."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight request."""
        answer = super().preflight_response(request_headers)
        answer.headers.update(HEADERS)
        return answer
