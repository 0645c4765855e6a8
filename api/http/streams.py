"""Streams: process items while they arrive, a limited number at once, and return the results in order."""

import asyncio
import re
from codecs import BOM_UTF8
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi.responses import StreamingResponse
from starlette.types import Receive

Item = TypeVar("Item")
Result = TypeVar("Result")


async def process_in_order(
    items: AsyncIterable[Item], work: Callable[[Item], Awaitable[Result]], *, at_once: int, ahead: int
) -> AsyncIterator[Result]:
    """Yield the results in the order of their items, each as soon as it and all before it are there.

    `at_once` limits the work in flight. Reading pauses while `ahead` items are read whose results aren't consumed.
    """
    turns, room = asyncio.Semaphore(at_once), asyncio.Semaphore(ahead)
    started: asyncio.Queue[asyncio.Task[Result] | None] = asyncio.Queue()

    async def process(item: Item) -> Result:
        try:
            return await work(item)
        finally:
            turns.release()

    async def start_all() -> None:
        async for item in items:
            await room.acquire()
            await turns.acquire()
            started.put_nowait(asyncio.create_task(process(item)))

    starting = asyncio.create_task(start_all())
    starting.add_done_callback(lambda _: started.put_nowait(None))
    try:
        while task := await started.get():
            yield await task
            room.release()
        await starting
    finally:
        starting.cancel()


@dataclass
class Queue:
    """The items of one key that are in work or wait for their turn."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0
    is_settled: bool = False


class KeyTurns:
    """Lets items of the same key take turns, in order, until one settles the key; from then on they run at once."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    @property
    def is_empty(self) -> bool:
        """Is no item in work or waiting? A key is forgotten with its last item."""
        return not self._queues

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[Queue]:
        """Wait for the item's turn; set `is_settled` of the queue if later items need not wait for theirs."""
        queue = self._queues.setdefault(key, Queue())
        queue.length += 1
        try:
            async with queue.lock:
                if not queue.is_settled:
                    yield queue
                    return
            yield queue
        finally:
            queue.length -= 1
            if not queue.length:  # a stream may have any number of keys: each is kept no longer than needed
                del self._queues[key]


_BLANK_LINES = re.compile(rb"\n(?:[^\S\n]*+\n)++")


async def split_lines(chunks: AsyncIterable[bytes], longest: int) -> AsyncIterator[bytes]:
    """Yield the lines that aren't blank, each without a byte order mark: files with one may have been joined.

    A line longer than `longest` is cut to one byte more.
    """
    rest = b""
    async for chunk in chunks:
        *whole, rest = _BLANK_LINES.sub(b"\n", rest + chunk).split(b"\n")  # any number of them costs little
        for line in whole:
            content = line.removeprefix(BOM_UTF8)
            if content.strip():
                yield content
        rest = rest.removeprefix(BOM_UTF8)[: longest + 1]
    if rest.strip():
        yield rest


class DuplexResponse(StreamingResponse):
    """A response that begins while its request is still being read."""

    async def listen_for_disconnect(self, receive: Receive) -> None:  # noqa: ARG002 - see below
        """Wait for ever: the reader of the request notices, and a second reader would take chunks from it."""
        await asyncio.Event().wait()
