"""Time limits of calls to Temporal, each with what waits meanwhile."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.service import RPCError, RPCStatusCode

Answer = TypeVar("Answer")

ANSWER_PATIENCE = timedelta(seconds=3)
"""One question or one start: a request or a readiness check waits."""

LOCKED_PATIENCE = timedelta(seconds=2)
"""All questions and starts of a transaction that holds a row's lock: others wait for the lock 5 s at most."""

ROW_PATIENCE = timedelta(seconds=5)
"""One run, in reconciliation: the other rows of the page wait."""

WHOLE_ROW_PATIENCE = timedelta(seconds=10)
"""Everything that reconciliation does about one row: one of its slots waits."""

LIST_PATIENCE = timedelta(seconds=10)
"""One page of a list of runs: a step of reconciliation or of an erasure waits that has nothing else to do."""

BULK_START_PATIENCE = timedelta(seconds=5)
"""The start of a bulk operation: only its caller waits, and a start that is cut off has to be looked up."""

BULK_ITEM_PATIENCE = timedelta(seconds=15)
"""One change of a bulk operation: one of its slots waits, and without a worker every item takes this long."""

BULK_STOP_PATIENCE = timedelta(seconds=5)
"""A stop of a bulk operation: the outcomes of the changes that are under way; its caller can look again."""


async def wait_for_answer(call: Awaitable[Answer], seconds: float) -> Answer:
    """Turn silence, and a connection that can't be made at all, into an `RPCError`."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except (TimeoutError, RuntimeError) as failure:
        raise RPCError("no answer in time", RPCStatusCode.UNAVAILABLE, b"") from failure
