"""Start a run for every open row that has none, after Temporal has lost its data."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from db.across_tenants import AcrossTenants, OpenRequest
from runs.lead import Lead
from runs.limits import PASSING
from runs.start import resume_run
from workflows.findings import Cursor
from workflows.messages import ScheduledActivityInput, ScheduledActivityRequest, Standing

PAGE = 500
AT_ONCE = 20
UNAVAILABLE = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED}
"""The failures of Temporal itself, at which the command ends; any other that doesn't pass concerns the row."""
PAUSES = (0.5, 1, 2, 4, None)
"""Seconds between attempts to start a run, because Temporal may have been started just now or be overloaded."""


@dataclass
class Rebuilt:
    """The number of runs that were started, and of rows that had an open run; the rows that failed, and why."""

    started: int = 0
    open_already: int = 0
    failed: dict[UUID, str] = field(default_factory=dict)


async def rebuild(
    client: Client, across_tenants: AcrossTenants, *, per_second: float, lead: Lead
) -> AsyncIterator[Rebuilt]:
    """Start the missing runs, the most urgent first, at most `per_second`; yield the progress after each page.

    To repeat the command starts no run twice. No row is locked: a run's first step reads its row, and the run ends at
    once if the activity was canceled meanwhile.
    """
    so_far = Rebuilt()
    after: Cursor | None = None
    while rows := await across_tenants.list_open_requests(after, PAGE):
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            began = time.monotonic()
            started = await asyncio.gather(*(_try_to_start_run(client, row, lead) for row in some))
            so_far.started += started.count(True)
            so_far.open_already += started.count(False)
            so_far.failed |= {row.id: why for row, why in zip(some, started, strict=True) if isinstance(why, str)}
            await asyncio.sleep(max(0.0, began + len(some) / per_second - time.monotonic()))
        yield so_far
        after = Cursor(at=rows[-1].scheduled_at, tenant_id=rows[-1].tenant_id, id=rows[-1].id)


async def _try_to_start_run(client: Client, row: OpenRequest, lead: Lead) -> bool | str:
    """Start the row's run; return False if it has one, or the failure if it concerns this row alone."""
    try:
        return await _start_run(client, row, lead)
    except RPCError as failure:
        if failure.status in UNAVAILABLE:
            raise
        return f"{failure.status.name}: {failure.message}"
    except ValidationError:
        return "its stored request can't be repeated by this version"
    except Exception as failure:  # noqa: BLE001 - one row must not keep the others without a run
        return type(failure).__name__


async def _start_run(client: Client, row: OpenRequest, lead: Lead) -> bool:
    scheduled = ScheduledActivityInput(
        id=row.id,
        tenant_id=row.tenant_id,
        request=ScheduledActivityRequest.model_validate(row.request),
        lead_seconds=lead.before(row.scheduled_at),
        request_id=row.request_id,
        traceparent=row.traceparent,
        is_continued=True,
    )
    standing = Standing(status=row.status, version=row.version, scheduled_at=row.scheduled_at)
    for pause in PAUSES:
        try:
            await resume_run(client, scheduled, standing)
        except WorkflowAlreadyStartedError:
            return False
        except RPCError as failure:  # it may have started: then the next attempt finds an open run
            if pause is None or failure.status not in PASSING:
                raise
            await asyncio.sleep(pause)
        else:
            break
    return True
