"""Loads the facts that a resolution decides by: one statement a step or a whole creation."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
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
from workflows.messages import Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.words import Channel, ResolutionMoment

TENANT: BindParameter[Any] = bindparam("tenant_id")
ACTIVITY: BindParameter[Any] = bindparam("activity_id")
COMMERCE: BindParameter[Any] = bindparam("commerce_id")
CHANNEL = bindparam("channel", type_=ContactLogEntry.channel.type)
AFTER_CREATION: BindParameter[Any] = bindparam("after_creation")


def _rows(rows: Select[*tuple[Any, ...]]) -> ScalarSelect[Any]:
    """All rows as one JSON array, so that a statement answers several questions at once."""
    row = rows.subquery("row")
    return select(func.json_agg(func.row_to_json(row.table_valued()))).scalar_subquery()


def _row(row: Select[*tuple[Any, ...]]) -> ScalarSelect[Any]:
    """The one row as a JSON object."""
    subquery = row.limit(literal_column("1")).subquery("row")
    return select(func.row_to_json(subquery.table_valued())).scalar_subquery()


def _catalogue(entry: type[CatalogueEntry]) -> ScalarSelect[Any]:
    return _rows(select(entry.code, entry.label, entry.aliases, entry.is_active).where(entry.tenant_id == TENANT))


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
"""Whose the key is, and whether there is the commerce.

The lock waits for a move after the mark: it starts the run before it commits what that goes on from.
"""

REASON_FACTS = select(
    _catalogue(Reason).label("reasons"),
    case((bindparam("with_user_status"), _catalogue(UserStatus))).label("user_statuses"),
)


_EACH_CHANNEL = func.unnest(literal([*Channel], ARRAY(Text))).table_valued("channel", name="each").render_derived()


def _last_contact(channel: ColumnElement[Any]) -> ScalarSelect[Any]:
    """One look at the end of an index for each user: its cost doesn't grow with the log."""
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
).where(TargetUser.tenant_id == TENANT, TargetUser.activity_id == ACTIVITY)
_scheduled_at = (
    select(ScheduledActivity.scheduled_at)
    .where(ScheduledActivity.tenant_id == TENANT, ScheduledActivity.id == ACTIVITY)
    .scalar_subquery()
)
OCCASION = (
    func.statement_timestamp().label("now"),
    func.coalesce(
        case((AFTER_CREATION, _scheduled_at)), bindparam("scheduled_at", type_=ScheduledActivity.scheduled_at.type)
    ).label("scheduled_at"),
)

TARGET_FACTS = select(
    *OCCASION,
    _row(_rules_in_force).label("rules"),
    _rows(_candidates).label("candidates"),
    case((AFTER_CREATION, _row(_standing_target))).label("standing"),
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
    .where(ActivityAttribute.tenant_id == TENANT, ActivityAttribute.activity_id == ACTIVITY)
    .order_by(ActivityAttribute.position)
)
_commerce = select(Commerce.name, Commerce.tax_id, Commerce.addresses).where(
    Commerce.tenant_id == TENANT, Commerce.id == COMMERCE
)

ATTRIBUTE_FACTS = select(
    *OCCASION,
    _rows(_catalogued_keys).label("catalogue"),
    _row(_commerce).label("commerce"),
    case((AFTER_CREATION, _rows(_standing_attributes))).label("standing"),
)


def _creation_facts() -> Select[*tuple[Any, ...]]:
    """What the steps of a creation ask one by one; the attributes' part only for those that ask for some."""
    parts = (*KEY_FACTS.selected_columns, *REASON_FACTS.selected_columns, *TARGET_FACTS.selected_columns)
    asks: BindParameter[bool] = bindparam("with_attributes")
    of_attributes = ATTRIBUTE_FACTS.selected_columns
    return select(
        *(column for column in parts if column.name != "standing"),
        *(case((asks, of_attributes[name])).label(name) for name in ("catalogue", "commerce")),
    )


CREATION_FACTS = _creation_facts()


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
