"""GET /api/activities: list and filter activities."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.schemas import ScheduledActivityRead
from api.activities.views import read_recorded
from api.http.dependencies import CanView, Opened
from api.http.errors import ValidationFailed, problem_responses
from api.http.fields import Answer, IdempotencyKey, Instant, RequestBody, Time
from api.http.pages import CursorQuery, PageMeta, Searched, as_list, count_pages, format_cursor, parse_cursor
from db.listing import PLANNED_ANEW, READ_WHOLE, Listed, Position, Slice
from db.models import LOWEST_RANK
from db.rows import NOW, fetch_page
from db.sessions import LONGEST_TRANSACTION
from db.snapshots import build_snapshot, paused_at
from workflows.limits import SCORES
from workflows.messages import ActivityFilter, Fault
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
    executor: Searched | None = Field(default=None, description="The executor that claimed it last.")
    commerce_user_id: UUID | None = Field(
        default=None, description="The id of the commerce's user who is the target user of the activity."
    )
    provider_activity_id: Searched | None = Field(
        default=None, description="The provider's id of the activity, as a result of it has named it."
    )
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

    updated_since: Time | None = Field(
        default=None,
        description="The earliest change, inclusive: the list has each activity that has changed since, the earliest"
        " change first. See `meta.updatedUntil`.",
    )
    sort: Literal["created_at", "scheduled_at", "updated_at", "score"] = Field(
        default="created_at",
        description="With `updated_since`, always `updated_at`. By `score`, activities without one are the lowest.",
    )
    order: Literal["asc", "desc"] = Field(default="desc", description="With `updated_since`, always `asc`.")

    @model_validator(mode="before")
    @classmethod
    def sort_by_change(cls, query: object) -> object:
        """Sort what has changed since a time by the change, the earliest first, unless the query says so itself."""
        is_since = isinstance(query, dict) and query.get("updated_since") is not None
        return {"sort": "updated_at", "order": "asc", **query} if is_since and isinstance(query, dict) else query

    @model_validator(mode="after")
    def is_in_order_of_changes(self) -> Self:
        """Reject another order of changes: a page could miss those that come while it is read."""
        if self.updated_since is not None and (self.sort, self.order) != ("updated_at", "asc"):
            msg = "must be sorted by updated_at, asc, with updated_since: leave sort and order out"
            raise ValueError(msg)
        return self

    def fingerprint(self) -> str:
        """Return a hash that is equal for pages of the same list."""
        fields = self.model_dump_json(exclude={"page", "per_page", "cursor"})
        return hashlib.sha256(fields.encode()).hexdigest()[:16]


class ActivityPageMeta(PageMeta):
    """The page's place in the list, and the list's length."""

    total: int = Field(description=f"Counted up to {EXACT_UP_TO:,}. Pages by cursor repeat the first page's total.")
    total_is_exact: bool = Field(description="If false, there are at least `total`. Continue by cursor.")
    updated_until: Instant | None = Field(
        default=None,
        description="With `updated_since`, else null: send it as `updated_since` of the next list, after the last page"
        " of this one. Every change before it is in this list.",
    )


class ActivityPage(Answer):
    """A page of activities."""

    data: list[ScheduledActivityRead]
    meta: ActivityPageMeta


def _require_utc(value: datetime) -> datetime:
    """Check that the time is in UTC, as all times that a page returned: PostgreSQL doesn't read every other offset."""
    if value.utcoffset():
        msg = "must be in UTC"
        raise ValueError(msg)
    return value


_Moment = Annotated[AwareDatetime, AfterValidator(_require_utc)]
_Rank = Annotated[int, Field(ge=int(LOWEST_RANK), lt=SCORES.stop)]


class _First(BaseModel):
    """The findings of the first page for all: the total, and the time before which all changes are visible."""

    model_config = ConfigDict(strict=True)

    total: Annotated[int, Field(ge=0)]
    until: _Moment | None = None


class _Cursor(_First):
    """The content of a cursor: the end of the page before, and what the first page has found."""

    of: str
    page: Annotated[int, Field(ge=1)]
    at: _Rank | _Moment
    id: UUID

    def fits(self, sort: str) -> bool:
        """Return whether the position is a value by which such a list is sorted."""
        return isinstance(self.at, int) == (sort == "score")


