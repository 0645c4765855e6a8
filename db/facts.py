"""Reads of the facts that a resolution decides by: one statement for a step, or for a whole creation."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    RowMapping,
    ScalarSelect,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    ActivityAttribute,
    AttributeKey,
    AttributePolicy,
    CatalogueEntry,
    Commerce,
    CommerceUser,
    ContactLogEntry,
    Reason,
    ScheduledActivity,
    TargetConfig,
    TargetUser,
    UserStatus,
)
from db.rows import NOW, Columns, Expression, Rows, address, parts_of
from workflows.messages import Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.words import Channel, ResolutionMoment

TENANT: BindParameter[UUID] = bindparam("tenant_id")
ACTIVITY: BindParameter[UUID] = bindparam("activity_id")
COMMERCE: BindParameter[UUID] = bindparam("commerce_id")
CHANNEL = bindparam("channel", type_=ContactLogEntry.channel.type)
AFTER_CREATION: BindParameter[bool] = bindparam("after_creation")


def _json_rows(rows: Rows) -> ScalarSelect[object]:
    """Return all rows as one JSON array, so that one statement can read several tables."""
    row = rows.subquery("row")
    return select(func.json_agg(func.row_to_json(row.table_valued()))).scalar_subquery()


def _json_row(row: Rows) -> ScalarSelect[object]:
    """Return the first row as a JSON object."""
    subquery = row.limit(literal_column("1")).subquery("row")
    return select(func.row_to_json(subquery.table_valued())).scalar_subquery()


def _catalogue(entry: type[CatalogueEntry]) -> ScalarSelect[object]:
    return _json_rows(select(entry.code, entry.label, entry.aliases, entry.is_active).where(entry.tenant_id == TENANT))


KEY_FACTS = select(
    select(ScheduledActivity.id)
    .where(ScheduledActivity.tenant_id == TENANT, ScheduledActivity.idempotency_key == bindparam("idempotency_key"))
    .with_for_update()
    .scalar_subquery()
    .label("recorded_id"),
    select(Commerce.id)
    .where(Commerce.tenant_id == TENANT, Commerce.id == COMMERCE, Commerce.is_active)
    .scalar_subquery()
    .label("found_commerce_id"),
)
"""The activity that has the idempotency key, and the commerce if it is active.

