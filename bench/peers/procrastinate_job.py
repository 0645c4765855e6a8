"""Create in the request itself, without durability, and defer a procrastinate job to the activity's time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from procrastinate import App, PsycopgConnector
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from bench.peers.cron import create_directly
from bench.peers.route import Create, serve
from bench.peers.steps import Steps
from db import marks
from db.engine import Database, open_database
from db.sessions import connect_arguments
from settings import DatabaseSettings
from workflows.messages import MarkDue, ScheduledActivityInput, Snapshot


def conninfo() -> str:
    """Return the database's address for psycopg."""
    return make_conninfo(**connect_arguments(make_url(os.environ["DATABASE_URL"])))


app = App(connector=PsycopgConnector(conninfo=conninfo(), max_size=20))
OPENED: dict[str, Database] = {}


@app.task(name="mark_due")
async def mark_due(tenant_id: str, activity_id: str) -> None:
    """Mark the activity with our statement."""
    mark = MarkDue(tenant_id=UUID(tenant_id), id=UUID(activity_id), version=1)
    async with OPENED["database"].autocommit.connect() as connection:
        await connection.execute(*marks.mark_due_statement(mark))


@asynccontextmanager
async def opening(database: Database) -> AsyncIterator[Create]:
    """Open procrastinate's pool, and create its schema if it is missing."""
    steps = Steps(database)
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()

        async def create(scheduled: ScheduledActivityInput) -> Snapshot:
            recorded = await create_directly(steps, scheduled)
            request = scheduled.request
            lock = f"{scheduled.tenant_id}:{request.idempotency_key}"
            deferrer = mark_due.configure(queueing_lock=lock, schedule_at=request.scheduled_at)
            await deferrer.defer_async(tenant_id=str(scheduled.tenant_id), activity_id=str(scheduled.id))
            return recorded

        yield create


async def work() -> None:
    """Run the worker of due jobs."""
    OPENED["database"] = open_database(DatabaseSettings().database_url.get_secret_value())
    async with app.open_async():
        await app.run_worker_async(concurrency=20, install_signal_handlers=False, fetch_job_polling_interval=0.5)


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        asyncio.run(work())
    serve(opening)
