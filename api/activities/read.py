"""Read an activity and its parts: the trail, the target users and the attributes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import RowMapping, func, select

from api.activities.schemas import AttributeRead, ScheduledActivityRead, StatusEventRead, TargetUserRead
from api.activities.unrecorded import require_resolving
from api.activities.views import respond_recorded, respond_resolving
from api.http.auth import Caller
from api.http.dependencies import CanView, Opened, Resources
from api.http.errors import ActivityGone, ActivityNotFound, problem_responses
from api.http.fields import Answer
from api.http.headers import with_headers
from api.http.pages import CursorQuery, ListKey, Page, read_page
from db.models import CommerceUser, ScheduledActivity, StatusEvent, TargetUser
from db.rows import address, parts_of
from db.snapshots import EVENT_IS_VISIBLE, SNAPSHOTS, build_snapshot, read_snapshot

router = APIRouter(prefix="/api/activities/{activity_id}", tags=["activities"])


@router.get(
    "",
    response_model=ScheduledActivityRead,
    responses={
        200: with_headers("Location", "ETag", "Retry-After"),
        **problem_responses(ActivityNotFound, ActivityGone),
    },
)
async def get_activity(caller: CanView, opened: Opened, activity_id: UUID) -> Response:
    """Read the activity as it is now; it is `RESOLVING` while its creation is under way.

    If the creation has failed, the answer is the problem that the creating call would have been answered.
    """
    async with opened.database.autocommit.connect() as connection:
        found = await read_snapshot(connection, caller.tenant_id, activity_id)
    if found:
        return respond_recorded(found, caller, opened)
    return respond_resolving(await require_resolving(activity_id, caller, opened))


@router.get("/status-events", responses=problem_responses(ActivityNotFound, ActivityGone))
async def list_status_events(
    caller: CanView, opened: Opened, activity_id: UUID, query: Annotated[CursorQuery, Query()]
) -> Page[StatusEventRead]:
    """List the events of the activity in the order in which they were written; none while it is RESOLVING.

    They follow one another: the `fromStatus` of each is the `toStatus` of the one before.
    """
    statement = select(StatusEvent.__table__).where(
        parts_of(StatusEvent, caller.tenant_id, activity_id), EVENT_IS_VISIBLE
    )
    events = await read_page(
        opened.database, statement, query, StatusEventRead.of, key=ListKey(StatusEvent.__table__.c.number)
    )
    if not events.meta.total:
        await require_resolving(activity_id, caller, opened)
    return events


class CommerceUserOfTargetRead(Answer):
    """The person at whom a target is aimed; the contacts are part of the commerce."""

    id: UUID
    name: str


class ActivityTargetUserRead(TargetUserRead):
    """A target of the activity, with the person's name."""

    commerce_user: CommerceUserOfTargetRead | None


_USERS = CommerceUser.__table__.c
_NAMES = (
    select(func.json_object_agg(_USERS.id, _USERS.name))
    .where(
        parts_of(TargetUser, ScheduledActivity.tenant_id, ScheduledActivity.id),
        _USERS.tenant_id == TargetUser.tenant_id,
        _USERS.id == TargetUser.commerce_user_id,
    )
    .correlate(ScheduledActivity)
    .scalar_subquery()
    .label("names")
)


@router.get("/target-users", responses=problem_responses(ActivityNotFound, ActivityGone))
async def list_target_users(caller: CanView, opened: Opened, activity_id: UUID) -> list[ActivityTargetUserRead]:
    """List the targets: PENDING until a user is found or assigned, LOCKED from the moment the activity is due."""
    row = await _read_row(caller, opened, activity_id)
    if row is None:
        return []
    targets = ScheduledActivityRead.of(build_snapshot(row), None).target_users
    return [
        ActivityTargetUserRead(**one.model_dump(), commerce_user=_name_person(one, row["names"] or {}))
        for one in targets
    ]


@router.get("/attributes", responses=problem_responses(ActivityNotFound, ActivityGone))
async def list_attributes(caller: CanView, opened: Opened, activity_id: UUID) -> list[AttributeRead]:
    """List the values that the executor needs, in the order in which the request named them."""
    row = await _read_row(caller, opened, activity_id)
    return [] if row is None else list(ScheduledActivityRead.of(build_snapshot(row), None).attributes)


async def _read_row(caller: Caller, opened: Resources, activity_id: UUID) -> RowMapping | None:
    """Return the activity's row, or None while it is RESOLVING."""
    statement = SNAPSHOTS.add_columns(_NAMES).where(address(caller.tenant_id, activity_id))
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        await require_resolving(activity_id, caller, opened)
    return row


def _name_person(target: TargetUserRead, names: dict[str, str]) -> CommerceUserOfTargetRead | None:
    user_id = target.commerce_user_id
    return CommerceUserOfTargetRead(id=user_id, name=names[str(user_id)]) if user_id else None
