"""Allow the pages of Temporal's web UI, and those of no other origin, to call the codec server."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class CodecCors:
    """Answers the preflight requests of browsers to `/codec`, and adds the headers that let the page read an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        app = self._app
        if scope["type"] == "http" and scope["path"].startswith("/codec/"):
            origin = scope["state"]["resources"].codec_allowed_origin
            app = CORSMiddleware(
                app,
                allow_origins=[origin] if origin else [],
                allow_credentials=True,
                allow_methods=["POST"],
                allow_headers=["authorization", "authorization-extras", "content-type", "x-namespace"],
            )
        await app(scope, receive, send)
