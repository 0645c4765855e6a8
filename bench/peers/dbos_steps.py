"""Create by a DBOS workflow of five durable steps in the API's process, with its state in the same PostgreSQL.

The creation ends with the row. The wait is a second workflow, started only if WAKE is set: creations are measured
without it, although our run starts its wait then. The workflow's id is made from the idempotency key.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, SetWorkflowID
from sqlalchemy import make_url

from bench.peers.route import Create, serve
from bench.peers.steps import Steps
from db import marks
from db.engine import Database
from runs.client import workflow_id
from workflows.messages import MarkDue, Record, ScheduledActivityInput, Snapshot

OPENED: dict[str, Steps] = {}
"""Holds the steps in the module, because DBOS registers functions at import and recovers workflows by their names."""


@DBOS.step()
async def resolve_commerce(scheduled: ScheduledActivityInput) -> Any:
    """Run step 1."""
    return await OPENED["steps"].commerce(scheduled)


@DBOS.step()
async def resolve_reason(scheduled: ScheduledActivityInput) -> Any:
    """Run step 2."""
    return await OPENED["steps"].reason(scheduled)


@DBOS.step()
async def resolve_target(scheduled: ScheduledActivityInput) -> Any:
    """Run step 3."""
    return await OPENED["steps"].target(scheduled)


@DBOS.step()
async def resolve_attributes(scheduled: ScheduledActivityInput) -> Any:
    """Run step 4."""
    return await OPENED["steps"].attributes(scheduled)


@DBOS.step()
async def record(ready: Record) -> Snapshot:
    """Run step 5."""
    return await OPENED["steps"].record(ready, DBOS.workflow_id or "")


@DBOS.workflow()
async def create_activity(scheduled: ScheduledActivityInput) -> Snapshot:
    """Run the five steps; DBOS stores the result of each before the next."""
    await resolve_commerce(scheduled)
    reason = await resolve_reason(scheduled)
    target = await resolve_target(scheduled)
    attributes = await resolve_attributes(scheduled)
    recorded: Snapshot = await record(Record(scheduled=scheduled, reason=reason, target=target, attributes=attributes))
    return recorded


@DBOS.step()
async def mark_due(mark: MarkDue) -> None:
    """Mark the activity with our statement."""
    async with OPENED["steps"].database.autocommit.connect() as connection:
        await connection.execute(*marks.mark_due_statement(mark))


@DBOS.workflow()
async def wake(scheduled: ScheduledActivityInput) -> None:
    """Sleep durably until the activity's time, then mark it."""
    await DBOS.sleep_async((scheduled.request.scheduled_at - datetime.now(UTC)).total_seconds())
    await mark_due(MarkDue(tenant_id=scheduled.tenant_id, id=scheduled.id, version=1))


@asynccontextmanager
async def opening(database: Database) -> AsyncIterator[Create]:
    """Launch DBOS on the database of the rows."""
    OPENED["steps"] = Steps(database)
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql")
    DBOS(
        config={"name": "bench", "system_database_url": url.render_as_string(hide_password=False), "log_level": "ERROR"}
    )
    DBOS.launch()

    async def create(scheduled: ScheduledActivityInput) -> Snapshot:
        with SetWorkflowID(workflow_id(scheduled.tenant_id, scheduled.request.idempotency_key)):
            handle = await DBOS.start_workflow_async(create_activity, scheduled)
        recorded: Snapshot = await handle.get_result()
        if "WAKE" in os.environ:
            await DBOS.start_workflow_async(wake, scheduled)
        return recorded

    yield create
    DBOS.destroy()


if __name__ == "__main__":
    serve(opening)
