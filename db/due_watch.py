"""Wake the requests that wait for something due: one connection of the process listens for all of them."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Self
from uuid import UUID

import psycopg
import structlog
from pydantic import BaseModel, FiniteFloat, ValidationError
from sqlalchemy import URL

from db.sessions import connect_arguments
from workflows.words import ActivityType, Channel

log = structlog.get_logger(__name__)

NOTIFICATION = "scheduled_activity_due"
"""Sent by a trigger with tenant, channel, type, and the seconds by which the mark was made ahead of its time."""

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5
"""Limits of the pause before the next attempt to listen: it doubles with each failure."""

SHORTEST_SLEEP_SECONDS = 0.02
"""Limits each waiter to 50 reads a second in a burst of notifications."""


class Mark(BaseModel, frozen=True, strict=True):
    """The payload of a notification."""

    tenant_id: str
    channel: str
    type: str
    seconds: FiniteFloat


class Waiter:
    """A request that waits for due activities of a tenant on some channels; it sleeps until a read may find one."""

    def __init__(self, tenant_id: UUID, channels: Collection[Channel], types: Collection[ActivityType]) -> None:
        self.tenant_id = str(tenant_id)
        self._channels = frozenset(channels)
        self._types = frozenset(types)
        self._wake_at = float("inf")
        self._notified = asyncio.Event()

    def begin_read(self) -> None:
        """Forget earlier notifications: those that arrive from here on end the sleep after the read."""
        self._wake_at = float("inf")

    def notify(self, mark: Mark) -> None:
        """Wake at the moment of the mark if it is one that the request waits for."""
        if mark.tenant_id == self.tenant_id and mark.channel in self._channels and mark.type in self._types:
            self.wake_in(mark.seconds)

    def wake_in(self, seconds: float) -> None:
        """End the sleep in so many seconds at the latest."""
        self._wake_at = min(self._wake_at, asyncio.get_running_loop().time() + seconds)
        self._notified.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep until something may be due, for so many seconds at most."""
        self.wake_in(seconds)
        await asyncio.sleep(SHORTEST_SLEEP_SECONDS)
        while (left := self._wake_at - asyncio.get_running_loop().time()) > 0:
            self._notified.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._notified.wait()


class DueWatch:
    """Listens for marks on a session of its own, so not through a pooler that shares sessions by transaction."""

    def __init__(self, url: URL) -> None:
        self._arguments = connect_arguments(url)
        self._is_interrupted = False
        self._has_met_malformed = False
        self._pause_seconds: float = SHORTEST_PAUSE_SECONDS
        self._waiters: set[Waiter] = set()
        self._listening: asyncio.Task[None] | None = None
        self.is_stopping = False

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._keep_listening())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    def stop(self) -> None:
        """Wake all requests, because the process is about to end."""
        self.is_stopping = True
        self._wake_all()

    @contextmanager
    def waiting(
        self, tenant_id: UUID, channels: Collection[Channel], types: Collection[ActivityType]
    ) -> Iterator[Waiter]:
        """Register a waiter. It is registered before the first read, so that no notification is lost after it."""
        waiter = Waiter(tenant_id, channels, types)
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    def count_waiting(self, tenant_id: UUID) -> int:
        """Count the tenant's requests that wait."""
        name = str(tenant_id)
        return sum(waiter.tenant_id == name for waiter in self._waiters)

    async def _keep_listening(self) -> None:
        """Listen, and listen again after a failure. Each time all waiters read, as notifications may be lost."""
        while True:
            try:
                await self._listen()
            except Exception as failure:  # noqa: BLE001 - without the listener, claims would find nothing until their end
                self._warn_once(failure)
            self._wake_all()
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(autocommit=True, **self._arguments) as connection:
            await connection.execute(f"LISTEN {NOTIFICATION}")
            if self._is_interrupted:
                log.info("listening for due activities again")
            self._is_interrupted = False
            self._pause_seconds = SHORTEST_PAUSE_SECONDS
            self._wake_all()
            self._has_met_malformed = False
            async for notification in connection.notifies():
                self._notify_waiters(notification.payload)

    def _notify_waiters(self, payload: str) -> None:
        """Skip a payload that isn't the trigger's: no mark is lost with it. The first of a session is logged."""
        try:
            mark = Mark.model_validate_json(payload)
        except ValidationError as malformed:
            if not self._has_met_malformed:
                faults = [fault["type"] for fault in malformed.errors()]  # not the payload: it may quote anything
                log.warning("skipping malformed notifications of due activities", faults=faults)
            self._has_met_malformed = True
            return
        for waiter in self._waiters:
            waiter.notify(mark)

    def _warn_once(self, failure: Exception) -> None:
        """Log the first failure of an outage. The server's message names places and roles; others may quote a mark."""
        if not self._is_interrupted:
            is_outage = isinstance(failure, psycopg.Error | OSError)
            reason = " ".join(str(failure).split()) if is_outage else ""
            log.warning("not listening for due activities", failure=type(failure).__name__, reason=reason)
        self._is_interrupted = True

    def _wake_all(self) -> None:
        for waiter in self._waiters:
            waiter.wake_in(0)
