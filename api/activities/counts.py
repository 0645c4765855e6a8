"""GET /api/activities/counts: count activities by status, channel and hour."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.bulk import AT_ONCE
from api.activities.listing import ActivityFilterQuery, parameter_problem
from api.http.dependencies import CanView, Opened
from api.http.errors import ValidationFailed, problem_responses
from api.http.fields import Answer, Instant, distinct
from api.http.pages import as_list
from db.counts import IN_ORDER_OF_INDICES, MOST_OF_CELL, SCANNED, Cell, Counted, Dimension
from db.listing import PLANNED_ANEW
from db.rows import fetch_rows
from db.snapshots import paused_at
from workflows.messages import Fault
from workflows.words import ActivityStatus, Channel

MOST_CELLS = 1_000
LONGEST_SPAN = timedelta(days=31)

router = APIRouter(prefix="/api/activities/counts", tags=["activities"])


def _split(value: object) -> object:
    """Return the names in `by`, which are separated by commas or sent one by one."""
    sent = as_list(value)
    return [name for one in sent for name in str(one).split(",")] if isinstance(sent, list) else sent


class CountsQuery(ActivityFilterQuery):
    """The activities to count, and the properties by which they are counted."""

    by: Annotated[
        list[Dimension],
        BeforeValidator(_split),
        Field(min_length=1, max_length=len(Dimension)),
        distinct("property", str),
    ] = Field(
        description="One or more of `status`, `channel` and `hour`, separated by commas. `hour` is the hour of"
        f" `scheduledAt` in UTC; it needs `scheduled_from` and `scheduled_to`, at most {LONGEST_SPAN.days} days apart."
    )


class CellRead(Answer):
    """The number of activities that share a status, a channel and an hour, or those of them that were asked for."""

    status: ActivityStatus | None = Field(description="The status; null if it is not in `by`.")
    channel: Channel | None = Field(description="The channel; null if it is not in `by`.")
    hour: Instant | None = Field(description="The beginning of the hour, in UTC; null if it is not in `by`.")
    count: int = Field(description=f"The number of activities, counted up to {MOST_OF_CELL:,}.")
    at_least: bool = Field(description="True if there are more than `count`.")


class CountsRead(Answer):
    """The cells that have activities, in the order of status, channel and hour."""

    data: list[CellRead]


@router.get("", responses=problem_responses())
async def count_activities(caller: CanView, opened: Opened, query: Annotated[CountsQuery, Query()]) -> CountsRead:
    """Count the tenant's activities that meet all conditions, by status, channel and hour.

    Statuses are those of the list. A cell without activities is left out. More than 1,000 cells are 400, and so are
    more than 50,000 activities with other conditions than status, type, channel and time: narrow the time.
    """
    _require_hours(query)
    turn = opened.accepting.setdefault(caller.tenant_id, asyncio.Semaphore(AT_ONCE))
    async with turn, opened.database.transactions.begin() as connection:
        cells = _add_up(await _count(connection, caller.tenant_id, query))
    if len(cells) > MOST_CELLS:
        raise parameter_problem(
            "by", f"The answer would have {len(cells):,} cells, and may have {MOST_CELLS:,}: narrow the conditions."
        )
    return CountsRead(data=cells)


def _require_hours(query: CountsQuery) -> None:
    if Dimension.HOUR not in query.by:
        return
    times = {"scheduled_from": query.scheduled_from, "scheduled_to": query.scheduled_to}
    faults = tuple(
        Fault(pointer=f"/query/{name}", detail="This is required with `by=hour`.")
        for name, value in times.items()
        if value is None
    )
    if query.scheduled_from and query.scheduled_to and query.scheduled_to - query.scheduled_from > LONGEST_SPAN:
        detail = f"Hours are counted for at most {LONGEST_SPAN.days} days: this is too long after `scheduled_from`."
        faults = (Fault(pointer="/query/scheduled_to", detail=detail),)
    if faults:
        raise ValidationFailed("To count by hour, send two times at most 31 days apart.", faults=faults)


async def _count(connection: AsyncConnection, tenant_id: UUID, query: CountsQuery) -> list[Cell]:
    """Read the activities if they are few, and else count each cell on its own."""
    await connection.execute(PLANNED_ANEW)
    await connection.execute(IN_ORDER_OF_INDICES)
    paused = (await connection.execute(select(paused_at(tenant_id)))).scalar_one()
    counted = Counted(tenant_id, query.as_filter(), paused, frozenset(query.by))
    read = await fetch_rows(connection, Cell, counted.scan_statement())
    if not any(cell.is_cut for cell in read):
        return read
    if not counted.is_served:
        detail = (
            f"More than {SCANNED:,} activities match. So many are counted only without other conditions than status,"
            " type, channel and time: narrow `scheduled_from` and `scheduled_to`, or leave the other conditions out."
        )
        raise parameter_problem("scheduled_to", detail)
    return await fetch_rows(connection, Cell, counted.cells_statement())


def _add_up(cells: Iterable[Cell]) -> list[CellRead]:
    """Add the parts of each cell, in the order of the cells."""
    counts: dict[tuple[object, ...], tuple[int, bool]] = {}
    for cell in cells:
        number, is_cut = counts.get(cell[:3], (0, False))
        counts[cell[:3]] = number + cell.number, is_cut or cell.is_cut
    ranks = {value: rank for rank, value in enumerate((*ActivityStatus, *Channel))}
    ordered = sorted(
        (cell for cell in counts.items() if cell[1][0]),
        key=lambda cell: (ranks.get(cell[0][0], 0), ranks.get(cell[0][1], 0), str(cell[0][2])),
    )
    return [
        CellRead(
            status=status,
            channel=channel,
            hour=hour,
            count=min(number, MOST_OF_CELL),
            at_least=is_cut or number > MOST_OF_CELL,
        )
        for (status, channel, hour), (number, is_cut) in ordered
    ]
