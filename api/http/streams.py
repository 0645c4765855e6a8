"""Work on items as they stream in, answered as they get done: in order, and only so many at once."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    items: AsyncIterable[Item], work: Callable[[Item], Awaitable[Result]], *, at_once: int, ahead: int
) -> AsyncIterator[Result]:
    """The results in the order of their items, each as soon as it and all before it are there.

    `at_once` bounds the work in flight; reading pauses while `ahead` items are read whose results haven't been taken.
    """
    turns, room = asyncio.Semaphore(at_once), asyncio.Semaphore(ahead)
    started: asyncio.Queue[asyncio.Task[Result] | None] = asyncio.Queue()

    async def one(item: Item) -> Result:
        try:
            return await work(item)
        finally:
            turns.release()

    async def start_all() -> None:
        async for item in items:
            await room.acquire()
            await turns.acquire()
            started.put_nowait(asyncio.create_task(one(item)))

    starting = asyncio.create_task(start_all())
    starting.add_done_callback(lambda _: started.put_nowait(None))
    try:
        while task := await started.get():
            yield await task
            room.release()
        await starting
    finally:
        starting.cancel()


async def lines_of(chunks: AsyncIterable[bytes], longest: int) -> AsyncIterator[bytes]:
    """Lines with something in them; of one that is longer than `longest`, no more than shows it."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        rest = rest[: longest + 1]
    if rest.strip():
        yield rest


async def received(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; what was read before the caller went away still counts."""
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            yield chunk


class DuplexResponse(StreamingResponse):
    """An answer that begins while its request is still being read."""

    async def listen_for_disconnect(self, receive: Receive) -> None:  # noqa: ARG002 - see below
        """The request's own reader notices; a second one would take chunks away from it."""
        await asyncio.Event().wait()
