"""PostgreSQL as a restore to an earlier point leaves it, for one activity."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.service import Service

PARTS = ("activity_attributes", "resolution_attempts", "status_events", "target_users")


async def execute(service: Service, *statements: str, **values: Any) -> None:
    async with service.database.transactions.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)


LOST = [f"DELETE FROM {part} WHERE activity_id = :id" for part in PARTS]  # noqa: S608 - our own names
LOST.append("DELETE FROM scheduled_activities WHERE id = :id")
SET_BACK = [
    (
        "UPDATE scheduled_activities SET version = 1, status = 'READY', score = NULL, moved_at = NULL,"
        " scheduled_at = :at WHERE id = :id"
    ),
    "DELETE FROM status_events WHERE activity_id = :id AND event_type <> 'CREATED'",
]


async def lose_row(service: Service, activity: dict[str, Any]) -> None:
    """Delete the activity with its parts, as a restore to a time before its creation does."""
    async with service.database.transactions.begin() as connection:
        await lose_locked_row(connection, activity)


async def lose_locked_row(connection: AsyncConnection, activity: dict[str, Any]) -> None:
    """Do the same in the transaction that has locked the row."""
    for statement in LOST:
        await connection.execute(text(statement), {"id": UUID(activity["id"])})


async def set_back(service: Service, activity: dict[str, Any]) -> None:
    """Give the activity the row and the trail that it had after its creation."""
    async with service.database.transactions.begin() as connection:
        await set_locked_row_back(connection, activity)


async def set_locked_row_back(connection: AsyncConnection, activity: dict[str, Any]) -> None:
    """Do the same in the transaction that has locked the row."""
    values = {"id": UUID(activity["id"]), "at": datetime.fromisoformat(activity["scheduledAt"])}
    for statement in SET_BACK:
        await connection.execute(text(statement), values)
