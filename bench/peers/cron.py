"""Create in the request itself and mark by a cron job: `work N` marks due activities every N seconds."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, update

from bench.peers.route import Create, serve
from bench.peers.steps import Steps
from db.engine import Database, open_database
from db.models import ScheduledActivity
from db.rows import NOW
from settings import DatabaseSettings
from workflows.messages import Record, ScheduledActivityInput, Snapshot
from workflows.words import ActivityStatus

MARK = (
    update(ScheduledActivity)
    .where(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.scheduled_at <= NOW)
    .values(
        status=ActivityStatus.DUE,
        due_at=ScheduledActivity.scheduled_at,
        marked_at=func.clock_timestamp(),
        lateness_ms=0,
        version=ScheduledActivity.version + 1,
    )
)


async def create_directly(steps: Steps, scheduled: ScheduledActivityInput) -> Snapshot:
    """Call the five steps without durability: a crash between them loses the creation."""
    await steps.commerce(scheduled)
    ready = Record(
        scheduled=scheduled,
        reason=await steps.reason(scheduled),
        target=await steps.target(scheduled),
        attributes=await steps.attributes(scheduled),
    )
    return await steps.record(ready, "")


@asynccontextmanager
async def opening(database: Database) -> AsyncIterator[Create]:
    """Open the peer; it needs only PostgreSQL."""
    steps = Steps(database)

    async def create(scheduled: ScheduledActivityInput) -> Snapshot:
        return await create_directly(steps, scheduled)

    yield create


async def work(every: float) -> None:
    """Mark due activities at each full multiple of `every` seconds, as cron does."""
    database = open_database(DatabaseSettings().database_url.get_secret_value())
    while True:
        await asyncio.sleep(every - time.time() % every)
        async with database.autocommit.connect() as connection:
            await connection.execute(MARK)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        asyncio.run(work(float(sys.argv[2])))
    serve(opening)
