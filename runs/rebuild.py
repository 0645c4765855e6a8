"""Starts a run for every open row that has none: what is left to do when Temporal has lost its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from db.engine import Database
from db.reconciliation import open_requests
from runs.client import resume
from runs.lead import Lead
from workflows.findings import Cursor
from workflows.messages import ScheduledActivityInput, ScheduledActivityRequest, Standing

PAGE = 500
AT_ONCE = 20
PAUSES = (0.5, 1, 2, 4, None)
"""Seconds between attempts: a Temporal that has just been started, or has much to do, is given some time."""


@dataclass
class Rebuilt:
    """How many runs were started, and how many rows had one: repeating the command starts none twice."""

    started: int = 0
    open_already: int = 0


async def rebuild(client: Client, database: Database, *, per_second: float, lead: Lead) -> AsyncIterator[Rebuilt]:
    """Start them, the most urgent first and no more than so many a second; tells how far it is after each page.

    No row is locked: a run's first step reads its row, and ends at once if that has been cancelled meanwhile.
    """
    so_far = Rebuilt()
    after: Cursor | None = None
    while rows := await _page(database, after):
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            began = time.monotonic()
            started = await asyncio.gather(*(_start(client, row, lead) for row in some))
            so_far.started += sum(started)
            so_far.open_already += len(started) - sum(started)
            await asyncio.sleep(max(0.0, began + len(some) / per_second - time.monotonic()))
        yield so_far
        after = Cursor(**{name: getattr(rows[-1], name) for name in Cursor.model_fields})


async def _page(database: Database, after: Cursor | None) -> list[Row[Any]]:
    async with database.autocommit.connect() as connection:
        return list((await connection.execute(open_requests(after, PAGE))).all())


async def _start(client: Client, row: Row[Any], lead: Lead) -> bool:
    scheduled = ScheduledActivityInput(
        id=row.id,
        tenant_id=row.tenant_id,
        request=ScheduledActivityRequest.model_validate(row.request),
        lead_seconds=lead.before(row.scheduled_at),
    )
    standing = Standing(status=row.status, version=row.version, scheduled_at=row.scheduled_at)
    for pause in PAUSES:
        try:
            await resume(client, scheduled, standing)
        except WorkflowAlreadyStartedError:
            return False
        except RPCError:  # perhaps started all the same: then the next attempt finds it open
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            break
    return True
