"""Loads what resolution is told: one statement a step or a whole creation, however many candidates there are."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.fact_statements import ATTRIBUTE_FACTS, CREATION_FACTS, KEY_FACTS, REASON_FACTS, TARGET_FACTS
from workflows.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.payloads import ResolutionMoment, Resolve, ScheduledActivityInput, ScheduledActivityRequest


class KeyFacts(NamedTuple):
    """The activity that has the key already, and the commerce, if the tenant has it."""

    recorded_id: UUID | None
    commerce_id: UUID | None


@dataclass(frozen=True)
class CreationFacts:
    """What all steps of a creation are told; each part is read when its turn comes, as if its step had asked."""

    row: Row[*tuple[Any, ...]]
    resolve: Resolve

    @property
    def key(self) -> KeyFacts:
        """For the commerce."""
        return _key(self.row)

    @property
    def reason(self) -> ReasonFacts:
        """For the reason and the user status."""
        return _reason(self.row, self.resolve)

    @property
    def target(self) -> TargetFacts:
        """For the target user."""
        return _target(self.row, self.resolve)

    @property
    def attributes(self) -> AttributeFacts:
        """For the attributes."""
        return _attributes(self.row, self.resolve)


async def creation_facts(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> CreationFacts:
    """Load everything that decides a creation."""
    resolve = Resolve(scheduled=scheduled)
    asked = _of_key(scheduled) | _of_reason(resolve) | _of_target(resolve)
    asked["with_attributes"] = asks_for_some(scheduled.request)
    return CreationFacts((await connection.execute(CREATION_FACTS, asked)).one(), resolve)


async def key_facts(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> KeyFacts:
    """Find whose the key is, and whether there is the commerce."""
    return _key((await connection.execute(KEY_FACTS, _of_key(scheduled))).one())


async def reason_facts(connection: AsyncConnection, resolve: Resolve) -> ReasonFacts:
    """Load the tenant's catalogues of reasons and, when a user status was given, of user statuses."""
    return _reason((await connection.execute(REASON_FACTS, _of_reason(resolve))).one(), resolve)


async def target_facts(connection: AsyncConnection, resolve: Resolve) -> TargetFacts:
    """Load the configuration in force, the commerce's users and, after creation, the row's target."""
    return _target((await connection.execute(TARGET_FACTS, _of_target(resolve))).one(), resolve)


async def attribute_facts(connection: AsyncConnection, resolve: Resolve) -> AttributeFacts:
    """Load the catalogue of keys with their policies, the commerce and, after creation, the rows' attributes."""
    return _attributes((await connection.execute(ATTRIBUTE_FACTS, _occasion(resolve))).one(), resolve)


def asks_for_some(request: ScheduledActivityRequest) -> bool:
    """Whether a creation has attributes to find."""
    return bool(request.attribute_keys or request.attributes)


def _key(row: Row[*tuple[Any, ...]]) -> KeyFacts:
    return KeyFacts(row.recorded_id, row.found_commerce_id)


def _reason(row: Row[*tuple[Any, ...]], resolve: Resolve) -> ReasonFacts:
    request = resolve.scheduled.request
    return ReasonFacts(
        reason=request.reason,
        user_status=request.user_status,
        reasons=row.reasons or (),
        user_statuses=row.user_statuses or (),
    )


def _target(row: Row[*tuple[Any, ...]], resolve: Resolve) -> TargetFacts:
    request = resolve.scheduled.request
    return TargetFacts.model_validate(
        _found(row) | {"moment": resolve.moment, "channel": request.channel, "requested": request.target_criteria}
    )


def _attributes(row: Row[*tuple[Any, ...]], resolve: Resolve) -> AttributeFacts:
    request = resolve.scheduled.request
    return AttributeFacts.model_validate(
        _found(row)
        | {
            "moment": resolve.moment,
            "requested_keys": request.attribute_keys or (),
            "provided": request.attributes or (),
        }
    )


def _of_key(scheduled: ScheduledActivityInput) -> dict[str, Any]:
    request = scheduled.request
    return {
        "tenant_id": scheduled.tenant_id,
        "commerce_id": request.commerce_id,
        "idempotency_key": request.idempotency_key,
    }


def _of_reason(resolve: Resolve) -> dict[str, Any]:
    scheduled = resolve.scheduled
    return {"tenant_id": scheduled.tenant_id, "with_user_status": scheduled.request.user_status is not None}


def _of_target(resolve: Resolve) -> dict[str, Any]:
    request = resolve.scheduled.request
    return _occasion(resolve) | {"channel": request.channel, "type": request.type}


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
