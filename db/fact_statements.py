"""What resolution asks PostgreSQL: one statement a step, however many candidates there are."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
)

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
from workflows.payloads import Channel

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


REASON_FACTS = select(
    _catalogue(Reason).label("reasons"),
    case((bindparam("with_user_status"), _catalogue(UserStatus))).label("user_statuses"),
)


def _last_contact(channel: ColumnElement[Channel]) -> ScalarSelect[Any]:
    """One look at the end of an index for each user: its cost doesn't grow with the log."""
    return (
        select(func.max(ContactLogEntry.contacted_at))
        .where(
            ContactLogEntry.tenant_id == CommerceUser.tenant_id,
            ContactLogEntry.commerce_user_id == CommerceUser.id,
            ContactLogEntry.channel == channel,
        )
        .correlate(CommerceUser)
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
    func.greatest(*(_last_contact(literal(channel, ContactLogEntry.channel.type)) for channel in Channel)).label(
        "last_contacted_at"
    ),
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
