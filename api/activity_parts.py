"""/api/activities/{id}/target-users and /attributes: whom it is aimed at, and the values that its executor needs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Row, func, select

from api.auth import Caller
from api.dependencies import CanView, Opened, Resources
from api.errors import ActivityNotFound, documented
from api.explanations import require_run
from api.schemas import Answer, AttributeRead, ScheduledActivityRead, TargetUserRead
from db.models import CommerceUser, ScheduledActivity, TargetUser
from db.queries import SNAPSHOTS, snapshot

router = APIRouter(prefix="/api/activities/{activity_id}", tags=["activities"])


class CommerceUserOfTargetRead(Answer):
    """The person; how to reach them is said with the commerce."""

    id: UUID
    name: str


class ActivityTargetUserRead(TargetUserRead):
    """Whom the activity is aimed at, with their name."""

    commerce_user: CommerceUserOfTargetRead | None


_TARGETS = TargetUser.__table__.c
_USERS = CommerceUser.__table__.c
_NAMES = (
    select(func.json_object_agg(_USERS.id, _USERS.name))
    .where(
        _TARGETS.tenant_id == ScheduledActivity.tenant_id,
        _TARGETS.activity_id == ScheduledActivity.id,
        _USERS.tenant_id == _TARGETS.tenant_id,
        _USERS.id == _TARGETS.commerce_user_id,
    )
    .correlate(ScheduledActivity)
    .scalar_subquery()
    .label("names")
)


@router.get("/target-users", responses=documented(ActivityNotFound))
async def list_target_users(caller: CanView, opened: Opened, activity_id: UUID) -> list[ActivityTargetUserRead]:
    """Whom it is aimed at: PENDING until somebody is looked for or assigned, LOCKED from the moment it is due."""
    row = await _row(caller, opened, activity_id)
    if row is None:
        return []
    targets = ScheduledActivityRead.of(snapshot(row), None).target_users
    return [ActivityTargetUserRead(**one.model_dump(), commerce_user=_person(one, row.names or {})) for one in targets]


@router.get("/attributes", responses=documented(ActivityNotFound))
async def list_attributes(caller: CanView, opened: Opened, activity_id: UUID) -> list[AttributeRead]:
    """The values that the executor needs, in the order in which the request named them."""
    row = await _row(caller, opened, activity_id)
    return [] if row is None else list(ScheduledActivityRead.of(snapshot(row), None).attributes)


async def _row(caller: Caller, opened: Resources, activity_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """The activity's row, or none while it is RESOLVING."""
    statement = SNAPSHOTS.add_columns(_NAMES).where(
        ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.id == activity_id
    )
    async with opened.autocommit.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        await require_run(opened, caller.tenant_id, activity_id)
    return row


def _person(target: TargetUserRead, names: dict[str, str]) -> CommerceUserOfTargetRead | None:
    user_id = target.commerce_user_id
    return CommerceUserOfTargetRead(id=user_id, name=names[str(user_id)]) if user_id else None