@router.get("", responses=problem_responses())
async def list_activities(caller: CanView, opened: Opened, query: Annotated[ActivityQuery, Query()]) -> ActivityPage:
    """List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created meanwhile.

    In a list sorted by `scheduled_at`, `updated_at` or `score`, an activity that changes while the list is paged may be
    returned twice, or not at all. Sort by `created_at` where that matters.

    To follow all changes, send `updated_since`, page by `meta.nextCursor` to the last page, and then begin again with
    its `meta.updatedUntil` as `updated_since`. No change is missed, also of activities that change meanwhile. Those of
    the last minute come again, and during a pause of the tenant those since its beginning: compare `updatedAt`. A
    removal is no change: no list has an activity that was removed, and `GET` for its id is 410.
    """
    before = _parse_cursor(query)
    if before is None and (query.page - 1) * query.per_page >= EXACT_UP_TO:
        raise parameter_problem("page", f"Numbered pages end at activity {EXACT_UP_TO:,}. Continue by `cursor`.")
    async with opened.database.transactions.begin() as connection:
        await connection.execute(PLANNED_ANEW)
        paused, now = (await connection.execute(select(paused_at(caller.tenant_id), NOW))).one()
        listed = Listed(caller.tenant_id, query.as_filter(), paused, since=query.updated_since)
        bound = READ_WHOLE if query.search else EXACT_UP_TO
        first = before or _First(
            total=await count_activities(connection, listed, bound), until=_find_end(query, now, paused)
        )
        listed = listed.with_total(first.total, query.sort)
        page = listed.snapshots_statement(_compose_slice(query, before))
        rows, goes_on = await fetch_page(connection, page, query.per_page)
    return ActivityPage(
        data=[read_recorded(build_snapshot(row), caller, opened) for row in rows],
        meta=_compose_meta(query, first, rows, goes_on=goes_on),
    )


def _find_end(query: ActivityQuery, now: datetime, paused: datetime | None) -> datetime | None:
    """Return the time before which all changes are visible now; None for a list that doesn't follow them.

    A transaction ends so long after the change that it writes at the latest. The end of a pause makes what it has
    held due at a time that may be some transactions before it is visible.
    """
    if query.updated_since is None:
        return None
    return max(query.updated_since, min(now - LONGEST_TRANSACTION, paused or now))


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
    query: ActivityQuery, first: _First, rows: Sequence[RowMapping], *, goes_on: bool
) -> ActivityPageMeta:
    page = first.page + 1 if isinstance(first, _Cursor) else query.page
    known = min(first.total, EXACT_UP_TO)
    cursor = None
    if goes_on:
        last = rows[-1]
        position = _Cursor(
            of=query.fingerprint(),
            page=page,
            total=first.total,
            until=first.until,
            at=last["position"],
            id=last["id"],
        )
        cursor = format_cursor(position.model_dump_json())
    return ActivityPageMeta(
        page=page,
        limit=query.per_page,
        total=known,
        total_pages=count_pages(known, query.per_page),
        total_is_exact=first.total <= EXACT_UP_TO,
        next_cursor=cursor,
        is_shortened=goes_on and len(rows) < query.per_page,
        updated_until=first.until,
    )


def _parse_cursor(query: ActivityQuery) -> _Cursor | None:
    """Parse the query's cursor; reject one of another list, which would silently skip activities of this one."""
    if query.cursor is None:
        return None
    try:
        cursor = _Cursor.model_validate_json(parse_cursor(query.cursor))
    except ValidationError:
        raise _cursor_problem() from None
    if cursor.of != query.fingerprint():
        raise parameter_problem("cursor", "This cursor belongs to a list with other conditions or another order.")
    if not cursor.fits(query.sort):
        raise _cursor_problem()
    return cursor


def _cursor_problem() -> ValidationFailed:
    return parameter_problem("cursor", "This is not a cursor that a page returned.")


def parameter_problem(parameter: str, detail: str) -> ValidationFailed:
    """Return the problem of a query parameter."""
    return ValidationFailed(detail, faults=(Fault(pointer=f"/query/{parameter}", detail=detail),))
