"""Reads of the facts that a resolution decides by: one statement for a step, or for a whole creation."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Integer,
    ScalarSelect,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.catalogues import matching_entries, read_similar_keys, read_similar_names
from db.fingerprints import hash_text
from db.models import (
    ActivityAttribute,
    AttributeKey,
    AttributePolicy,
    CatalogueEntry,
    Commerce,
    CommerceUser,
    ContactLogEntry,
    Reason,
    RemovedActivity,
    ScheduledActivity,
    TargetConfig,
    TargetUser,
    UserStatus,
)
from db.name_keys import find_name_key
from db.rows import NOW, Columns, Expression, Rows, address, parts_of
from workflows.messages import Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.resolution.criteria import LISTED_CANDIDATES, REACHED_BY
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.words import Channel, ResolutionMoment, Role

TENANT: BindParameter[UUID] = bindparam("tenant_id")
ACTIVITY: BindParameter[UUID] = bindparam("activity_id")
COMMERCE: BindParameter[UUID] = bindparam("commerce_id")
CHANNEL = bindparam("channel", type_=ContactLogEntry.channel.type)
AFTER_CREATION: BindParameter[bool] = bindparam("after_creation")


def _constant(number: int) -> ColumnElement[int]:
    """Write a number into the statement: a parameter is longer, and hides from the planner how few rows are wanted."""
    return literal_column(str(number), Integer)


def _json_rows(rows: Rows) -> ScalarSelect[object]:
    """Return all rows as one JSON array, so that one statement can read several tables."""
    return select(func.json_agg(rows.subquery("r").table_valued()).label("a")).scalar_subquery()


def _json_row(row: Rows) -> ScalarSelect[object]:
    """Return the first row as a JSON object."""
    first = row.limit(_constant(1)).subquery("r")
    return select(func.row_to_json(first.table_valued()).label("o")).scalar_subquery()


_activity, _c = aliased(ScheduledActivity, name="a"), aliased(Commerce, name="b")
_removed = aliased(RemovedActivity, name="x")
_sent_key: BindParameter[str] = bindparam("idempotency_key", type_=Text)
KEY_FACTS = select(
    select(_activity.id)
    .where(_activity.tenant_id == TENANT, _activity.idempotency_key == _sent_key)
    .with_for_update()
    .scalar_subquery()
    .label("recorded_id"),
    select(_removed.activity_id)
    .where(_removed.tenant_id == TENANT, _removed.key_hash == bindparam("key_hash"))
    .scalar_subquery()
    .label("removed_id"),
    select(_c.id)
    .where(_c.tenant_id == TENANT, _c.id == COMMERCE, _c.is_active)
    .scalar_subquery()
    .label("found_commerce_id"),
)
"""The activity that has the idempotency key, one that had it and was removed, and the commerce if it is active.

The lock waits for a reschedule that undoes a mark: it starts the run before it commits the row that the run reads.
"""


def _matching(entry: type[CatalogueEntry], name: str) -> ScalarSelect[object]:
    text: BindParameter[str] = bindparam(name, type_=Text)
    key: BindParameter[UUID] = bindparam(f"{name}_key", type_=Uuid)
    return matching_entries(entry, TENANT, text, key)


REASON_FACTS = select(
    _matching(Reason, "reason").label("reasons"),
    case((bindparam("with_user_status"), _matching(UserStatus, "user_status"))).label("user_statuses"),
)


_type = bindparam("type", type_=TargetConfig.type.type)
_config = aliased(TargetConfig, name="g")
_rules_in_force = (
    select(literal_column("row_to_json(g)"))
    .select_from(_config)
    .where(
        _config.tenant_id == TENANT,
        _config.is_active,
        or_(_config.channel.is_(None), _config.channel == CHANNEL),
        or_(_config.type.is_(None), _config.type == _type),
    )
    .order_by(_config.priority)
    .limit(_constant(1))
    .scalar_subquery()
)
_u, _log = aliased(CommerceUser, name="u"), aliased(ContactLogEntry, name="l")
_REACHED_BY = bindparam("reached_by", None, ARRAY(Text))
"""The types of contacts by which the channel reaches users; null for a channel that reaches every user."""


def _last_contact(*on_channel: Expression) -> ScalarSelect[datetime]:
    """Select the time of a user's last contact at the end of an index: the cost doesn't grow with the log."""
    return (
        select(func.max(_log.contacted_at))
        .where(_log.tenant_id == _u.tenant_id, _log.commerce_user_id == _u.id, *on_channel)
        .correlate(_u)
        .scalar_subquery()
    )


_contact_types = func.jsonb_path_query_array(_u.contacts, literal_column("'$[*].contact_type'"), type_=JSONB)
_can_be_reached = or_(_REACHED_BY.is_(None), _contact_types.has_any(_REACHED_BY))
_FITS, _IS_INACTIVE, _IS_UNREACHABLE, _HAS_OTHER_ROLE = (_constant(number) for number in range(4))
_users = (
    select(
        _u.id,
        _u.roles,
        _contact_types.label("contact_types"),
        _u.is_active,
        _last_contact().label("last_contacted_at"),
        _last_contact(_log.channel == CHANNEL).label("last_contacted_on_channel_at"),
        case((~_u.is_active, _IS_INACTIVE), (_can_be_reached, _FITS), else_=_IS_UNREACHABLE).label("n"),
    )
    .where(_u.tenant_id == TENANT, _u.commerce_id == COMMERCE)
    .cte("s")
)
"""The commerce's users, read once. `n` orders those that a criterion fits by how close they came to being taken."""

