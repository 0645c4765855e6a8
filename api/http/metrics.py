"""Prometheus metrics of the API: requests, creations, lateness at the hand-off, and the backlog in PostgreSQL."""

import asyncio
import time
from contextlib import suppress
from math import inf, nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from sqlalchemy import and_, func, select
from sqlalchemy.exc import SQLAlchemyError

from db.engine import Database
from db.models import ScheduledActivity
from db.rows import NOW
from workflows.tenant_limits import METRICS_SECONDS
from workflows.words import ActivityStatus

disable_created_metrics()  # type: ignore[no-untyped-call]  # their lines double the text, and no rule reads them
REGISTRY = CollectorRegistry()
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
OVERDUE = Gauge(
    "scheduled_activities_overdue", "READY activities whose time has passed without a mark.", registry=REGISTRY
)
OLDEST_OVERDUE = Gauge(
    "scheduled_activities_oldest_overdue_seconds", "Age of the oldest overdue activity.", registry=REGISTRY
)
UNRESOLVED = Gauge(
    "scheduled_activities_unresolved", "UNRESOLVED activities, which wait for an operator.", registry=REGISTRY
)

_overdue = and_(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.scheduled_at < NOW)
_backlog = select(
    select(func.count()).where(_overdue).scalar_subquery(),
    select(func.coalesce(func.extract("epoch", NOW - func.min(ScheduledActivity.scheduled_at)), 0))
    .where(_overdue)
    .scalar_subquery(),
    select(func.count()).where(ScheduledActivity.status == ActivityStatus.UNRESOLVED).scalar_subquery(),
)
"""Counted over all tenants by an index. PostgreSQL is asked so that the backlog rises even while no worker runs."""


class Exposition:
    """Composes the text that Prometheus reads, once a second at most, whatever the number of scrapers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next: asyncio.Task[bytes] | None = None
        self._composed_at = -inf

    async def read(self) -> bytes:
        """Return the next text; all requests that wait for it share it. Without PostgreSQL the backlog is NaN."""
        self._next = self._next or asyncio.create_task(self._compose())
        return await asyncio.shield(self._next)

    async def _compose(self) -> bytes:
        await asyncio.sleep(self._composed_at + METRICS_SECONDS - time.monotonic())
        self._next, self._composed_at = None, time.monotonic()  # later requests wait for a later text
        overdue = oldest = unresolved = nan
        with suppress(SQLAlchemyError, OSError):
            async with self._database.autocommit.connect() as connection:
                overdue, oldest, unresolved = (await connection.execute(_backlog)).one()
        OVERDUE.set(overdue)
        OLDEST_OVERDUE.set(oldest)
        UNRESOLVED.set(unresolved)
        return await asyncio.to_thread(generate_latest, REGISTRY)
