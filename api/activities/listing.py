"""GET /api/activities: list and filter activities."""

import hashlib
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.schemas import ScheduledActivityRead
from api.activities.views import read_recorded
from api.http.dependencies import CanView, Opened
from api.http.errors import ValidationFailed, problem_responses
from api.http.fields import Answer, IdempotencyKey, RequestBody, Time
from api.http.pages import CursorQuery, PageMeta, Searched, as_list, count_pages, format_cursor, parse_cursor
from db.listing import PLANNED_ANEW, READ_WHOLE, Listed, Position, Slice
from db.rows import fetch_page
from db.snapshots import build_snapshot, paused_at
from workflows.messages import ActivityFilter, Fault, Snapshot
from workflows.words import ActivityType, Channel

MOST_STATUSES = 10
ListedStatus = Literal["READY", "UNRESOLVED", "DUE", "DISPATCHED", "COMPLETED", "CANCELED", "FAILED"]
ListedStatuses = Annotated[list[ListedStatus], BeforeValidator(as_list), Field(max_length=MOST_STATUSES)]


class ActivityFilterQuery(RequestBody):
    """Conditions on activities. An activity must meet all of them."""

    status: ListedStatuses = Field(
        default=[], description="One or more statuses. RESOLVING activities are not recorded yet and not listed."
    )
    type: ActivityType | None = None
    channel: Channel | None = None
    commerce_id: UUID | None = None
    reason: Searched | None = Field(default=None, description="The reason's code.")
    scheduled_from: Time | None = Field(default=None, description="The earliest `scheduledAt`, inclusive.")
    scheduled_to: Time | None = Field(default=None, description="The latest `scheduledAt`, exclusive.")
    search: Searched | None = Field(
        default=None,
        description="The idempotency key or the commerce's external id begins with this text. Case matters.",
    )
    idempotency_key: IdempotencyKey | None = Field(default=None, description="The exact idempotency key.")
    late: bool = Field(
        default=False,
        description="`true` lists activities that are overdue and not marked (READY, also held ones, or UNRESOLVED) or"
        " were marked more than a second late. `false` is no condition.",
    )

    def as_filter(self) -> ActivityFilter:
        """Return the filter that statements and workflows use."""
        return ActivityFilter.model_validate(self.model_dump(include=set(ActivityFilter.model_fields)))


router = APIRouter(prefix="/api/activities", tags=["activities"])

EXACT_UP_TO = 10_000
"""The most activities that are counted and that numbered pages reach: counting more would be slow."""


class ActivityQuery(CursorQuery, ActivityFilterQuery):
    """The activities to return: conditions, order and page."""

    sort: Literal["created_at", "scheduled_at"] = "created_at"
    order: Literal["asc", "desc"] = "desc"

    def fingerprint(self) -> str:
        """Return a hash that is equal for pages of the same list."""
        fields = self.model_dump_json(exclude={"page", "per_page", "cursor"})
        return hashlib.sha256(fields.encode()).hexdigest()[:16]


class ActivityPageMeta(PageMeta):
    """The page's place in the list, and the list's length."""

    total: int = Field(description=f"Counted up to {EXACT_UP_TO:,}. Pages by cursor repeat the first page's total.")
    total_is_exact: bool = Field(description="If false, there are at least `total`. Continue by cursor.")


class ActivityPage(Answer):
    """A page of activities."""

    data: list[ScheduledActivityRead]
    meta: ActivityPageMeta


class _Cursor(BaseModel):
    """The content of a cursor: the end of the page before, and the list's total."""

    of: str
    page: int
    total: int
    at: AwareDatetime
    id: UUID


@router.get("", responses=problem_responses())
async def list_activities(caller: CanView, opened: Opened, query: Annotated[ActivityQuery, Query()]) -> ActivityPage:
    """List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created meanwhile.

    In a list sorted by `scheduled_at`, an activity that is moved while the list is paged may be returned twice, or not
    at all. Sort by `created_at` where that matters.
    """
    before = _parse_cursor(query)
    if before is None and (query.page - 1) * query.per_page >= EXACT_UP_TO:
        raise parameter_problem("page", f"Numbered pages end at activity {EXACT_UP_TO:,}. Continue by `cursor`.")
    async with opened.database.transactions.begin() as connection:
        await connection.execute(PLANNED_ANEW)
        paused = (await connection.execute(select(paused_at(caller.tenant_id)))).scalar_one()
        listed = Listed(caller.tenant_id, query.as_filter(), paused)
        bound = READ_WHOLE if query.search else EXACT_UP_TO
        total = before.total if before else await count_activities(connection, listed, bound)
        listed = replace(listed, many=total > bound)
        page = listed.snapshots_statement(_compose_slice(query, before))
        rows, goes_on = await fetch_page(connection, page, query.per_page)
    found = [build_snapshot(row) for row in rows]
    return ActivityPage(
        data=[read_recorded(one, caller, opened) for one in found],
        meta=_compose_meta(query, before, total, found, goes_on=goes_on),
    )


async def count_activities(connection: AsyncConnection, listed: Listed, bound: int = EXACT_UP_TO) -> int:
    """Count the listed activities; the count stops at one more than the bound."""
    return int((await connection.execute(listed.count_statement(bound + 1))).scalar_one())


def _compose_slice(query: ActivityQuery, before: _Cursor | None) -> Slice:
    """Compose the slice to read: one row more than the page shows whether another page follows."""
    return Slice(
        limit=query.per_page + 1,
        sort=query.sort,
        descending=query.order == "desc",
        after=Position(before.at, before.id) if before else None,
        offset=(query.page - 1) * query.per_page,
    )


def _compose_meta(
    query: ActivityQuery, before: _Cursor | None, total: int, found: list[Snapshot], *, goes_on: bool
) -> ActivityPageMeta:
    page = before.page + 1 if before else query.page
    known = min(total, EXACT_UP_TO)
    cursor = None
    if goes_on:
        last = found[-1]
        position = _Cursor(of=query.fingerprint(), page=page, total=total, at=getattr(last, query.sort), id=last.id)
        cursor = format_cursor(position.model_dump_json())
    return ActivityPageMeta(
        page=page,
        limit=query.per_page,
        total=known,
        total_pages=count_pages(known, query.per_page),
        total_is_exact=total <= EXACT_UP_TO,
        next_cursor=cursor,
        is_shortened=goes_on and len(found) < query.per_page,
    )


def _parse_cursor(query: ActivityQuery) -> _Cursor | None:
    """Parse the query's cursor; reject one of another list, which would silently skip activities of this one."""
    if query.cursor is None:
        return None
    try:
        cursor = _Cursor.model_validate_json(parse_cursor(query.cursor))
    except ValidationError:
        raise parameter_problem("cursor", "This is not a cursor that a page returned.") from None
    if cursor.of != query.fingerprint():
        raise parameter_problem("cursor", "This cursor belongs to a list with other conditions or another order.")
    return cursor


def parameter_problem(parameter: str, detail: str) -> ValidationFailed:
    """Return the problem of a query parameter."""
    return ValidationFailed(detail, faults=(Fault(pointer=f"/query/{parameter}", detail=detail),))