_LISTED = _constant(LISTED_CANDIDATES)


def _place(last_contact: Expression) -> ColumnElement[int]:
    """Build the number of a user among those of equal nearness, in the order in which a criterion prefers them."""
    return func.row_number().over(partition_by=_users.c.n, order_by=(last_contact.desc().nulls_last(), _users.c.id))


_roles = func.unnest(literal_column(f"'{{{','.join(Role)}}}'::text[]")).table_valued("role").render_derived("e")
_nearest_by_role = (
    select(_users.c.id)
    .order_by(
        case((_roles.c.role == any_(_users.c.roles), _users.c.n), else_=_HAS_OTHER_ROLE),
        _users.c.last_contacted_at.desc().nulls_last(),
        _users.c.id,
    )
    .limit(_LISTED)
    .lateral("m")
)
_placed = select(
    literal_column("s.*"),
    _place(_users.c.last_contacted_at).label("p"),
    _place(_users.c.last_contacted_on_channel_at).label("q"),
).subquery("c")
_candidates = (
    select(func.json_agg(_placed.table_valued()))
    .where(
        or_(
            _placed.c.p <= _LISTED,
            _placed.c.q <= _LISTED,
            literal_column("c.id", CommerceUser.id.type).in_(
                select(_nearest_by_role.c.id).join_from(_roles, _nearest_by_role, true())
            ),
        )
    )
    .scalar_subquery()
)
"""The users that can be among the first that any criterion lists; the engine judges and orders them.

For a role they are the first of its own order. For the last contacts they are the first of each nearness, whatever the
number of days: users whose contact is too old come after all others, in the order of the same times.
"""

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
    _rules_in_force.label("rules"),
    _candidates.label("candidates"),
    select(func.count()).select_from(_users).scalar_subquery().label("candidates_total"),
    case((AFTER_CREATION, _json_row(_standing_target))).label("standing"),
)

