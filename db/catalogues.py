"""Reads of a tenant's catalogues: the entries that a text means, and the names that resemble it."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BindParameter,
    ScalarSelect,
    Text,
    bindparam,
    case,
    column,
    exists,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AttributeKey, CatalogueEntry
from db.name_keys import NAMES_BEFORE_ALIASES
from db.rows import Expression, Rows, fetch_rows
from workflows.resolution.facts import SimilarName
from workflows.resolution.reasons import CLOSEST, LONGEST_COMPARED

MOST_COMPARED = 200
"""The most names that are compared with a text that means nothing: comparing more takes longer than a few ms."""


def matching_entries(
    entry: type[CatalogueEntry], tenant_id: BindParameter[UUID], text: BindParameter[str], key: BindParameter[UUID]
) -> ScalarSelect[Any]:
    """Select the first entries that a text means as a JSON array; null if the catalogue is empty.

    They come in the order in which `workflows.resolution.reasons` chooses, as many as an explanation names, each with
    the alias that matches. Inactive ones come last: the first is named if no active one matches.

    A function with the rights of the tables' owner finds them, by an index that serves no other role. It finds entries
    of the tenant that is acted for alone.
    """
    found_by_key = getattr(func, f"find_in_{entry.__tablename__}")(key)
    names = ("tenant_id", "code", "label", "aliases", "is_active", "name_keys")
    e = found_by_key.table_valued(*(column(name, entry.__table__.c[name].type) for name in names), name="e").c
    found_at = func.array_position(e.name_keys, key).table_valued("p").render_derived("v")
    place = found_at.c.p
    alias = place - literal_column(str(NAMES_BEFORE_ALIASES))
    found = (
        select(e.code, e.label, e.aliases[alias:alias].label("aliases"), e.is_active)
        .join_from(e.code.table, found_at, true())
        .where(e.tenant_id == tenant_id)
        .order_by(
            e.is_active.desc(),
            (e.code == text).desc(),
            func.least(place, literal_column(str(NAMES_BEFORE_ALIASES + 1))),
            e.code.collate("C"),
        )
        .limit(literal_column(str(CLOSEST + 1)))
        .subquery("r")
    )
    none_matches = case((exists().where(entry.tenant_id == tenant_id), literal_column("'[]'::json")))
    matches = func.coalesce(func.json_agg(found.table_valued()), none_matches, type_=JSON)
    return select(matches.label("m")).scalar_subquery()


def _resemblance(name: Expression) -> Expression:
    return func.similarity(func.left(name, LONGEST_COMPARED), bindparam("text", type_=Text)).desc()


def similar_names_statement(entry: type[CatalogueEntry]) -> Rows:
    """Select the names of active entries that resemble a text most. It returns rows of `SimilarName`."""
    names = func.array_prepend(entry.code, func.array_prepend(entry.label, entry.aliases))
    listed = (
        select(entry.code, func.unnest(names, type_=Text).label("name"))
        .where(entry.tenant_id == bindparam("tenant_id"), entry.is_active)
        .subquery("names")
    )
    return (
        select(listed.c.code, func.left(listed.c.name, LONGEST_COMPARED).label("name"))
        .order_by(_resemblance(listed.c.name), listed.c.code, listed.c.name)
        .limit(MOST_COMPARED)
    )


SIMILAR_KEYS_STATEMENT = (
    select(AttributeKey.key)
    .where(AttributeKey.tenant_id == bindparam("tenant_id"))
    .order_by(_resemblance(AttributeKey.key), AttributeKey.key)
    .limit(MOST_COMPARED)
)


async def read_similar_names(
    connection: AsyncConnection, entry: type[CatalogueEntry], tenant_id: UUID, text: str
) -> list[SimilarName]:
    """Read the names of the catalogue's active entries that resemble the text most."""
    parameters = {"tenant_id": tenant_id, "text": text[:LONGEST_COMPARED]}
    return await fetch_rows(connection, SimilarName, similar_names_statement(entry), parameters)


async def read_similar_keys(connection: AsyncConnection, tenant_id: UUID, text: str) -> list[str]:
    """Read the attribute keys that resemble the text most."""
    parameters = {"tenant_id": tenant_id, "text": text[:LONGEST_COMPARED]}
    return list((await connection.execute(SIMILAR_KEYS_STATEMENT, parameters)).scalars())
