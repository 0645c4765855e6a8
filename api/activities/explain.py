"""Explain an activity's target user and values, and those that a creation would have."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.create import CREATION_REJECTIONS
from api.activities.schemas import ScheduledActivityCreate
from api.activities.unrecorded import require_resolving
from api.http.bodies import Json
from api.http.dependencies import CanExplain, CanView, Opened
from api.http.errors import (
    ActivityGone,
    ActivityNotFound,
    CommerceNotFound,
    from_rejection,
    problem_responses,
)
from api.http.fields import Answer, Instant
from db import facts
from db.models import Commerce, ResolutionAttempt
from db.rows import Columns, build_row, fetch_page, parts_of
from runs.ids import draw_id
from workflows.messages import RejectedError, Resolve, ScheduledActivityInput
from workflows.resolution import decide, why_unresolved
from workflows.resolution.explanations import AttributesExplanation, ReasonExplanation, TargetExplanation
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.words import ActivityStatus, ResolutionMoment

router = APIRouter(prefix="/api/activities", tags=["activities"])

LISTED_ATTEMPTS = 10
"""The explanation of an attempt may have 75 kB, and each retry adds one."""


class ExplanationRead(Answer):
    """The explanation of a resolution: the matched reason, the candidates for the target, the sources of the values."""

    reason: ReasonExplanation | None = Field(default=None, description="Null but for the creation.")
    target: TargetExplanation | None = Field(default=None, description="Null where no target was looked for.")
    attributes: AttributesExplanation | None = Field(default=None, description="Null where none were looked for.")

    @classmethod
    def members(cls, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parts of a stored explanation; a part that was not resolved is stored empty, and is None here."""
        return {part: stored.get(part) or None for part in ("reason", "target", "attributes")}


class AttemptRead(ExplanationRead):
    """One attempt at resolution."""

    attempted_at: Instant
    moment: ResolutionMoment | None = Field(
        description="The occasion of the attempt; null if an operator assigned the user, or a claim found the user"
        " unreachable."
    )


class AttemptsRead(Answer):
    """The latest attempts at the activity's resolution, the oldest first."""

    activity_id: UUID
    attempts: list[AttemptRead] = Field(description=f"At most {LISTED_ATTEMPTS}; fewer, if they have many bytes.")
    earlier_attempts: int = Field(description="The number of earlier attempts, which are not listed.")


class ExplanationDryRunRead(ExplanationRead):
    """The result that a creation would have; nothing was started or written."""

    status: ActivityStatus = Field(description="READY or UNRESOLVED.")
    status_reason: str | None = Field(description="The reason if it would be UNRESOLVED.")


class StoredAttempt(NamedTuple):
    """The explanation of one attempt, as it is stored."""

    explanation: Columns
    attempted_at: datetime
    total: int


@router.get("/{activity_id}/explanation", responses=problem_responses(ActivityNotFound, ActivityGone))
async def get_explanation(caller: CanView, opened: Opened, activity_id: UUID) -> AttemptsRead:
    """Explain the activity's target user and values: the latest attempts, each with the configuration in force then.

    A later attempt covers only what was still open; what was found once is never resolved again.
    """
    statement = (
        select(ResolutionAttempt.explanation, ResolutionAttempt.attempted_at, func.count().over().label("total"))
        .where(parts_of(ResolutionAttempt, caller.tenant_id, activity_id))
        .order_by(ResolutionAttempt.attempted_at.desc(), ResolutionAttempt.event_key.desc())
        .limit(LISTED_ATTEMPTS)
    )
    async with opened.database.autocommit.connect() as connection:
        rows, _ = await fetch_page(connection, statement, LISTED_ATTEMPTS)
    attempts = [build_row(StoredAttempt, row) for row in rows]
    if not attempts:
        await require_resolving(activity_id, caller, opened)
    earlier = attempts[0].total - len(attempts) if attempts else 0
    listed = [_read_attempt(one) for one in reversed(attempts)]
    return AttemptsRead(activity_id=activity_id, attempts=listed, earlier_attempts=earlier)


def _read_attempt(attempt: StoredAttempt) -> AttemptRead:
    stored = attempt.explanation
    moments = (stored.get(part, {}).get("moment") for part in ("target", "attributes"))
    moment = ResolutionMoment.CREATION if stored.get("reason") else next(filter(None, moments), None)
    return AttemptRead.model_validate(
        AttemptRead.members(stored) | {"attempted_at": attempt.attempted_at, "moment": moment}
    )


@router.post(
    "/explain",
    responses=problem_responses(*CREATION_REJECTIONS),
)
async def explain_activity(
    caller: CanExplain,
    opened: Opened,
    body: Json[ScheduledActivityCreate],
) -> ExplanationDryRunRead:
    """Explain what the creation with this body would result in, as the creation itself would store it.

    Nothing is started or written, and the idempotency key is not checked. It shows users and values of the tenant:
    `VIEW_ACTIVITIES` is required beside `CREATE_ACTIVITY`.
    """
    scheduled = ScheduledActivityInput(id=draw_id(), tenant_id=caller.tenant_id, request=body.as_request())
    async with opened.database.autocommit.connect() as connection:
        await _require_active_commerce(connection, caller.tenant_id, body.commerce_id)
        resolve = Resolve(scheduled=scheduled)
        known = (
            await facts.read_reason_facts(connection, resolve),
            await facts.read_target_facts(connection, resolve),
            await facts.read_attribute_facts(connection, resolve),
        )
    async with opened.explaining:
        await asyncio.sleep(0)  # requests that came before have their turn
        try:
            return _dry_run(*known)
        except RejectedError as rejected:
            raise from_rejection(rejected.rejection) from rejected


def _dry_run(of_reason: ReasonFacts, of_target: TargetFacts, of_attributes: AttributeFacts) -> ExplanationDryRunRead:
    """Decide as a creation would, from facts loaded without a look at the idempotency key."""
    reason, target, attributes = decide(of_reason, of_target, of_attributes)
    why = why_unresolved(target, attributes)
    parts = {"reason": reason.explanation, "target": target.explanation, "attributes": attributes.explanation}
    status = ActivityStatus.UNRESOLVED if why else ActivityStatus.READY
    return ExplanationDryRunRead.model_validate(
        ExplanationDryRunRead.members(parts) | {"status": status, "status_reason": why}
    )


async def _require_active_commerce(connection: AsyncConnection, tenant_id: UUID, commerce_id: UUID) -> None:
    statement = select(Commerce.id).where(
        Commerce.tenant_id == tenant_id, Commerce.id == commerce_id, Commerce.is_active
    )
    if (await connection.execute(statement)).first() is None:
        raise CommerceNotFound(f"This tenant has no active commerce {commerce_id}.")