_key, _policy = aliased(AttributeKey, name="k"), aliased(AttributePolicy, name="p")
_catalogued_keys = (
    select(_key.key, func.row_to_json(literal_column("p")).label("policy"))
    .join_from(_key, _policy, and_(_policy.tenant_id == _key.tenant_id, _policy.key == _key.key), isouter=True)
    .where(_key.tenant_id == TENANT, _key.key == any_(bindparam("keys", type_=ARRAY(Text))))
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
_primary_addresses = func.jsonb_path_query_array(
    _c.addresses, literal_column("'$[*] ? (@.is_primary == true)'"), type_=JSONB
)
_first_address = func.jsonb_path_query_array(_primary_addresses.concat(_c.addresses), literal_column("'$[0]'"))
_commerce = select(_c.name, _c.tax_id, _first_address.label("addresses")).where(
    _c.tenant_id == TENANT, _c.id == COMMERCE
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
        *(column for column in parts if column.name not in {"standing", "scheduled_at"}),
        *(case((asks, of_attributes[name])).label(name) for name in ("catalogue", "commerce")),
    )


CREATION_FACTS = _creation_facts_statement()


class KeyFacts(NamedTuple):
    """The activity that has the idempotency key already, or had it, and the commerce if the tenant has it."""

    recorded_id: UUID | None
    removed_id: UUID | None
    commerce_id: UUID | None


@dataclass(frozen=True)
class CreationFacts:
    """The facts of all steps of a creation. Each part is validated when its step is decided, and not before."""

    row: Columns
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
    """Read everything that decides a creation; another statement only if a name that it says is unknown."""
    resolve = Resolve(scheduled=scheduled)
    parameters = _key_parameters(scheduled) | _reason_parameters(resolve) | _target_parameters(resolve)
    parameters |= {"with_attributes": has_attributes(scheduled.request), "keys": _list_keys(scheduled.request)}
    row = await _read(connection, CREATION_FACTS, parameters)
    row["scheduled_at"] = scheduled.request.scheduled_at
    return CreationFacts(row | await _read_similar_names(connection, row, resolve), resolve)


async def read_key_facts(connection: AsyncConnection, scheduled: ScheduledActivityInput) -> KeyFacts:
    """Read the activity that has the key, and the commerce."""
    return _build_key_facts(await _read(connection, KEY_FACTS, _key_parameters(scheduled)))


async def read_reason_facts(connection: AsyncConnection, resolve: Resolve) -> ReasonFacts:
    """Read what the reason and, if the request has one, the user status mean in the tenant's catalogues."""
    row = await _read(connection, REASON_FACTS, _reason_parameters(resolve))
    return _build_reason_facts(row | await _read_similar_names(connection, row, resolve), resolve)


async def read_target_facts(connection: AsyncConnection, resolve: Resolve) -> TargetFacts:
    """Read the configuration in force, the commerce's users and, after the creation, the activity's target."""
    return _build_target_facts(await _read(connection, TARGET_FACTS, _target_parameters(resolve)), resolve)


async def read_attribute_facts(connection: AsyncConnection, resolve: Resolve) -> AttributeFacts:
    """Read the keys with their policies, the commerce and, after the creation, the activity's attributes."""
    parameters = _occasion_parameters(resolve) | {"keys": _list_keys(resolve.scheduled.request)}
    row = await _read(connection, ATTRIBUTE_FACTS, parameters)
    return _build_attribute_facts(row | await _read_similar_names(connection, row, resolve), resolve)


async def _read(connection: AsyncConnection, statement: Rows, parameters: Columns) -> Columns:
    row = (await connection.execute(statement, parameters)).mappings().one()
    return {str(name): value for name, value in row.items()}


async def _read_similar_names(connection: AsyncConnection, row: Columns, resolve: Resolve) -> Columns:
    """Read the names to suggest for each text of the request that means nothing."""
    tenant_id, request = resolve.scheduled.tenant_id, resolve.scheduled.request
    similar: Columns = {}
    for entry, column, text in (
        (Reason, "reasons", request.reason),
        (UserStatus, "user_statuses", request.user_status),
    ):
        matching = row.get(column)
        if text is not None and matching is not None and not any(one["is_active"] for one in matching):
            similar[f"similar_{column}"] = await read_similar_names(connection, entry, tenant_id, text)
    if "catalogue" in row and resolve.moment is ResolutionMoment.CREATION:
        absent = {*_list_keys(request)} - {one["key"] for one in row["catalogue"] or ()}
        if len(absent) == 1:
            similar["similar_keys"] = await read_similar_keys(connection, tenant_id, *absent)
    return similar


def has_attributes(request: ScheduledActivityRequest) -> bool:
    """Return whether a creation has attributes to resolve."""
    return bool(request.attribute_keys or request.attributes)


def _list_keys(request: ScheduledActivityRequest) -> list[str]:
    """List the attribute keys that the request asks for or provides."""
    return [*(request.attribute_keys or ()), *(one.key for one in request.attributes or ())]


def _build_key_facts(row: Columns) -> KeyFacts:
    return KeyFacts(row["recorded_id"], row["removed_id"], row["found_commerce_id"])


def _build_reason_facts(row: Columns, resolve: Resolve) -> ReasonFacts:
    request = resolve.scheduled.request
    return ReasonFacts(
        reason=request.reason,
        user_status=request.user_status,
        reasons=row["reasons"] or (),
        similar_reasons=row.get("similar_reasons"),
        user_statuses=row["user_statuses"] or (),
        similar_user_statuses=row.get("similar_user_statuses"),
    )


def _build_target_facts(row: Columns, resolve: Resolve) -> TargetFacts:
    request = resolve.scheduled.request
    return TargetFacts.model_validate(
        _members(row) | {"moment": resolve.moment, "channel": request.channel, "requested": request.target_criteria}
    )


def _build_attribute_facts(row: Columns, resolve: Resolve) -> AttributeFacts:
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
        "key_hash": hash_text(request.idempotency_key),
    }


def _reason_parameters(resolve: Resolve) -> Columns:
    tenant_id, request = resolve.scheduled.tenant_id, resolve.scheduled.request
    user_status = request.user_status
    return {
        "tenant_id": tenant_id,
        "reason": request.reason,
        "reason_key": find_name_key(tenant_id, request.reason),
        "with_user_status": user_status is not None,
        "user_status": user_status,
        "user_status_key": None if user_status is None else find_name_key(tenant_id, user_status),
    }


def _target_parameters(resolve: Resolve) -> Columns:
    request = resolve.scheduled.request
    by_channel = {"channel": request.channel, "reached_by": _list_reaching(request.channel)}
    return _occasion_parameters(resolve) | by_channel | {"type": request.type}


def _list_reaching(channel: Channel) -> list[str] | None:
    """List the types of contacts by which the channel reaches users; None if it reaches every user."""
    return [*REACHED_BY[channel]] if channel in REACHED_BY else None


def _occasion_parameters(resolve: Resolve) -> Columns:
    scheduled = resolve.scheduled
    return {
        "tenant_id": scheduled.tenant_id,
        "activity_id": scheduled.id,
        "commerce_id": scheduled.request.commerce_id,
        "scheduled_at": scheduled.request.scheduled_at,
        "after_creation": resolve.moment is not ResolutionMoment.CREATION,
    }


def _members(row: Columns) -> Columns:
    """Return the columns that are not null: the model's defaults stand for the others."""
    return {name: value for name, value in row.items() if value is not None}
