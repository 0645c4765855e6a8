"""Limit the calls to Temporal of a transaction that holds a row's lock."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.service import RPCError, RPCStatusCode

from runs.patience import LOCKED_PATIENCE

Answer = TypeVar("Answer")


class LockedCalls:
    """The calls of one transaction. They share one limit of time, because others wait for the lock meanwhile."""

    def __init__(self, patience: timedelta = LOCKED_PATIENCE) -> None:
        self._left = patience.total_seconds()

    async def limit(self, call: Awaitable[Answer]) -> Answer:
        """Make a call within the time that the calls before it have left.

        Raises:
            RPCError: no answer in time.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                return await call
        except (TimeoutError, RuntimeError) as failure:
            raise RPCError("no answer in time", RPCStatusCode.UNAVAILABLE, b"") from failure
        finally:
            self._left -= time.monotonic() - began
