"""Turns: limit how many requests of a tenant the process carries out at the same time; the others wait (ADR 43)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request

from api.http.errors import RateLimited
from api.http.quotas import Quotas
from workflows.tenant_limits import (
    LARGE_REQUESTS,
    LONGEST_QUEUE,
    QUEUE_SECONDS,
    REQUESTS_AT_ONCE,
    TURN_SECONDS,
    WHOLE_READS,
)


@dataclass
class _Queue:
    """The turns of a tenant, and the number of those who wait for one."""

    noun: str
    most: int
    turns: asyncio.Semaphore = field(init=False)
    waiting: int = 0

    def __post_init__(self) -> None:
        self.turns = asyncio.Semaphore(self.most)


class Turn:
    """A turn of one request or item: taken when its work begins, and given back at its end or after some time.

    Without a queue it is there at once.
    """

    def __init__(self, queue: _Queue | None = None, seconds: float | None = None) -> None:
        self._queue, self._seconds = queue, seconds
        self._is_held = False
        self._end: asyncio.TimerHandle | None = None

    async def take(self, *, patient: bool = False) -> bool:
        """Wait for the turn; return True if others were before. A `patient` one waits for any time in any queue.

        Raises:
            RateLimited: too many wait, or it has waited for too long.
        """
        if self._queue is None or self._is_held:
            return False
        has_waited = self._queue.turns.locked()
        await (self._queue.turns.acquire() if patient else self._wait(self._queue))
        self._is_held = True
        if self._seconds is not None:
            self._end = asyncio.get_running_loop().call_later(self._seconds, self.give_back)
        return has_waited

    async def _wait(self, queue: _Queue) -> None:
        if queue.turns.locked() and queue.waiting >= LONGEST_QUEUE:
            raise _refusal(queue)
        queue.waiting += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await queue.turns.acquire()
        except TimeoutError:
            raise _refusal(queue) from None
        finally:
            queue.waiting -= 1

    def give_back(self) -> None:
        """Let the next one begin. It does nothing if the turn was given back before."""
        if self._end:
            self._end.cancel()
            self._end = None
        if self._queue is not None and self._is_held:
            self._is_held = False
            self._queue.turns.release()


def _refusal(queue: _Queue) -> RateLimited:
    return RateLimited(
        f"{queue.most:,} {queue.noun} of the tenant are carried out at the same time, and too many others wait. Nothing"
        " was begun: wait for answers before you send more."
    )


class Turns:
    """The turns of all tenants."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._queues: WeakValueDictionary[tuple[UUID, str, int], _Queue] = WeakValueDictionary()

    @property
    def number_of_queues(self) -> int:
        """Return the number of queues that are kept: one without requests is forgotten."""
        return len(self._queues)

    @property
    def most_waiting(self) -> int:
        """Return how many requests wait for a turn of the tenant that has the most of them."""
        return max((queue.waiting for queue in self._queues.values()), default=0)

    async def begin(self, request: Request, tenant_id: UUID) -> None:
        """Give a request its two turns, neither of them taken yet. They end with the request at the latest."""
        large = Turn(self._find_queue(tenant_id, "large requests", LARGE_REQUESTS))
        request.scope["state"]["turns"] = (await self._find_turn(tenant_id), large)

    @asynccontextmanager
    async def of_item(self, tenant_id: UUID) -> AsyncIterator[None]:
        """Wait for the turn of an item; the number of items that wait is limited otherwise."""
        turn = await self._find_turn(tenant_id)
        await turn.take(patient=True)
        try:
            yield
        finally:
            turn.give_back()

    @asynccontextmanager
    async def reading_whole(self, tenant_id: UUID) -> AsyncIterator[None]:
        """Wait for the turn of a search or a count that reads all of a tenant's rows of a kind.

        Raises:
            RateLimited: too many wait, or it has waited for too long.
        """
        turn = Turn(self._find_queue(tenant_id, "searches and counts", WHOLE_READS))
        await turn.take()
        try:
            yield
        finally:
            turn.give_back()

    async def _find_turn(self, tenant_id: UUID) -> Turn:
        most = await self._quotas.find(tenant_id, REQUESTS_AT_ONCE)
        return Turn(None if most is None else self._find_queue(tenant_id, "requests", most), TURN_SECONDS)

    def _find_queue(self, tenant_id: UUID, noun: str, most: int) -> _Queue:
        return self._queues.setdefault((tenant_id, noun, most), _Queue(noun, most))


_NO_TURNS = (Turn(), Turn())


def turn_of(request: Request) -> Turn:
    """Return the turn of a request. One without a tenant needs none."""
    turn: Turn = request.scope["state"].get("turns", _NO_TURNS)[0]
    return turn


def large_turn_of(request: Request) -> Turn:
    """Return the turn that a request takes before it reads a large body."""
    turn: Turn = request.scope["state"].get("turns", _NO_TURNS)[1]
    return turn


async def take_turn(request: Request) -> None:
    """Wait for the turn of a request whose body, if it has one, is read.

    Raises:
        RateLimited: too many wait, or it has waited for too long.
        ClientDisconnect: the caller has gone meanwhile, so that nothing is begun.
    """
    if await turn_of(request).take() and await request.is_disconnected():
        raise ClientDisconnect


def end_turns(state: Mapping[str, Any]) -> None:
    """Give back the turns of a request that has ended."""
    for turn in state.get("turns", ()):
        turn.give_back()
