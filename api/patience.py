"""How long a question to Temporal may take: neither an RPC's own time-out nor its retries bound the whole of it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from temporalio.service import RPCError, RPCStatusCode

PATIENCE_SECONDS = 3

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def patiently(ask: Callable[Arguments, Awaitable[Answer]]) -> Callable[Arguments, Awaitable[Answer]]:
    """Turn silence, and a connection that can't be made at all, into the RPC error that says so."""

    @wraps(ask)
    async def bounded(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(*arguments, **named)
        except (TimeoutError, RuntimeError) as failure:
            raise RPCError("no answer in time", RPCStatusCode.UNAVAILABLE, b"") from failure

    return bounded
