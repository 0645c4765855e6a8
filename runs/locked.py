"""Limit the calls to Temporal of a transaction that holds a row's lock."""

import time
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from runs.patience import LOCKED_PATIENCE, wait_for_answer

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
            return await wait_for_answer(call, self._left)
        finally:
            self._left -= time.monotonic() - began
