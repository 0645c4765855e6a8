"""Settings of the HTTP server, the same in every process that serves the API."""

import asyncio
import re
import sys
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import h11
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.http.errors import HeadTooLarge
from api.http.middleware import HEADERS, IS_CROWDED, LONG_HEAD
from workflows.tenant_limits import (
    ANSWER_SECONDS,
    CHUNK_BYTES,
    CONNECTIONS,
    HEAD_BYTES,
    HEAD_LINES,
    HEAD_SECONDS,
    LINGER_SECONDS,
    SMALL_CHUNKS,
)

IDLE_SECONDS = 75
"""The time for which an idle connection stays open: longer than proxies and clients keep it for reuse (mostly 60 s).

A request that is sent while the server closes the connection is lost, and its sender can't repeat a POST by itself.
"""


MANY_CHUNKS = (
    f"The chunks of a body must have {CHUNK_BYTES} bytes on average, after the first {SMALL_CHUNKS:,}. Send the body in"
    " larger chunks, or with a `Content-Length`."
)


CONTINUE = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
ORIGIN = re.compile(rb"https?://[^/]+", re.IGNORECASE)
END_OF_HEAD = re.compile(rb"\n\r?\n")
"""The end of a head as h11 finds it: RFC 9112 section 2.2 lets a server take a bare LF for the end of a line."""


class BoundedConnection(h11.Connection):
    """Limits the lines of a head and the chunks of a body: each takes time, in which the process does nothing else."""

    _chunks = _received = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return the next event.

        Raises:
            RemoteProtocolError: it is not HTTP, the head has too many lines, or the body too many small chunks.
        """
        if self.their_state is h11.IDLE:
            head = END_OF_HEAD.split(self.trailing_data[0], 1)[0].rstrip(b"\r\n")  # not parsed yet
            if head.count(b"\n") >= HEAD_LINES:
                raise h11.RemoteProtocolError(LONG_HEAD, HeadTooLarge.status)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._received = 0
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._received += len(event.data)
            if self._chunks > SMALL_CHUNKS + self._received / CHUNK_BYTES:
                raise h11.RemoteProtocolError(MANY_CHUNKS)
        return event


class BoundedRequests(H11Protocol):
    """Limits the size of a request's head, the number of a body's chunks, and the time that a caller may take.

    Ignores an offer to switch protocols, as RFC 9110 section 7.8 allows, without a warning at each. Java's HttpClient
    offers `Upgrade: h2c` with the first request on every connection.
    """

    _waiting_for_head: asyncio.TimerHandle | None = None
    _waiting_for_reader: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _answered: RequestResponseCycle | None = None
    """The request that was answered before the whole of its body had arrived."""

    def __init__(self, config: uvicorn.Config, *options: Any, **more: Any) -> None:
        super().__init__(config, *options, **more)
        self.conn = BoundedConnection(h11.SERVER, HEAD_BYTES)
        # uvicorn's own answer doesn't say when to come back.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._served, self.app = self.app, self._serve

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Handle what has arrived; the time for a head begins with its first byte."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting_for_head is None:
            self._wait_for_head()
        if self._answered and (self.conn.their_state is not h11.SEND_BODY or self.cycle is not self._answered):
            self._answered = None
            _cancel(self._lingering)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        for timer in (self._waiting_for_reader, self._lingering):
            _cancel(timer)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until the caller takes the answer, but not for long: the answer and the connection are kept for it."""
        super().pause_writing()
        self._waiting_for_reader = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        _cancel(self._waiting_for_reader)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request; one whose body still arrives must end soon."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._answered = self.cycle
            self._linger()
        elif self.transport.is_closing():
            self._linger()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also if its caller doesn't take the rest of the last answer."""
        super().timeout_keep_alive_handler()
        self._linger()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not a request, a head that is too long, or a body of too many chunks."""
        failure = sys.exc_info()[1]
        if isinstance(failure, h11.RemoteProtocolError) and failure.error_status_hint == HeadTooLarge.status:
            self._refuse(HeadTooLarge.status, LONG_HEAD)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, MANY_CHUNKS if str(failure) == MANY_CHUNKS else msg)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a note if the process has too many connections."""
        if origin := ORIGIN.match(scope["raw_path"]):  # RFC 9112 section 3.2.2: a server must accept a whole URL too
            scope["raw_path"] = scope["raw_path"][origin.end() :] or b"/"
            scope["path"] = unquote(scope["raw_path"].decode())
        scope["state"][IS_CROWDED] = self._most is not None and len(self.connections) > self._most
        await self._served(
            scope, receive, self._ask_first(send) if self.conn.they_are_waiting_for_100_continue else send
        )

    def _ask_first(self, send: Send) -> Send:
        """Send 100 (Continue) before an answer that begins before the body was read; uvicorn sends it with a read only.

        RFC 9110 section 10.1.1: a caller that waits for it may keep its body back although the answer has begun.
        """

        async def send_after_100(message: Message) -> None:
            is_success = message["type"] == "http.response.start" and message["status"] < HTTPStatus.MULTIPLE_CHOICES
            if is_success and self.conn.they_are_waiting_for_100_continue and not self.transport.is_closing():
                self.transport.write(self.conn.send(CONTINUE) or b"")
            await send(message)

        return send_after_100

    def _wait_for_head(self) -> None:
        self._waiting_for_head = self.loop.call_later(
            HEAD_SECONDS, self._refuse, HTTPStatus.REQUEST_TIMEOUT, f"Send a request's head within {HEAD_SECONDS} s."
        )

    def _stop_waiting(self) -> None:
        _cancel(self._waiting_for_head)
        self._waiting_for_head = None

    def _linger(self) -> None:
        """Close the connection soon, whatever its caller still sends or has not taken yet."""
        _cancel(self._lingering)
        self._lingering = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer without the application, unless it has begun to answer, and close the connection."""
        self._linger()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        headers = {"Content-Type": "text/plain; charset=utf-8", **HEADERS, "Connection": "close"}
        events = (
            h11.Response(status_code=status, headers=list(headers.items()), reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=sentence.encode()),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        return False


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer:
        timer.cancel()


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
