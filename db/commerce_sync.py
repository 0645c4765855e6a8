"""Writes many commerces and their users at once: a few statements, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Insert, Select, Text, bindparam, column, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Commerce, CommerceUser, Table

TENANT = bindparam("tenant", type_=Commerce.tenant_id.type)
NOTHING, NO_MEMBERS = text("'[]'::jsonb"), text("'{}'::jsonb")

ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock", type_=Text), 0)))
"""Two synchronizations of one tenant that create the same commerce would not see each other's rows."""


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


def _upsert(table: type[Table], key: tuple[str, ...], rows: Select[*tuple[Any, ...]], answer: str) -> Insert:
    """Insert the rows, or bring those that exist and differ up to them; answers those alone, and which are new."""
    names = list(rows.selected_columns.keys())
    statement = insert(table).from_select(names, rows)
    changing = [name for name in names if name not in key]
    stored: list[ColumnElement[Any]] = [table.__table__.c[name] for name in changing]
    sent = [statement.excluded[name] for name in changing]
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in changing} | {"updated_at": func.now()},
        where=tuple_(*stored).is_distinct_from(tuple_(*sent)),
    ).returning(table.__table__.c[answer], text("xmax = 0 AS is_new"))


_sent_commerce = _sent(
    external_id=Text, name=Text, tax_id=Text, global_external_id=Text, metadata=JSONB, addresses=JSONB
)
_commerce = Commerce.__table__.alias("stored")
_same_commerce = (_commerce.c.tenant_id == TENANT) & (_commerce.c.external_id == _sent_commerce.c.external_id)

LOCK_COMMERCES = (
    select(_commerce.c.id)
    .join_from(_sent_commerce, _commerce, _same_commerce)
    .order_by(_commerce.c.external_id)
    .with_for_update(of=_commerce, key_share=True)
)
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
    )
    .join_from(_sent_commerce, _commerce, _same_commerce, isouter=True)
    .order_by(_sent_commerce.c.external_id),
    answer="id",
)

_sent_user = _sent(commerce_external_id=Text, external_id=Text, name=Text, roles=ARRAY(Text), contacts=JSONB)
_user = CommerceUser.__table__.alias("stored_user")

UPSERT_USERS = _upsert(
    CommerceUser,
    ("tenant_id", "commerce_id", "external_id"),
    select(
        TENANT.label("tenant_id"),
        _commerce.c.id.label("commerce_id"),
        _sent_user.c.external_id,
        func.coalesce(_sent_user.c.name, _user.c.name, _sent_user.c.external_id).label("name"),
        func.coalesce(_sent_user.c.roles, _user.c.roles, text("'{}'::text[]")).label("roles"),
        func.coalesce(_sent_user.c.contacts, _user.c.contacts, NOTHING).label("contacts"),
    )
    .join_from(
        _sent_user,
        _commerce,
        (_commerce.c.tenant_id == TENANT) & (_commerce.c.external_id == _sent_user.c.commerce_external_id),
    )
    .join(
        _user,
        (_user.c.tenant_id == TENANT)
        & (_user.c.commerce_id == _commerce.c.id)
        & (_user.c.external_id == _sent_user.c.external_id),
        isouter=True,
    )
    .order_by(_commerce.c.external_id, _sent_user.c.external_id),
    answer="commerce_id",
)


async def sync_commerces(
    connection: AsyncConnection, tenant_id: UUID, commerces: Sequence[dict[str, Any]], users: Sequence[dict[str, Any]]
) -> SyncCounts:
    """Create or change the commerces, each external id once, and then their users; what a row leaves out stays."""
    await connection.execute(ONE_AT_A_TIME, {"lock": f"commerces of {tenant_id}"})
    sent = {"tenant": tenant_id, "rows": commerces}
    await connection.execute(LOCK_COMMERCES, sent)
    written = (await connection.execute(UPSERT_COMMERCES, sent)).all()
    created = {row.id for row in written if row.is_new}
    changed = {row.id for row in written if not row.is_new}
    if users:
        rows = await connection.execute(UPSERT_USERS, {"tenant": tenant_id, "rows": users})
        changed |= {row.commerce_id for row in rows} - created
    return SyncCounts(len(created), len(changed), len(commerces) - len(created) - len(changed))
