"""Settings of the HTTP server, the same in every process that serves the API."""

import asyncio
import sys
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.errors import HeadTooLarge
from api.http.middleware import LONG_HEAD
from workflows.tenant_limits import CONNECTIONS, HEAD_BYTES, HEAD_SECONDS

IDLE_SECONDS = 75
"""The time for which an idle connection stays open: longer than proxies and clients keep it for reuse (mostly 60 s).

A request that is sent while the server closes the connection is lost, and its sender can't repeat a POST by itself.
"""


class BoundedRequests(H11Protocol):
    """Limits the size of a request's head and the time that it may take.

    Ignores an offer to switch protocols, as RFC 9110 section 7.8 allows, without a warning at each. Java's HttpClient
    offers `Upgrade: h2c` with the first request on every connection.
    """

    _waiting_for_head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Handle what has arrived; the time for a head begins with its first byte."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting_for_head is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not a request, or a head that is too long."""
        failure = sys.exc_info()[1]
        if isinstance(failure, h11.RemoteProtocolError) and failure.error_status_hint == HeadTooLarge.status:
            self._refuse(HeadTooLarge.status, LONG_HEAD)
        else:
            super().send_400_response(msg)

    def _wait_for_head(self) -> None:
        self._waiting_for_head = self.loop.call_later(
            HEAD_SECONDS, self._refuse, HTTPStatus.REQUEST_TIMEOUT, f"Send a request's head within {HEAD_SECONDS} s."
        )

    def _stop_waiting(self) -> None:
        if self._waiting_for_head:
            self._waiting_for_head.cancel()
            self._waiting_for_head = None

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer without the application, which has no request, and close the connection."""
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        events = (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=sentence.encode()),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        return False


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration: `options` adds where to listen and how to stop.

    httptools, uvicorn's default, drops the body of a request that offers an upgrade, and answers HTTP/1.0 in chunks.
    """
    return uvicorn.Config(
        app,
        http=BoundedRequests,
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=CONNECTIONS,
        log_config=None,
        access_log=False,
        server_header=False,
        **options,
    )
