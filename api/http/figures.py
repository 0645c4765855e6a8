"""Gauges of the backlog in PostgreSQL and in Temporal's task queues, read at most every 15 seconds in each process."""

import asyncio
import time
from contextlib import suppress
from math import inf, nan

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api.http.registry import REGISTRY
from db.engine import Database
from db.figures import FIGURES, Figures
from db.rows import fetch_row
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE
from runs.task_queues import KINDS, QueueState, describe_task_queues
from workflows.words import Channel

OVERDUE = Gauge(
    "scheduled_activities_overdue", "READY activities whose time has passed without a mark.", registry=REGISTRY
)
OLDEST_OVERDUE = Gauge(
    "scheduled_activities_oldest_overdue_seconds", "Age of the oldest overdue activity.", registry=REGISTRY
)
UNRESOLVED = Gauge(
    "scheduled_activities_unresolved", "UNRESOLVED activities, which wait for an operator.", registry=REGISTRY
)
DUE_SOON = Gauge(
    "scheduled_activities_due_soon",
    "READY activities that are due within MAX_LEAD_SECONDS, overdue ones included: what the workers have to mark.",
    registry=REGISTRY,
)
DUE = Gauge("scheduled_activities_due", "DUE activities that no executor has claimed.", ("channel",), registry=REGISTRY)
OLDEST_DUE = Gauge(
    "scheduled_activities_oldest_due_seconds",
    "Seconds for which the oldest DUE activity has waited for an executor.",
    ("channel",),
    registry=REGISTRY,
)
EXPIRED_LEASES = Gauge(
    "scheduled_activities_expired_leases", "Leases that ran out and are not taken back yet.", registry=REGISTRY
)
WORKERS = Gauge(
    "scheduled_activities_workers",
    "Worker processes that have polled a task queue in the last 90 seconds.",
    ("task_queue", "kind"),
    registry=REGISTRY,
)
BACKLOG = Gauge(
    "scheduled_activities_task_backlog",
    "Tasks that wait in a task queue, approximately.",
    ("task_queue", "kind"),
    registry=REGISTRY,
)
BACKLOG_AGE = Gauge(
    "scheduled_activities_task_backlog_age_seconds",
    "Seconds for which the oldest task of a task queue has waited.",
    ("task_queue", "kind"),
    registry=REGISTRY,
)
UNKNOWN = Figures(nan, nan, nan, nan, dict.fromkeys(Channel, (nan, nan)), nan)
UNKNOWN_QUEUES = [QueueState(queue, kind, nan, nan, nan) for queue in (TASK_QUEUE, BULK_TASK_QUEUE) for kind in KINDS]


class Backlog:
    """Reads the figures and sets the gauges. What can't be reached is NaN."""

    def __init__(self, database: Database, temporal: Client, lead_seconds: float, every_seconds: float) -> None:
        self._database, self._temporal = database, temporal
        self._lead_seconds, self._every_seconds = lead_seconds, every_seconds
        self._read_at = -inf

    async def refresh(self) -> None:
        """Read the figures, unless they are young enough."""
        if time.monotonic() < self._read_at + self._every_seconds:
            return
        figures, queues = await asyncio.gather(self._read_figures(), self._read_queues())
        self._read_at = time.monotonic()
        _set_figures(figures)
        for queue in queues:
            labels = (queue.task_queue, queue.kind)
            WORKERS.labels(*labels).set(queue.workers)
            BACKLOG.labels(*labels).set(queue.backlog)
            BACKLOG_AGE.labels(*labels).set(queue.backlog_age_seconds)

    async def _read_figures(self) -> Figures:
        with suppress(SQLAlchemyError, OSError):
            async with self._database.autocommit.connect() as connection:
                found = await fetch_row(connection, Figures, FIGURES, {"lead_seconds": self._lead_seconds})
                return found or UNKNOWN
        return UNKNOWN

    async def _read_queues(self) -> list[QueueState]:
        with suppress(RPCError, OSError):
            return await describe_task_queues(self._temporal)
        return UNKNOWN_QUEUES


def _set_figures(figures: Figures) -> None:
    OVERDUE.set(figures.overdue)
    OLDEST_OVERDUE.set(figures.oldest_overdue_seconds)
    UNRESOLVED.set(figures.unresolved)
    DUE_SOON.set(figures.due_soon)
    EXPIRED_LEASES.set(figures.expired_leases)
    for channel in Channel:
        due, oldest = figures.due.get(channel, (0, 0))
        DUE.labels(channel).set(due)
        OLDEST_DUE.labels(channel).set(oldest)
