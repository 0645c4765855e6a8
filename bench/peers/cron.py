"""A cron job: the request does the steps itself and writes the row; `work N` marks what is due every N seconds."""

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
from db.snapshots import NOW
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


async def created(steps: Steps, scheduled: ScheduledActivityInput) -> Snapshot:
    """The five steps, called: what none of them survives is lost."""
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
    """PostgreSQL is all there is."""
    steps = Steps(database)

    async def create(scheduled: ScheduledActivityInput) -> Snapshot:
        return await created(steps, scheduled)

    yield create


async def work(every: float) -> None:
    """At each full multiple of `every` seconds, as cron has it."""
    database = open_database(DatabaseSettings().database_url.get_secret_value())
    while True:
        await asyncio.sleep(every - time.time() % every)
        async with database.autocommit.connect() as connection:
            await connection.execute(MARK)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        asyncio.run(work(float(sys.argv[2])))
    serve(opening)
