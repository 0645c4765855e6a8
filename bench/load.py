"""Run a closed loop of callers, each waiting for its answer before its next call.

The client is cheap, because it shares the processors with the servers it measures.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from embedded.demo_ids import COMMERCE_ID

Call = Callable[[], Awaitable[object]]


@dataclass
class Measured:
    """The latencies of a loop's calls and its duration, in seconds."""

    seconds: float
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return the calls per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """Return the latency in milliseconds that `part` of the calls didn't exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def body(**changes: Any) -> dict[str, Any]:
    """Return the contract's example with a fresh key, due in a month by default."""
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
    """HTTP/1.1 on one open connection, limited to the parts that our servers use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader, self._writer, self._head = reader, writer, head

    async def post(self, path: str, content: bytes) -> tuple[int, bytes]:
        """Post a body; returns the answer's status and body."""
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}content-length: {len(content)}\r\n\r\n".encode())
        self._writer.write(content)
        return await self._answer()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Get a path; returns the answer's status and body."""
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        return await self._answer()

    async def _answer(self) -> tuple[int, bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)


@asynccontextmanager
async def connection(base_url: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    """Open a connection to one of our servers."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"host": address.netloc, **headers}.items())
    try:
        yield Connection(reader, writer, head)
    finally:
        writer.close()


@asynccontextmanager
async def posting(
    base_url: str, headers: Mapping[str, str], *, answers: Collection[int] = (201,), **changes: Any
) -> AsyncIterator[Call]:
    """Open a caller that creates one activity per call; an answer with another status ends the benchmark."""
    async with connection(base_url, headers) as opened:

        async def create() -> None:
            status, answer = await opened.post("/api/activities", json.dumps(body(**changes)).encode())
            if status not in answers:
                raise RuntimeError(answer.decode())

        yield create


async def create_at_once(
    base_url: str,
    headers: Mapping[str, str],
    number: int,
    callers: int,
    *,
    answers: Collection[int] = (201,),
    **changes: Any,
) -> None:
    """Create this number of activities by some callers at once, at full speed."""
    left = iter(range(number))

    async def create_some() -> None:
        async with posting(base_url, headers, answers=answers, **changes) as create:
            for _ in left:
                await create()

    await asyncio.gather(*(create_some() for _ in range(callers)))


@asynccontextmanager
async def many_posting(base_url: str, headers: Mapping[str, str], callers: int) -> AsyncIterator[list[Call]]:
    """Open this number of callers, each on its own connection."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(posting(base_url, headers)) for _ in range(callers)]


async def loop(calls: list[Call], seconds: float) -> Measured:
    """Let every caller repeat its call until the time is over."""
    measured = Measured(seconds)
    started = time.perf_counter()

    async def repeat(call: Call) -> None:
        while (before := time.perf_counter()) < started + seconds:
            await call()
            measured.latencies.append(time.perf_counter() - before)

    await asyncio.gather(*(repeat(call) for call in calls))
    measured.seconds = time.perf_counter() - started
    return measured
