"""An issuer that publishes keys on this machine, and servers that answer in its place as they like."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import jwt


class Issuer:
    """Publishes keys on a port of this machine, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.answer: bytes | None = None
        self.asked = 0
        self.speaks = Event()
        self.speaks.set()

    def document(self) -> bytes:
        """The JWKS."""
        self.asked += 1
        self.speaks.wait()
        if self.answer is not None:
            return self.answer
        found = [published(key, kid) for kid, key in self.keys.items()]
        return json.dumps({"keys": found}).encode()

    @contextmanager
    def publishing(self) -> Iterator[str]:
        """The URL, for as long as the block runs."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(_self) -> None:  # noqa: N805 - the name is http.server's; `self` is the issuer
                body = self.document()
                _self.send_response(200)
                _self.end_headers()
                _self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/jwks"
            finally:
                server.shutdown()
                thread.join()


_JWK: dict[str, Any] = {
    "RSAPrivateKey": lambda key: jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()),
    "ECPrivateKey": lambda key: jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()),
    "Ed25519PrivateKey": lambda key: jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()),
}


def published(key: Any, kid: str) -> dict[str, Any]:
    """The public half of a key as an issuer publishes it."""
    found: dict[str, Any] = json.loads(_JWK[type(key).__name__](key)) | {"kid": kid}
    return found


@asynccontextmanager
async def answering(respond: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """The URL of a server that reads a request's head and then writes what `respond` writes."""
    handled: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handled.add(task)
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await respond(writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
        await asyncio.gather(*handled)
