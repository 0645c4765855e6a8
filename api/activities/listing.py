"""GET /api/activities: find activities, page by page, however many there are."""

import hashlib
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.schemas import ScheduledActivityRead
from api.activities.views import read
from api.http.dependencies import CanView, Opened
from api.http.errors import ValidationFailed, documented
from api.http.fields import Answer, IdempotencyKey, RequestBody, Time
from api.http.pages import CursorQuery, PageMeta, Searched, format_cursor, parse_cursor
from db.listing import PLANNED_ANEW, Listed, Position, Slice
from db.snapshots import paused_at, snapshot
from workflows.messages import ActivityFilter, Fault, Snapshot
from workflows.words import ActivityType, Channel


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _only_true(value: bool) -> bool:  # noqa: FBT001 - pydantic's signature
    if not value:
        msg = "must be true or absent: there is no list of what isn't late"
        raise ValueError(msg)
    return value


ListedStatus = Literal["READY", "UNRESOLVED", "DUE", "DISPATCHED", "COMPLETED", "CANCELED", "FAILED"]


class ActivityFilterQuery(RequestBody):
    """All conditions hold at once; an absent one lets everything pass."""

    status: Annotated[list[ListedStatus], BeforeValidator(_several), Field(max_length=10)] = Field(
        default=[], description="One or several. What is RESOLVING isn't recorded yet, and isn't listed."
    )
    type: ActivityType | None = None
    channel: Channel | None = None
    commerce_id: UUID | None = None
    reason: Searched | None = Field(default=None, description="The reason's code.")
    scheduled_from: Time | None = Field(default=None, description="`scheduledAt` is this or later.")
    scheduled_to: Time | None = Field(default=None, description="`scheduledAt` is earlier than this.")
    search: Searched | None = Field(
        default=None,
        description="The idempotency key, or the commerce's external id, begins with this; case matters.",
    )
    idempotency_key: IdempotencyKey | None = Field(default=None, description="Exactly this one.")
    late: Annotated[bool, AfterValidator(_only_true)] = Field(
        default=False,
        description="`true`: overdue and not marked (READY, held by a pause too, or UNRESOLVED), or marked more than"
        " a second late.",
    )

    def as_filter(self) -> ActivityFilter:
        """What the statements and the workflows know."""
        return ActivityFilter.model_validate(self.model_dump(include=set(ActivityFilter.model_fields)))


router = APIRouter(prefix="/api/activities", tags=["activities"])

EXACT_UP_TO = 10_000
"""How far is counted, and how far numbered pages reach; beyond that a count would cost more than it tells."""


class ActivityQuery(CursorQuery, ActivityFilterQuery):
    """Which activities, in which order, and which page of them."""

    sort: Literal["created_at", "scheduled_at"] = "created_at"
    order: Literal["asc", "desc"] = "desc"

    def fingerprint(self) -> str:
        """Equal for pages of the same list."""
        fields = self.model_dump_json(exclude={"page", "per_page", "cursor"})
        return hashlib.sha256(fields.encode()).hexdigest()[:16]


class ActivityPageMeta(PageMeta):
    """Where in the list the page is, and how long the list is."""

    total: int = Field(description=f"Counted up to {EXACT_UP_TO:,}; on pages by cursor, as on the first one.")
    total_is_exact: bool = Field(description="False: there are at least `total`; go on by cursor.")


class ActivityPage(Answer):
    """A page of activities."""

    data: list[ScheduledActivityRead]
    meta: ActivityPageMeta


class _Cursor(BaseModel):
    """Where the page before ended, and what it said of the list."""

    of: str
    page: int
    total: int
    at: AwareDatetime
    id: UUID


@router.get("", responses=documented())
async def list_activities(caller: CanView, opened: Opened, query: Annotated[ActivityQuery, Query()]) -> ActivityPage:
    """The tenant's activities that meet all conditions, newest first unless said otherwise.

    Numbered pages reach 10,000 activities deep. `meta.nextCursor` goes on from any page, however deep: by it every
    activity that was there from the beginning is seen once, whatever arrives meanwhile.
    """
    before = _before(query)
    if before is None and query.page * query.per_page > EXACT_UP_TO:
        raise _fault("page", f"Numbered pages end at activity {EXACT_UP_TO:,}: go on by `cursor`.")
    async with opened.database.transactions.begin() as connection:
        await connection.execute(PLANNED_ANEW)
        paused = (await connection.execute(select(paused_at(caller.tenant_id)))).scalar_one()
        listed = Listed(caller.tenant_id, query.as_filter(), paused)
        total = before.total if before else await count(connection, listed)
        found = [snapshot(row) for row in await connection.execute(listed.snapshots(_slice(query, before)))]
    return ActivityPage(
        data=[read(one, caller, opened) for one in found[: query.per_page]],
        meta=_meta(query, before, total, found),
    )


async def count(connection: AsyncConnection, listed: Listed, bound: int = EXACT_UP_TO) -> int:
    """How many they are; one more than the bound if they are more."""
    return int((await connection.execute(listed.count(bound + 1))).scalar_one())


def _slice(query: ActivityQuery, before: _Cursor | None) -> Slice:
    """One row more than the page has tells whether there is another page."""
    return Slice(
        limit=query.per_page + 1,
        sort=query.sort,
        descending=query.order == "desc",
        after=Position(before.at, before.id) if before else None,
        offset=(query.page - 1) * query.per_page,
    )


def _meta(query: ActivityQuery, before: _Cursor | None, total: int, found: list[Snapshot]) -> ActivityPageMeta:
    page = before.page + 1 if before else query.page
    known = min(total, EXACT_UP_TO)
    cursor = None
    if len(found) > query.per_page:
        last = found[query.per_page - 1]
        position = _Cursor(of=query.fingerprint(), page=page, total=total, at=getattr(last, query.sort), id=last.id)
        cursor = format_cursor(position.model_dump_json())
    return ActivityPageMeta(
        page=page,
        limit=query.per_page,
        total=known,
        total_pages=-(-known // query.per_page),
        total_is_exact=total <= EXACT_UP_TO,
        next_cursor=cursor,
    )


def _before(query: ActivityQuery) -> _Cursor | None:
    """Where to go on; a cursor of another list would silently show the wrong part of this one."""
    if query.cursor is None:
        return None
    try:
        cursor = _Cursor.model_validate_json(parse_cursor(query.cursor))
    except ValidationError:
        raise _fault("cursor", "This is no cursor that a page came with.") from None
    if cursor.of != query.fingerprint():
        raise _fault("cursor", "This cursor belongs to a list with other conditions or another order.")
    return cursor


def _fault(parameter: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, faults=(Fault(pointer=f"/query/{parameter}", detail=detail),))
