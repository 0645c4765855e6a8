"""What a result asks to be done next: an activity like any other, created through the same door."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from api.activities.create import create
from api.activities.schemas import ScheduledActivityCreate
from api.http.auth import Caller
from api.http.dependencies import Resources
from api.http.errors import IdempotencyKeyExists, Problem, Unavailable
from db import results
from db.models import ActivityResult, ScheduledActivity


async def followed_up(result: Row[Any], caller: Caller, opened: Resources) -> Row[Any]:
    """The result, with its follow-up if it asks for one; sent again, a result makes up for what failed before.

    Its key is derived from the result, so that there is never a second one. A follow-up that is refused, because a
    reason is no longer in use for instance, leaves the result as it is and says why.

    Raises:
        Unavailable: the result is on record, its follow-up isn't created yet.
    """
    if result.follow_up_at is None or result.follow_up_id is not None:
        return result
    found: UUID | None = None
    error: str | None = None
    try:
        found = await _created(await _like_the_first(result, opened), caller, opened)
    except Unavailable as failure:
        detail = f"Result {result.id} is on record, its follow-up is not created yet: send the same result again."
        raise Unavailable(detail) from failure
    except Problem as problem:
        error = problem.detail
    async with opened.database.autocommit.connect() as connection:
        await connection.execute(results.follow_up_is(result, found, error))
        this = select(ActivityResult.__table__).where(
            ActivityResult.tenant_id == result.tenant_id,
            ActivityResult.activity_id == result.activity_id,
            ActivityResult.id == result.id,
        )
        return (await connection.execute(this)).one()


async def _like_the_first(result: Row[Any], opened: Resources) -> ScheduledActivityCreate:
    statement = select(ScheduledActivity.request).where(
        ScheduledActivity.tenant_id == result.tenant_id, ScheduledActivity.id == result.activity_id
    )
    async with opened.database.autocommit.connect() as connection:
        first = (await connection.execute(statement)).scalar_one()
    return ScheduledActivityCreate.model_validate(results.follow_up_request(first, result))


async def _created(body: ScheduledActivityCreate, caller: Caller, opened: Resources) -> UUID | None:
    """None while it is only accepted: reconciliation notes it once it is there, and its refusal if it is refused."""
    try:
        answer = await create(body, caller, opened)
    except IdempotencyKeyExists as exists:
        return UUID(exists.members["activity"]["id"]) if exists.members["decided"] else None
    return UUID(answer.headers["Location"].rsplit("/", 1)[-1]) if answer.status_code == HTTPStatus.CREATED else None
