"""The keys of Temporal's payloads that the runs of open activities need."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Text, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from db.rows import fetch_rows


class MissingKey(NamedTuple):
    """A key that a process lacks, and the number of open activities whose runs began with it."""

    key_id: str
    activities: int


_missing = func.missing_payload_keys(bindparam("known", type_=ARRAY(Text))).table_valued(
    column("key_id"), column("activities")
)
MISSING_KEYS_STATEMENT = select(_missing.c.key_id, _missing.c.activities)
"""Select the `MissingKey`s of all tenants, by a function with the rights of the tables' owner."""


async def find_missing_keys(connection: AsyncConnection, known: Collection[str]) -> str | None:
    """Return one line that names the keys which open activities need and a process lacks, or None."""
    missing = await fetch_rows(connection, MissingKey, MISSING_KEYS_STATEMENT, {"known": list(known)})
    if not missing:
        return None
    named = ", ".join(f"{row.key_id} ({row.activities} open activities)" for row in missing)
    return f"PAYLOAD_ENCRYPTION_KEYS lacks keys that runs were begun with: {named}. Add them behind the first key."
