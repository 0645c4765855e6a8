"""Rate limits: count the requests and items of each caller, and tell callers what they have left (ADR 39)."""

import time
from math import ceil
from typing import NamedTuple

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.requests import Request

from api.http.auth import Caller
from api.http.errors import RateLimited
from api.http.quotas import Quotas
from workflows.tenant_limits import ITEMS, REQUESTS

log = structlog.get_logger(__name__)

MEMORY = "async+memory://"


class Allowance(NamedTuple):
    """The state of a limit after a count: the number that is left, and the seconds until all of it is there again."""

    is_kept: bool
    left: int
    seconds: int


class RateLimits:
    """Counts in windows that begin with their first count, in this process's memory or in a shared store."""

    def __init__(self, storage_uri: str, quotas: Quotas) -> None:
        self._windows = FixedWindowRateLimiter(storage_from_string(storage_uri, wrap_exceptions=True))
        self._quotas = quotas
        self._is_interrupted = False

    async def take_request(self, caller: Caller, request: Request, count: int = 1) -> None:
        """Count a request as so many, or as all that may be sent in a second.

        Raises:
            RateLimited: the caller has sent as many in this second as it may.
        """
        most = await self._quotas.find(caller.tenant_id, REQUESTS)
        if most is not None:
            await self._take(RateLimitItemPerSecond(most), "requests", max(1, min(count, most)), caller, request)

    async def take_items(self, caller: Caller, request: Request, count: int) -> None:
        """Count items or lines, all of them or none.

        Raises:
            RateLimited: the caller may not send so many more in this minute.
        """
        most = await self._quotas.find(caller.tenant_id, ITEMS)
        if most is not None and count:
            await self._take(RateLimitItemPerMinute(most), "items", count, caller, request)

    async def take(self, limit: RateLimitItem, *caller: str, cost: int = 1) -> Allowance:
        """Count, unless that would be more than the limit. While the store fails, everything is allowed."""
        try:
            is_kept = await self._windows.test(limit, *caller, cost=cost)
            if is_kept:
                is_kept = await self._windows.hit(limit, *caller, cost=cost)
            window = await self._windows.get_window_stats(limit, *caller)
        except StorageError as failure:
            if not self._is_interrupted:
                log.warning("rate limits are not in force", failure=type(failure.storage_error).__name__)
            self._is_interrupted = True
            return Allowance(is_kept=True, left=limit.amount, seconds=0)
        self._is_interrupted = False
        return Allowance(is_kept, window.remaining, max(1, ceil(window.reset_time - time.time())))

    async def _take(self, limit: RateLimitItem, name: str, cost: int, caller: Caller, request: Request) -> None:
        allowance = await self.take(limit, name, str(caller.tenant_id), caller.subject, cost=cost)
        seconds = limit.get_expiry()
        told: dict[str, dict[str, str]] = request.scope["state"].setdefault("rate_limits", {})
        told[name] = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w={seconds}',
            "RateLimit": f'"{name}";r={allowance.left};t={allowance.seconds}',
        }
        if not allowance.is_kept:
            window = "second" if seconds == 1 else "minute"
            raise RateLimited(
                f"The subject of this {caller.credential} may send {limit.amount:,} {name} a {window} in this tenant,"
                f" of which {allowance.left:,} are left. Wait for {allowance.seconds} s, as `Retry-After` says, and"
                " send fewer at once; `GET /api/quotas` shows the limits.",
                retry_after=allowance.seconds,
            )
