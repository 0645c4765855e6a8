"""Prometheus metrics of the API: requests, creations, lateness at the hand-off, and the text with all of them."""

import asyncio
import time
from math import inf

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from api.http.figures import Backlog
from api.http.registry import REGISTRY
from api.http.turns import Turns
from workflows.tenant_limits import METRICS_SECONDS

REQUESTS = Counter(
    "http_requests", "Requests by method, route and status.", ("method", "route", "status"), registry=REGISTRY
)
LATENCY = Histogram(
    "http_request_seconds",
    "Seconds per request.",
    ("method", "route"),
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
WAITING = Gauge(
    "http_requests_waiting",
    "Requests that wait for a turn of their tenant: those of the tenant that has the most of them in this process.",
    registry=REGISTRY,
)
CREATIONS = Counter(
    "scheduled_activity_creations", "Creations by the code of their answer.", ("code",), registry=REGISTRY
)
_LATENESS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600)
CLAIMABLE_LATENESS = Histogram(
    "scheduled_activity_claimable_lateness_seconds",
    "Seconds from the scheduled time until executors could claim the activity; observed at the first claim.",
    ("channel",),
    buckets=_LATENESS,
    registry=REGISTRY,
)
CLAIMED_LATENESS = Histogram(
    "scheduled_activity_claimed_lateness_seconds",
    "Seconds from the scheduled time until the first claim.",
    ("channel",),
    buckets=_LATENESS,
    registry=REGISTRY,
)


class Exposition:
    """Composes the text that Prometheus reads, once a second at most, whatever the number of scrapers."""

    def __init__(self, backlog: Backlog, turns: Turns) -> None:
        self._backlog, self._turns = backlog, turns
        self._next: asyncio.Task[bytes] | None = None
        self._composed_at = -inf

    async def read(self) -> bytes:
        """Return the next text; all requests that wait for it share it."""
        self._next = self._next or asyncio.create_task(self._compose())
        return await asyncio.shield(self._next)

    async def _compose(self) -> bytes:
        await asyncio.sleep(self._composed_at + METRICS_SECONDS - time.monotonic())
        self._next, self._composed_at = None, time.monotonic()  # later requests wait for a later text
        await self._backlog.refresh()
        WAITING.set(self._turns.most_waiting)
        return await asyncio.to_thread(generate_latest, REGISTRY)