The lock waits for a reschedule that undoes a mark: it starts the run before it commits the row that the run reads.
"""

REASON_FACTS = select(
    _catalogue(Reason).label("reasons"),
    case((bindparam("with_user_status"), _catalogue(UserStatus))).label("user_statuses"),
)


_EACH_CHANNEL = func.unnest(literal([*Channel], ARRAY(Text))).table_valued("channel", name="each").render_derived()


def _last_contact(channel: Expression) -> ScalarSelect[datetime]:
    """Select the time of a user's last contact at the end of an index: the cost doesn't grow with the log."""
    return (
        select(func.max(ContactLogEntry.contacted_at))
        .where(
            ContactLogEntry.tenant_id == CommerceUser.tenant_id,
            ContactLogEntry.commerce_user_id == CommerceUser.id,
            ContactLogEntry.channel == channel,
        )
        .correlate(CommerceUser, _EACH_CHANNEL)
        .scalar_subquery()
    )


_type = bindparam("type", type_=TargetConfig.type.type)
_rules_in_force = (
    select(
        TargetConfig.id,
        TargetConfig.version,
        TargetConfig.strategy,
        TargetConfig.criteria,
        TargetConfig.fallback_to_commerce_rep,
        TargetConfig.fallback_to_owner,
    )
    .where(
        TargetConfig.tenant_id == TENANT,
        TargetConfig.is_active,
        or_(TargetConfig.channel.is_(None), TargetConfig.channel == CHANNEL),
        or_(TargetConfig.type.is_(None), TargetConfig.type == _type),
    )
    .order_by(TargetConfig.priority)
)
_candidates = select(
    CommerceUser.id,
    CommerceUser.roles,
    func.jsonb_path_query_array(CommerceUser.contacts, literal_column("'$[*].contact_type'")).label("contact_types"),
    CommerceUser.is_active,
    select(func.max(_last_contact(_EACH_CHANNEL.c.channel)))
    .select_from(_EACH_CHANNEL)
    .scalar_subquery()
    .label("last_contacted_at"),
    _last_contact(CHANNEL).label("last_contacted_on_channel_at"),
).where(CommerceUser.tenant_id == TENANT, CommerceUser.commerce_id == COMMERCE)
_standing_target = select(
    TargetUser.status,
    TargetUser.strategy,
    TargetUser.commerce_user_id,
    TargetUser.lock_reason,
    TargetUser.error_message,
).where(parts_of(TargetUser, TENANT, ACTIVITY))
_scheduled_at = select(ScheduledActivity.scheduled_at).where(address(TENANT, ACTIVITY)).scalar_subquery()
OCCASION = (
    NOW.label("now"),
    func.coalesce(
        case((AFTER_CREATION, _scheduled_at)), bindparam("scheduled_at", type_=ScheduledActivity.scheduled_at.type)
    ).label("scheduled_at"),
)

TARGET_FACTS = select(
    *OCCASION,
    _json_row(_rules_in_force).label("rules"),
    _json_rows(_candidates).label("candidates"),
    case((AFTER_CREATION, _json_row(_standing_target))).label("standing"),
)

_catalogued_keys = (
    select(
        AttributeKey.key,
        case(
            (
                AttributePolicy.key.is_not(None),
                func.json_build_object(
                    "strategy",
                    AttributePolicy.strategy,
                    "resolver_type",
                    AttributePolicy.resolver_type,
                    "version",
                    AttributePolicy.version,
                ),
            )
        ).label("policy"),
    )
    .join_from(
        AttributeKey,
        AttributePolicy,
        and_(AttributePolicy.tenant_id == AttributeKey.tenant_id, AttributePolicy.key == AttributeKey.key),
        isouter=True,
    )
    .where(AttributeKey.tenant_id == TENANT)
)
_standing_attributes = (
    select(
        ActivityAttribute.key,
        ActivityAttribute.status,
        ActivityAttribute.resolver_type,
        ActivityAttribute.value,
        ActivityAttribute.fallback,
        ActivityAttribute.error_message,
    )
    .where(parts_of(ActivityAttribute, TENANT, ACTIVITY))
    .order_by(ActivityAttribute.position)
)
_commerce = select(Commerce.name, Commerce.tax_id, Commerce.addresses).where(
    Commerce.tenant_id == TENANT, Commerce.id == COMMERCE
)

ATTRIBUTE_FACTS = select(
    *OCCASION,
    _json_rows(_catalogued_keys).label("catalogue"),
    _json_row(_commerce).label("commerce"),
    case((AFTER_CREATION, _json_rows(_standing_attributes))).label("standing"),
)


def _creation_facts_statement() -> Rows:
    """Select the facts of all steps of a creation; those of the attributes only if the request has attributes."""
    parts = (*KEY_FACTS.selected_columns, *REASON_FACTS.selected_columns, *TARGET_FACTS.selected_columns)
    asks: BindParameter[bool] = bindparam("with_attributes")
    of_attributes = ATTRIBUTE_FACTS.selected_columns
    return select(
        *(column for column in parts if column.name != "standing"),
        *(case((asks, of_attributes[name])).label(name) for name in ("catalogue", "commerce")),
    )


CREATION_FACTS = _creation_facts_statement()


class KeyFacts(NamedTuple):
    """The activity that has the idempotency key already, and the commerce if the tenant has it."""

    recorded_id: UUID | None
    commerce_id: UUID | None


@dataclass(frozen=True)
class CreationFacts:
    """The facts of all steps of a creation. Each part is validated when its step is decided, and not before."""

    row: RowMapping
    resolve: Resolve

    @property
    def key(self) -> KeyFacts:
        """Return the facts about the key and the commerce."""
        return _build_key_facts(self.row)

    @property
    def reason(self) -> ReasonFacts:
        """Return the facts about the reason and the user status."""
        return _build_reason_facts(self.row, self.resolve)

    @property
    def target(self) -> TargetFacts:
        """Return the facts about the target user."""
        return _build_target_facts(self.row, self.resolve)

    @property
    def attributes(self) -> AttributeFacts:
        """Return the facts about the attributes."""
        return _build_attribute_facts(self.row, self.resolve)


async def read_creation_facts(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> CreationFacts:
    """Read everything that decides a creation."""
    resolve = Resolve(scheduled=scheduled)
    parameters = _key_parameters(scheduled) | _reason_parameters(resolve) | _target_parameters(resolve)
    parameters["with_attributes"] = has_attributes(scheduled.request)
    return CreationFacts(await _read(connection, CREATION_FACTS, parameters), resolve)


async def read_key_facts(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> KeyFacts:
    """Read the activity that has the key, and the commerce."""
    return _build_key_facts(await _read(connection, KEY_FACTS, _key_parameters(scheduled)))


async def read_reason_facts(connection: AsyncConnection, resolve: Resolve) -> ReasonFacts:
    """Read the tenant's catalogue of reasons and, if the request has a user status, that of user statuses."""
    return _build_reason_facts(await _read(connection, REASON_FACTS, _reason_parameters(resolve)), resolve)


