"""Writes of many commerces, users and contact-log entries at once, in a constant number of statements."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from db.models import Commerce, CommerceUser, ContactLogEntry, Table
from db.rows import ADVISORY_LOCK, CLOCK, Expression, Key, Rows, lock_parameters
from workflows.tenant_limits import METADATA_BYTES, METADATA_VALUES

SQLType = TypeEngine[Any] | type[TypeEngine[Any]]

TENANT = bindparam("tenant", type_=Commerce.tenant_id.type)
NOTHING, NO_MEMBERS = text("'[]'::jsonb"), text("'{}'::jsonb")


def is_user_of(tenant_id: Key, commerce_id: Key) -> ColumnElement[bool]:
    """Match the users of a commerce that aren't erased."""
    return and_(
        CommerceUser.tenant_id == tenant_id, CommerceUser.commerce_id == commerce_id, CommerceUser.erased_at.is_(None)
    )


def count_users_statement(tenant_id: Key, commerce_id: Key) -> Select[int]:
    """Count the users of a commerce, whose row a request locks before it adds one."""
    return select(func.count()).where(is_user_of(tenant_id, commerce_id))


SYNC_LOCK_STATEMENT = select(
    ADVISORY_LOCK,
    func.set_config("plan_cache_mode", "force_custom_plan", true()),
)
"""Lets one synchronization of a tenant run at a time: two that create the same commerce don't see each other's rows.

It also forbids generic plans: one that was made when the tables were small and had no statistics must not be kept.
"""


@dataclass(frozen=True)
class SyncCounts:
    """The number of commerces by outcome. A commerce of which only users have changed counts as updated."""

    created: int
    updated: int
    unchanged: int
    full: frozenset[str] = frozenset()
    """The external ids of commerces that were not written, because they would have too many users."""
    too_long: frozenset[str] = frozenset()
    """Those that were not written, because their metadata would be too long."""


def _sent_table(**columns: SQLType) -> FromClause:
    """Build a table from the parameter `rows`, the text of a JSON array."""
    parts = [column(name, kind) for name, kind in columns.items()]
    rows = func.jsonb_to_recordset(cast(bindparam("rows", type_=Text), JSONB))
    return rows.table_valued(*parts, name="sent").render_derived(with_types=True)


def _upsert_statement(table: type[Table], key: tuple[str, ...], rows: Rows) -> Insert:
    """Build an INSERT of the rows that updates those that exist and differ; it returns the written rows."""
    names = list(rows.selected_columns.keys())
    statement = insert(table).from_select(names, rows)
    changing = [name for name in names if name not in key]
    stored = [table.__table__.c[name] for name in changing]
    sent = [statement.excluded[name] for name in changing]
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in changing} | {"updated_at": CLOCK},
        where=tuple_(*stored).is_distinct_from(tuple_(*sent)),
    )


_sent_commerce = _sent_table(
    external_id=Text, name=Text, tax_id=Text, global_external_id=Text, metadata=JSONB, addresses=JSONB
)
# A lateral lookup in the unique index for each row: for a join the planner, without statistics, reads all the tenant's.
_commerce = (
    select(Commerce.__table__)
    .where(Commerce.tenant_id == TENANT, Commerce.external_id == _sent_commerce.c.external_id)
    .limit(literal_column("1"))
    .with_for_update(key_share=True)
    .lateral("stored")
)

_merged = func.coalesce(_commerce.c.metadata, NO_MEMBERS).op("||", return_type=JSONB())(
    func.coalesce(_sent_commerce.c.metadata, NO_MEMBERS)
)


def is_too_long(metadata: Expression) -> ColumnElement[bool]:
    """Match metadata of too many bytes or values."""
    value = func.jsonb_path_query(metadata, text("'strict $.**'")).table_valued("value", name="one")
    number = select(func.count()).select_from(value).scalar_subquery()
    length = func.octet_length(cast(metadata, Text))
    return or_(
        length > literal_column(str(METADATA_BYTES)),
        # A value has a byte and a comma, so that shorter metadata has fewer values.
        and_(length > literal_column(str(2 * METADATA_VALUES)), number > literal_column(str(METADATA_VALUES))),
    )


