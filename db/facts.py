"""Loads what resolution is told: one statement a step, however many candidates there are."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.fact_statements import ATTRIBUTE_FACTS, REASON_FACTS, TARGET_FACTS
from workflows.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.payloads import ResolutionMoment, Resolve


async def reason_facts(connection: AsyncConnection, resolve: Resolve) -> ReasonFacts:
    """Load the tenant's catalogues of reasons and, when a user status was given, of user statuses."""
    request = resolve.scheduled.request
    asked = {"tenant_id": resolve.scheduled.tenant_id, "with_user_status": request.user_status is not None}
    row = (await connection.execute(REASON_FACTS, asked)).one()
    return ReasonFacts(
        reason=request.reason,
        user_status=request.user_status,
        reasons=row.reasons or (),
        user_statuses=row.user_statuses or (),
    )


async def target_facts(connection: AsyncConnection, resolve: Resolve) -> TargetFacts:
    """Load the configuration in force, the commerce's users and, after creation, the row's target."""
    request = resolve.scheduled.request
    asked = _occasion(resolve) | {"channel": request.channel, "type": request.type}
    row = (await connection.execute(TARGET_FACTS, asked)).one()
    return TargetFacts.model_validate(
        _found(row) | {"moment": resolve.moment, "channel": request.channel, "requested": request.target_criteria}
    )


async def attribute_facts(connection: AsyncConnection, resolve: Resolve) -> AttributeFacts:
    """Load the catalogue of keys with their policies, the commerce and, after creation, the rows' attributes."""
    request = resolve.scheduled.request
    row = (await connection.execute(ATTRIBUTE_FACTS, _occasion(resolve))).one()
    return AttributeFacts.model_validate(
        _found(row)
        | {
            "moment": resolve.moment,
            "requested_keys": request.attribute_keys or (),
            "provided": request.attributes or (),
        }
    )


def _occasion(resolve: Resolve) -> dict[str, Any]:
    scheduled = resolve.scheduled
    return {
        "tenant_id": scheduled.tenant_id,
        "activity_id": scheduled.id,
        "commerce_id": scheduled.request.commerce_id,
        "scheduled_at": scheduled.request.scheduled_at,
        "after_creation": resolve.moment is not ResolutionMoment.CREATION,
    }


def _found(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if value is not None}  # noqa: SLF001
