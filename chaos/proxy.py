"""A TCP proxy that can cut connections, freeze them, or leave them half open."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from enum import Enum
from pathlib import Path

from embedded.temporal_server import LOOPBACK, free_port

BYTES = 65536


class Line(Enum):
    """The state of the proxy's connections."""

    UP = "up"
    CUT = "cut"
    """Connections are reset, and new ones are refused."""
    FROZEN = "frozen"
    """Nothing passes in either direction; what was sent meanwhile arrives later."""
    HALF_OPEN = "half-open"
    """Requests arrive, and every answer is lost; the connections are reset when the line is up again."""


class Proxy:
    """Forward connections from a port of its own to a server: a TCP address, or the path of a Unix socket."""

    def __init__(self, target: tuple[str, int] | Path) -> None:
        self.port = free_port()
        self._target = target
        self._line = Line.UP
        self._up = asyncio.Event()
        self._up.set()
        self._writers: set[StreamWriter] = set()

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Listen from now on, until the event loop ends."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    def set(self, line: Line) -> None:
        """Change the state of all connections; a cut, and the end of a half-open state, reset them."""
        if line is Line.CUT or self._line is Line.HALF_OPEN:
            for writer in self._writers:
                writer.transport.abort()
        self._line = line
        if line is Line.FROZEN:
            self._up.clear()
        else:
            self._up.set()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writers.add(writer)
        upstream: StreamWriter | None = None
        try:
            await self._up.wait()
            if self._line is not Line.CUT:
                answers, upstream = await self._connect()
                self._writers.add(upstream)
                await asyncio.gather(self._pipe(reader, upstream), self._pipe(answers, writer, is_answer=True))
        except OSError:
            pass
        finally:
            for one in filter(None, (writer, upstream)):
                self._writers.discard(one)
                one.transport.abort()

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)

    async def _pipe(self, source: StreamReader, sink: StreamWriter, *, is_answer: bool = False) -> None:
        """Copy until the source ends, then end the sink."""
        while data := await source.read(BYTES):
            await self._up.wait()
            if is_answer and self._line is Line.HALF_OPEN:
                continue
            sink.write(data)
            await sink.drain()
        await self._up.wait()
        with suppress(OSError, RuntimeError):
            sink.write_eof()
