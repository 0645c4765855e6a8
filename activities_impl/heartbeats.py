"""Heartbeats of long steps, by which Temporal notices within seconds that the process of a step has ended."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Heartbeats(Interceptor):
    """Send heartbeats in the background while a step runs, if its workflow has set a heartbeat timeout."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the heartbeats between Temporal and each step."""
        return _Heartbeats(next)


class _Heartbeats(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if timeout is None:
            return await super().execute_activity(input)
        sending = asyncio.create_task(_send_heartbeats(timeout / 3))
        try:
            return await super().execute_activity(input)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending


async def _send_heartbeats(every: timedelta) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(every.total_seconds())