LOCK_COMMERCES_STATEMENT = select(
    _sent_commerce.c.external_id,
    _commerce.c.id,
    and_(_sent_commerce.c.metadata.is_not(None), is_too_long(_merged)).label("is_too_long"),
).join_from(_sent_commerce, _commerce, true(), isouter=True)
"""Locks the stored commerces, so that they and their users stay as they are read until they are written.

It also finds those whose metadata would be too long.
"""

UPSERT_COMMERCES_STATEMENT = _upsert_statement(
    Commerce,
    ("tenant_id", "external_id"),
    select(
        TENANT.label("tenant_id"),
        _sent_commerce.c.external_id,
        _sent_commerce.c.name,
        func.coalesce(_sent_commerce.c.tax_id, _commerce.c.tax_id).label("tax_id"),
        func.coalesce(_sent_commerce.c.global_external_id, _commerce.c.global_external_id).label("global_external_id"),
        _merged.label("metadata"),
        func.coalesce(_sent_commerce.c.addresses, _commerce.c.addresses, NOTHING).label("addresses"),
    ).join_from(_sent_commerce, _commerce, true(), isouter=True),
).returning(Commerce.external_id, Commerce.id)

_sent_user = _sent_table(
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

_upserted_users = _upsert_statement(
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
_written_users = _upserted_users.cte("written")
UPSERT_USERS_STATEMENT = select(_written_users.c.commerce_id).distinct()
"""Writes the users, and selects the commerces of those that were new or have changed."""


USERS_OF_STATEMENT = 2_000
"""A request may have 100,000 users. A busy machine doesn't write even a tenth of them within a statement's time."""


_most_users = bindparam("most_users", type_=Integer)


_sent_number = _sent_table(commerce_id=CommerceUser.commerce_id.type, number=Integer)
CROWDED_COMMERCES_STATEMENT = select(_sent_number.c.commerce_id).where(
    count_users_statement(TENANT, _sent_number.c.commerce_id).scalar_subquery() + _sent_number.c.number > _most_users
)
"""Selects the commerces that would have too many users, if all sent users were new."""

_new_users = (
    select(_sent_user.c.commerce_id, func.count().label("number"))
    .join_from(_sent_user, _user, true(), isouter=True)
    .where(_user.c.id.is_(None))
    .group_by(_sent_user.c.commerce_id)
    .subquery("new")
)
FULL_COMMERCES_STATEMENT = select(_new_users.c.commerce_id).where(
    count_users_statement(TENANT, _new_users.c.commerce_id).scalar_subquery() + _new_users.c.number > _most_users
)
"""Selects the commerces that would have too many users."""


async def upsert_commerces(
    connection: AsyncConnection,
    tenant_id: UUID,
    commerces: Mapping[str, bytes],
    users: Sequence[tuple[str, bytes]],
    most_users: int,
) -> SyncCounts:
    """Create or update the commerces, and then their users; columns that a row leaves out stay as they are.

    `commerces` has a JSON object by external id, `users` the external id of the commerce and a JSON object for each.
    A commerce that would have more than `most_users` is not written at all.
    """
    await connection.execute(SYNC_LOCK_STATEMENT, lock_parameters("commerces", tenant_id))
    # Locked in one order, so that two transactions never wait for each other's rows.
    sent = {"tenant": tenant_id, "rows": _format_array(commerces[name] for name in sorted(commerces))}
    locked = (await connection.execute(LOCK_COMMERCES_STATEMENT, sent)).all()
    stored = {row.external_id: row.id for row in locked if row.id is not None}
    too_long = frozenset(row.external_id for row in locked if row.is_too_long)
    full = await _find_full(connection, tenant_id, stored, users, most_users) - too_long
    if unwritten := full | too_long:
        users = [user for user in users if user[0] not in unwritten]
        sent["rows"] = _format_array(commerces[name] for name in sorted(commerces.keys() - unwritten))
    written = {row.external_id: row.id for row in await connection.execute(UPSERT_COMMERCES_STATEMENT, sent)}
    ids = stored | written
    created = {ids[external_id] for external_id in written.keys() - stored.keys()}
    changed = set(written.values()) - created
    for first in range(0, len(users), USERS_OF_STATEMENT):
        rows = await asyncio.to_thread(_format_users, users[first : first + USERS_OF_STATEMENT], ids)
        answer = await connection.execute(UPSERT_USERS_STATEMENT, {"tenant": tenant_id, "rows": rows})
        changed |= set(answer.scalars()) - created
    unchanged = len(commerces) - len(unwritten) - len(created) - len(changed)
    return SyncCounts(len(created), len(changed), unchanged, full, too_long)


async def _find_full(
    connection: AsyncConnection,
    tenant_id: UUID,
    stored: Mapping[str, UUID],
    users: Sequence[tuple[str, bytes]],
    most: int,
) -> frozenset[str]:
    """Find the commerces that would have too many users.

    The commerces are locked: others that add users wait. Most are known to have room by the number of sent users alone.
    """
    numbers = await asyncio.to_thread(lambda: Counter(name for name, _ in users))
    full = {name for name, number in numbers.items() if name not in stored and number > most}
    known = [{"commerce_id": str(stored[name]), "number": numbers[name]} for name in numbers if name in stored]
    sent = {"tenant": tenant_id, "most_users": most}
    crowded: set[UUID] = set()
    if known:
        answer = await connection.execute(CROWDED_COMMERCES_STATEMENT, sent | {"rows": json.dumps(known)})
        crowded = set(answer.scalars())
    if crowded:
        known_users = [user for user in users if stored.get(user[0]) in crowded]
        rows = await asyncio.to_thread(_format_users, known_users, stored)
        ids = set((await connection.execute(FULL_COMMERCES_STATEMENT, sent | {"rows": rows})).scalars())
        full |= {name for name in numbers if stored.get(name) in ids}
    return frozenset(full)


def _format_users(users: Sequence[tuple[str, bytes]], ids: Mapping[str, UUID]) -> str:
    """Format the users' rows: each is a JSON object with members, before which the commerce's id is put."""
    return _format_array(b'{"commerce_id":"%b",%b' % (str(ids[name]).encode(), row[1:]) for name, row in users)


def _format_array(rows: Iterable[bytes]) -> str:
    return f"[{b','.join(rows).decode()}]"


COMMERCE = bindparam("commerce", type_=ContactLogEntry.commerce_id.type)

_sent_contacts = _sent_table(
    commerce_user_id=ContactLogEntry.commerce_user_id.type, channel=Text, contacted_at=TIMESTAMP(timezone=True)
)
_same_contact = and_(
    ContactLogEntry.commerce_user_id == _sent_contacts.c.commerce_user_id,
    ContactLogEntry.channel == _sent_contacts.c.channel,
    ContactLogEntry.contacted_at == _sent_contacts.c.contacted_at,
)

_removed = (
    delete(ContactLogEntry)
    .where(
        ContactLogEntry.tenant_id == TENANT,
        ContactLogEntry.commerce_id == COMMERCE,
        ~exists(select(_sent_contacts.c.channel).where(_same_contact)),
    )
    .returning(ContactLogEntry.id)
    .cte("removed")
)
REMOVE_OTHER_CONTACTS_STATEMENT = select(func.count()).select_from(_removed)
"""Removes the contacts that are not among those that were sent, and counts them."""

_IS_NEW: ColumnElement[bool] = literal_column("xmax = 0")
"""True for an inserted row, false for one that was there and was updated."""

_sent_values = select(
    TENANT,
    COMMERCE,
    _sent_contacts.c.commerce_user_id,
    _sent_contacts.c.channel,
    _sent_contacts.c.contacted_at,
    true(),
).distinct()
_added = (
    insert(ContactLogEntry)
    .from_select(["tenant_id", "commerce_id", "commerce_user_id", "channel", "contacted_at", "is_sent"], _sent_values)
    .on_conflict_do_update(
        index_elements=["tenant_id", "commerce_user_id", "channel", "contacted_at"],
        set_={"is_sent": true()},
        where=~ContactLogEntry.is_sent,
    )
    .returning(_IS_NEW.label("is_new"))
    .cte("added")
)
ADD_CONTACTS_STATEMENT = select(func.count().filter(_added.c.is_new)).select_from(_added)
"""Adds the contacts that were sent, and counts those that were not there."""
