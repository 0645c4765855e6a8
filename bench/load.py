"""A closed loop of callers, each waiting for its answer before it asks again; cheap, for it shares the processors."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from embedded.demo_data import COMMERCE_ID

Call = Callable[[], Awaitable[object]]


@dataclass
class Measured:
    """What a loop has seen: how long each call took, in seconds, and how long all of them."""

    seconds: float
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """The latency, in milliseconds, that `part` of the calls didn't exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def body(**changes: Any) -> dict[str, Any]:
    """The contract's example with a key of its own, due in a month unless said otherwise."""
    return {
        "type": "MESSAGE",
        "reason": "Monthly promotion",
        "channel": "WHATSAPP",
        "commerce_id": str(COMMERCE_ID),
        "idempotency_key": f"bench-{uuid4()}",
        "scheduled_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="milliseconds"),
        "attribute_keys": ["commerce_info"],
    } | changes


class Connection:
    """HTTP/1.1 on one connection that is kept open: as much of it as our own servers speak."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader, self._writer, self._head = reader, writer, head

    async def post(self, path: str, content: bytes) -> tuple[int, bytes]:
        """Send a body; answers status and body."""
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}content-length: {len(content)}\r\n\r\n".encode())
        self._writer.write(content)
        return await self._answer()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Ask; answers status and body."""
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        return await self._answer()

    async def _answer(self) -> tuple[int, bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)


@asynccontextmanager
async def connection(base_url: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    """A connection to a server of ours."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"host": address.netloc, **headers}.items())
    try:
        yield Connection(reader, writer, head)
    finally:
        writer.close()


@asynccontextmanager
async def posting(base_url: str, headers: Mapping[str, str], **changes: Any) -> AsyncIterator[Call]:
    """A caller who creates one activity per call; anything but a 201 ends the benchmark."""
    async with connection(base_url, headers) as opened:

        async def create() -> None:
            status, answer = await opened.post("/api/activities", json.dumps(body(**changes)).encode())
            if status != 201:  # noqa: PLR2004 - HTTP's own number
                raise RuntimeError(answer.decode())

        yield create


@asynccontextmanager
async def many_posting(base_url: str, headers: Mapping[str, str], callers: int) -> AsyncIterator[list[Call]]:
    """So many of them, each on a connection of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(posting(base_url, headers)) for _ in range(callers)]


async def loop(calls: list[Call], seconds: float) -> Measured:
    """Let every caller call until the time is over."""
    measured = Measured(seconds)
    started = time.perf_counter()

    async def one(call: Call) -> None:
        while (before := time.perf_counter()) < started + seconds:
            await call()
            measured.latencies.append(time.perf_counter() - before)

    await asyncio.gather(*(one(call) for call in calls))
    measured.seconds = time.perf_counter() - started
    return measured
