"""Writes many commerces, users and contact-log entries at once: a few statements, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.locks import ADVISORY_LOCK
from db.models import Commerce, CommerceUser, ContactLogEntry, Table

Sent = dict[str, Any]

TENANT = bindparam("tenant", type_=Commerce.tenant_id.type)
NOTHING, NO_MEMBERS = text("'[]'::jsonb"), text("'{}'::jsonb")

ONE_AT_A_TIME = select(
    ADVISORY_LOCK,
    func.set_config("plan_cache_mode", "force_custom_plan", true()),
)
"""Two synchronizations of one tenant that create the same commerce would not see each other's rows.

The first load meets small tables without statistics, and a plan that was made for those must not be kept.
"""


@dataclass(frozen=True)
class SyncCounts:
    """What became of the commerces; one of which only users have changed counts as updated."""

    created: int
    updated: int
    unchanged: int


def _sent(**columns: Any) -> FromClause:
    """The parameter `rows`, a JSON array, as a table."""
    parts = [column(name, kind) for name, kind in columns.items()]
    rows = func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    return rows.table_valued(*parts, name="sent").render_derived(with_types=True)


def _upsert(table: type[Table], key: tuple[str, ...], rows: Select[*tuple[Any, ...]]) -> Insert:
    """Insert the rows, or bring those that exist and differ up to them; answers those alone."""
    names = list(rows.selected_columns.keys())
    statement = insert(table).from_select(names, rows)
    changing = [name for name in names if name not in key]
    stored: list[ColumnElement[Any]] = [table.__table__.c[name] for name in changing]
    sent = [statement.excluded[name] for name in changing]
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in changing} | {"updated_at": func.now()},
        where=tuple_(*stored).is_distinct_from(tuple_(*sent)),
    )


_sent_commerce = _sent(
    external_id=Text, name=Text, tax_id=Text, global_external_id=Text, metadata=JSONB, addresses=JSONB
)
# A look at the unique index for each row: of a join the planner, without statistics, makes a walk through the tenant.
_commerce = (
    select(Commerce.__table__)
    .where(Commerce.tenant_id == TENANT, Commerce.external_id == _sent_commerce.c.external_id)
    .limit(literal_column("1"))
    .with_for_update(key_share=True)
    .lateral("stored")
)

LOCK_COMMERCES = select(_commerce.c.external_id, _commerce.c.id).join_from(_sent_commerce, _commerce, true())
"""Nobody else changes them, or their users, between our look at what is stored and our write."""

UPSERT_COMMERCES = _upsert(
    Commerce,
    ("tenant_id", "external_id"),
    select(
        TENANT.label("tenant_id"),
        _sent_commerce.c.external_id,
        _sent_commerce.c.name,
        func.coalesce(_sent_commerce.c.tax_id, _commerce.c.tax_id).label("tax_id"),
        func.coalesce(_sent_commerce.c.global_external_id, _commerce.c.global_external_id).label("global_external_id"),
        func.coalesce(_commerce.c.metadata, NO_MEMBERS)
        .op("||")(func.coalesce(_sent_commerce.c.metadata, NO_MEMBERS))
        .label("metadata"),
        func.coalesce(_sent_commerce.c.addresses, _commerce.c.addresses, NOTHING).label("addresses"),
    ).join_from(_sent_commerce, _commerce, true(), isouter=True),
).returning(Commerce.external_id, Commerce.id)

_sent_user = _sent(
    commerce_id=CommerceUser.commerce_id.type, external_id=Text, name=Text, roles=ARRAY(Text), contacts=JSONB
)
_user = (
    select(CommerceUser.__table__)
    .where(
        CommerceUser.tenant_id == TENANT,
        CommerceUser.commerce_id == _sent_user.c.commerce_id,
        CommerceUser.external_id == _sent_user.c.external_id,
    )
    .limit(literal_column("1"))
    .lateral("stored")
)

UPSERT_USERS = _upsert(
    CommerceUser,
    ("tenant_id", "commerce_id", "external_id"),
    select(
        TENANT.label("tenant_id"),
        _sent_user.c.commerce_id,
        _sent_user.c.external_id,
        func.coalesce(_sent_user.c.name, _user.c.name, _sent_user.c.external_id).label("name"),
        func.coalesce(_sent_user.c.roles, _user.c.roles, text("'{}'::text[]")).label("roles"),
        func.coalesce(_sent_user.c.contacts, _user.c.contacts, NOTHING).label("contacts"),
    ).join_from(_sent_user, _user, true(), isouter=True),
).returning(CommerceUser.commerce_id)


async def upsert_commerces(
    connection: AsyncConnection, tenant_id: UUID, commerces: Sequence[Sent], users: Sequence[Sent]
) -> SyncCounts:
    """Create or change the commerces, each external id once, and then their users; what a row leaves out stays.

    A user's row names its commerce by `commerce_external_id`.
    """
    await connection.execute(ONE_AT_A_TIME, {"lock": f"commerces of {tenant_id}"})
    in_one_order = sorted(commerces, key=lambda row: row["external_id"])  # nobody waits for a row of who waits for ours
    sent = {"tenant": tenant_id, "rows": in_one_order}
    stored = {row.external_id: row.id for row in await connection.execute(LOCK_COMMERCES, sent)}
    written = {row.external_id: row.id for row in await connection.execute(UPSERT_COMMERCES, sent)}
    ids = stored | written
    created = {ids[external_id] for external_id in written.keys() - stored.keys()}
    changed = set(written.values()) - created
    if users:
        rows = [user | {"commerce_id": str(ids[user["commerce_external_id"]])} for user in users]
        answer = await connection.execute(UPSERT_USERS, {"tenant": tenant_id, "rows": rows})
        changed |= {row.commerce_id for row in answer} - created
    return SyncCounts(len(created), len(changed), len(commerces) - len(created) - len(changed))


COMMERCE = bindparam("commerce", type_=ContactLogEntry.commerce_id.type)

_sent_contacts = (
    func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    .table_valued(
        column("commerce_user_id", ContactLogEntry.commerce_user_id.type),
        column("channel", Text),
        column("contacted_at", TIMESTAMP(timezone=True)),
        name="sent",
    )
    .render_derived(with_types=True)
)
_same_contact = and_(
    ContactLogEntry.commerce_user_id == _sent_contacts.c.commerce_user_id,
    ContactLogEntry.channel == _sent_contacts.c.channel,
    ContactLogEntry.contacted_at == _sent_contacts.c.contacted_at,
)

REMOVE_OTHER_CONTACTS = (
    delete(ContactLogEntry)
    .where(
        ContactLogEntry.tenant_id == TENANT,
        ContactLogEntry.commerce_id == COMMERCE,
        ~exists(select(_sent_contacts.c.channel).where(_same_contact)),
    )
    .returning(ContactLogEntry.id)
)
ADD_CONTACTS = (
    insert(ContactLogEntry)
    .from_select(
        ["tenant_id", "commerce_id", "commerce_user_id", "channel", "contacted_at"],
        select(
            TENANT, COMMERCE, _sent_contacts.c.commerce_user_id, _sent_contacts.c.channel, _sent_contacts.c.contacted_at
        ),
    )
    .on_conflict_do_nothing()
    .returning(ContactLogEntry.id)
)
