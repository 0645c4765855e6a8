"""Wakes who waits for something due: one connection of the process listens for all of them."""

import asyncio
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import URL

from workflows.words import ActivityType, Channel

log = structlog.get_logger(__name__)

NOTIFICATION = "scheduled_activity_due"
"""Sent by a trigger with tenant, channel, type, and how many seconds ahead of its time the mark was made."""

RECONNECT_SECONDS = 1
SHORTEST_SLEEP_SECONDS = 0.02
"""So that a burst of notifications costs each waiter 50 looks a second at most."""


class Waiter:
    """Someone who wants what is due for a tenant on these channels; sleeps until a look is worth while."""

    def __init__(self, tenant_id: UUID, channels: Collection[Channel], types: Collection[ActivityType]) -> None:
        self._tenant_id = str(tenant_id)
        self._channels = frozenset(channels)
        self._types = frozenset(types)
        self._wake_at = float("inf")
        self._told = asyncio.Event()

    def looks(self) -> None:
        """Before a look: what is told from here on is for the sleep after it."""
        self._wake_at = float("inf")

    def tell(self, mark: dict[str, Any]) -> None:
        """Something was marked; it counts if it is what is waited for, from its own moment on."""
        if mark["tenant_id"] == self._tenant_id and mark["channel"] in self._channels and mark["type"] in self._types:
            self.wake_in(mark["seconds"])

    def wake_in(self, seconds: float) -> None:
        """Sleep no longer than that from now."""
        self._wake_at = min(self._wake_at, asyncio.get_running_loop().time() + seconds)
        self._told.set()

    async def sleep(self, seconds: float) -> None:
        """So long at most."""
        self.wake_in(seconds)
        await asyncio.sleep(SHORTEST_SLEEP_SECONDS)
        while (left := self._wake_at - asyncio.get_running_loop().time()) > 0:
            self._told.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._told.wait()


class DueWatch:
    """The process's ear for marks; needs a session of its own, so not a pooler that shares them by transaction."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiters: set[Waiter] = set()
        self._listening: asyncio.Task[None] | None = None
        self.is_stopping = False

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    def stop(self) -> None:
        """The process is about to end: whoever waits shall answer now."""
        self.is_stopping = True
        self._wake_all()

    @contextmanager
    def waiting(
        self, tenant_id: UUID, channels: Collection[Channel], types: Collection[ActivityType]
    ) -> Iterator[Waiter]:
        """Take part before the first look, so that nothing is missed between look and sleep."""
        waiter = Waiter(tenant_id, channels, types)
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    async def _listen_for_ever(self) -> None:
        """While PostgreSQL is away the waiters look for themselves, and so find out and tell their callers."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, ValueError, LookupError) as failure:
                log.warning("no ear for what becomes due", failure=type(failure).__name__)
            self._wake_all()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connecting = psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=3, keepalives_idle=5, keepalives_interval=2
        )
        async with await connecting as connection:
            await connection.execute(f"LISTEN {NOTIFICATION}")
            self._wake_all()
            async for notification in connection.notifies():
                mark = json.loads(notification.payload)
                for waiter in self._waiters:
                    waiter.tell(mark)

    def _wake_all(self) -> None:
        """After a silence nobody knows what was missed."""
        for waiter in self._waiters:
            waiter.wake_in(0)