async def read_target_facts(connection: AsyncConnection, resolve: Resolve) -> TargetFacts:
    """Read the configuration in force, the commerce's users and, after the creation, the activity's target."""
    return _build_target_facts(await _read(connection, TARGET_FACTS, _target_parameters(resolve)), resolve)


async def read_attribute_facts(connection: AsyncConnection, resolve: Resolve) -> AttributeFacts:
    """Read the keys with their policies, the commerce and, after the creation, the activity's attributes."""
    return _build_attribute_facts(await _read(connection, ATTRIBUTE_FACTS, _occasion_parameters(resolve)), resolve)


async def _read(connection: AsyncConnection, statement: Rows, parameters: Columns) -> RowMapping:
    return (await connection.execute(statement, parameters)).mappings().one()


def has_attributes(request: ScheduledActivityRequest) -> bool:
    """Return whether a creation has attributes to resolve."""
    return bool(request.attribute_keys or request.attributes)


def _build_key_facts(row: RowMapping) -> KeyFacts:
    return KeyFacts(row["recorded_id"], row["found_commerce_id"])


def _build_reason_facts(row: RowMapping, resolve: Resolve) -> ReasonFacts:
    request = resolve.scheduled.request
    return ReasonFacts(
        reason=request.reason,
        user_status=request.user_status,
        reasons=row["reasons"] or (),
        user_statuses=row["user_statuses"] or (),
    )


def _build_target_facts(row: RowMapping, resolve: Resolve) -> TargetFacts:
    request = resolve.scheduled.request
    return TargetFacts.model_validate(
        _members(row) | {"moment": resolve.moment, "channel": request.channel, "requested": request.target_criteria}
    )


def _build_attribute_facts(row: RowMapping, resolve: Resolve) -> AttributeFacts:
    request = resolve.scheduled.request
    return AttributeFacts.model_validate(
        _members(row)
        | {
            "moment": resolve.moment,
            "requested_keys": request.attribute_keys or (),
            "provided": request.attributes or (),
        }
    )


def _key_parameters(scheduled: ScheduledActivityInput) -> Columns:
    request = scheduled.request
    return {
        "tenant_id": scheduled.tenant_id,
        "commerce_id": request.commerce_id,
        "idempotency_key": request.idempotency_key,
    }


def _reason_parameters(resolve: Resolve) -> Columns:
    scheduled = resolve.scheduled
    return {"tenant_id": scheduled.tenant_id, "with_user_status": scheduled.request.user_status is not None}


def _target_parameters(resolve: Resolve) -> Columns:
    request = resolve.scheduled.request
    return _occasion_parameters(resolve) | {"channel": request.channel, "type": request.type}


def _occasion_parameters(resolve: Resolve) -> Columns:
    scheduled = resolve.scheduled
    return {
        "tenant_id": scheduled.tenant_id,
        "activity_id": scheduled.id,
        "commerce_id": scheduled.request.commerce_id,
        "scheduled_at": scheduled.request.scheduled_at,
        "after_creation": resolve.moment is not ResolutionMoment.CREATION,
    }


def _members(row: RowMapping) -> Columns:
    """Return the columns that are not null: the model's defaults stand for the others."""
    return {str(name): value for name, value in row.items() if value is not None}
