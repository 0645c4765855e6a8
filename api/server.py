"""Settings of the HTTP server, the same in every process that serves the API."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE_SECONDS = 75
"""The time for which an idle connection stays open: longer than proxies and clients keep it for reuse (mostly 60 s).

A request that is sent while the server closes the connection is lost, and its sender can't repeat a POST by itself.
"""


class OrdinaryRequests(H11Protocol):
    """Ignores an offer to switch protocols, as RFC 9110 section 7.8 allows, without a warning at each.

    Java's HttpClient offers `Upgrade: h2c` with the first request on every connection.
    """

    def _should_upgrade(self) -> bool:
        return False


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration: `options` adds where to listen and how to stop.

    httptools, uvicorn's default, drops the body of a request that offers an upgrade, and answers HTTP/1.0 in chunks.
    """
    return uvicorn.Config(
        app,
        http=OrdinaryRequests,
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        log_config=None,
        access_log=False,
        **options,
    )
