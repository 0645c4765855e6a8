"""DBOS: one workflow of five durable steps in the process of the API, its state in the same PostgreSQL.

It ends with the row; DBOS isn't charged with the wait that our own run begins. The workflow's id is the key's.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from dbos import DBOS, SetWorkflowID
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.peers.route import Create, serve
from bench.peers.steps import Steps
from workflows.client import workflow_id
from workflows.payloads import Record, ScheduledActivityInput, Snapshot

OPENED: dict[str, Steps] = {}
"""DBOS registers functions when they are imported, and finds them by name when it recovers a workflow."""


@DBOS.step()
async def resolve_commerce(scheduled: ScheduledActivityInput) -> Any:
    """Step 1."""
    return await OPENED["steps"].commerce(scheduled)


@DBOS.step()
async def resolve_reason(scheduled: ScheduledActivityInput) -> Any:
    """Step 2."""
    return await OPENED["steps"].reason(scheduled)


@DBOS.step()
async def resolve_target(scheduled: ScheduledActivityInput) -> Any:
    """Step 3."""
    return await OPENED["steps"].target(scheduled)


@DBOS.step()
async def resolve_attributes(scheduled: ScheduledActivityInput) -> Any:
    """Step 4."""
    return await OPENED["steps"].attributes(scheduled)


@DBOS.step()
async def record(ready: Record) -> Snapshot:
    """Step 5."""
    return await OPENED["steps"].record(ready, DBOS.workflow_id or "")


@DBOS.workflow()
async def create_activity(scheduled: ScheduledActivityInput) -> Snapshot:
    """The five steps, each checkpointed before the next."""
    await resolve_commerce(scheduled)
    reason = await resolve_reason(scheduled)
    target = await resolve_target(scheduled)
    attributes = await resolve_attributes(scheduled)
    return await record(Record(scheduled=scheduled, reason=reason, target=target, attributes=attributes))


@asynccontextmanager
async def opening(engine: AsyncEngine) -> AsyncIterator[Create]:
    """Launch DBOS on the database that the rows are in."""
    OPENED["steps"] = Steps(engine)
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql")
    DBOS(
        config={"name": "bench", "system_database_url": url.render_as_string(hide_password=False), "log_level": "ERROR"}
    )
    DBOS.launch()

    async def create(scheduled: ScheduledActivityInput) -> Snapshot:
        with SetWorkflowID(workflow_id(UUID(str(scheduled.tenant_id)), scheduled.request.idempotency_key)):
            handle = await DBOS.start_workflow_async(create_activity, scheduled)
        return await handle.get_result()

    yield create
    DBOS.destroy()


if __name__ == "__main__":
    serve(opening)
