"""Observe at which moment executors can see activities as due."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import func, select

from bench.create import OURS, PEERS, start_peers
from bench.load import connection
from bench.machine import Machine
from bench.servers import Servers, answers, python, wait_for
from db.engine import open_database
from db.models import ScheduledActivity
from db.rows import NOW
from workflows.words import ActivityStatus

LOOK_EVERY, LOOK_AT_HERD_EVERY = 0.05, 0.1
PATIENCE = 300
CRON = "cron"
DATABASES = {name: database for name, (_, database) in PEERS.items()} | {CRON: CRON}

Due = Callable[[], Awaitable[dict[str, float]]]
"""Returns the ids that are due now, with their scheduled time."""
Counted = Callable[[datetime], Awaitable[int]]
"""Returns how many of the activities scheduled at a time are due now."""


def start(servers: Servers, *peers: str, cron_every: float | None = None) -> dict[str, str]:
    """Start our stack, peers that wake by themselves, and a cron job on request; returns their base URLs."""
    urls = {OURS: servers.start_ours()}
    if not isinstance(servers, Machine):
        return urls
    urls |= start_peers(servers, *peers, WAKE="yes")
    if cron_every:
        servers.database(CRON)
        urls[CRON] = servers.start("cron", python("-m", "bench.peers.cron"), database=CRON)
        wait_for(lambda: answers(f"{urls[CRON]}/health/ready"))
        servers.start("cron job", python("-m", "bench.peers.cron", "work", str(cron_every)), database=CRON)
    return urls


@asynccontextmanager
async def observer(
    servers: Servers, name: str, url: str, headers: Mapping[str, str]
) -> AsyncIterator[tuple[Due, Counted]]:
    """Open the queries for due activities: ours over HTTP, as executors see them, the peers' by the cheaper SQL."""
    if name != OURS:
        assert isinstance(servers, Machine)  # noqa: S101 - peers have databases on servers of our own only
        async with _by_sql(servers, DATABASES[name]) as by_sql:
            yield by_sql
        return
    async with connection(url, headers) as opened:

        async def due() -> dict[str, float]:
            _, answer = await opened.get("/api/activities?status=DUE&sort=scheduled_at&order=desc&per_page=100")
            return {
                one["id"]: datetime.fromisoformat(one["scheduledAt"]).timestamp() for one in json.loads(answer)["data"]
            }

        async def counted(at: datetime) -> int:
            moment = f"{at:%Y-%m-%dT%H:%M:%S}"
            query = f"status=DUE&per_page=1&scheduled_from={moment}.000Z&scheduled_to={moment}.001Z"
            _, answer = await opened.get(f"/api/activities?{query}")
            return int(json.loads(answer)["meta"]["total"])

        yield due, counted


@asynccontextmanager
async def _by_sql(servers: Machine, database: str) -> AsyncIterator[tuple[Due, Counted]]:
    opened_database = open_database(servers.postgres.url(database))
    marked = ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.due_at <= NOW
    newest = select(ScheduledActivity.id, ScheduledActivity.scheduled_at).where(*marked)
    newest = newest.order_by(ScheduledActivity.scheduled_at.desc()).limit(500)
    async with opened_database.autocommit.connect() as opened:

        async def due() -> dict[str, float]:
            return {str(row.id): row.scheduled_at.timestamp() for row in await opened.execute(newest)}

        async def counted(at: datetime) -> int:
            counting = select(func.count()).select_from(ScheduledActivity)
            return int(
                (await opened.execute(counting.where(*marked, ScheduledActivity.scheduled_at == at))).scalar_one()
            )

        yield due, counted
    await opened_database.dispose()


async def lateness_of_each(due: Due, known: set[str], expected: int) -> list[float]:
    """Return for each activity the seconds from its time until it was seen; `known` are those of earlier rounds."""
    late: dict[str, float] = {}
    async with asyncio.timeout(PATIENCE):
        while len(late) < expected:
            found = await due()
            now = time.time()
            late |= {one: now - at for one, at in found.items() if one not in late and one not in known}
            await asyncio.sleep(LOOK_EVERY)
    known.update(late)
    return sorted(late.values())


async def lateness_of_herd(counted: Counted, at: datetime, expected: int) -> list[float]:
    """Return for each activity of a herd the seconds from the common time until it was seen."""
    late: list[float] = []
    async with asyncio.timeout(PATIENCE):
        while len(late) < expected:
            seen, now = await counted(at), time.time()
            late += [now - at.timestamp()] * (seen - len(late))
            await asyncio.sleep(LOOK_AT_HERD_EVERY)
    return late
