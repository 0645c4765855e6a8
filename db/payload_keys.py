"""The keys of Temporal's payloads that the runs of open activities need."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import NEEDS_KEY, ScheduledActivity
from db.rows import Rows, fetch_rows
from workflows.words import OPEN


class NeededKey(NamedTuple):
    """A key, and the number of open activities whose runs began with it. None: those runs are not encrypted."""

    key_id: str | None
    activities: int


def needed_keys_statement() -> Rows:
    """Select the `NeededKey`s of all open activities."""
    counted = select(ScheduledActivity.payload_key_id.label("key_id"), func.count().label("activities"))
    return (
        counted.where(ScheduledActivity.status.in_(OPEN))
        .group_by(ScheduledActivity.payload_key_id)
        .order_by(ScheduledActivity.payload_key_id)
    )


def _key_ids_statement() -> Rows:
    """Select the ids of the needed keys, by a look at the index for each: there may be a million open activities."""
    first = select(func.min(ScheduledActivity.payload_key_id).label("id")).where(NEEDS_KEY)
    found = first.cte("found", recursive=True)
    following = select(func.min(ScheduledActivity.payload_key_id)).where(
        NEEDS_KEY, ScheduledActivity.payload_key_id > found.c.id
    )
    found = found.union_all(select(following.scalar_subquery()).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None))


KEY_IDS_STATEMENT = _key_ids_statement()


async def find_missing_keys(connection: AsyncConnection, known: Collection[str]) -> str | None:
    """Return one line that names the keys which open activities need and a process lacks, or None."""
    missing = set((await connection.execute(KEY_IDS_STATEMENT)).scalars()).difference(known)
    if not missing:
        return None
    counts = await fetch_rows(connection, NeededKey, needed_keys_statement())
    named = ", ".join(f"{row.key_id} ({row.activities} open activities)" for row in counts if row.key_id in missing)
    return f"PAYLOAD_ENCRYPTION_KEYS lacks keys that runs were begun with: {named}. Add them behind the first key."
