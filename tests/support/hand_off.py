"""Rows that are due, as many as a test wants, and what executors do with them."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import Database
from db.models import ScheduledActivity
from tests.support.builders import COMMERCE_ID, Tenant
from workflows.words import ActivityStatus

INSERT_ROWS = text(
    """
    INSERT INTO scheduled_activities (
        tenant_id, idempotency_key, type, channel, commerce_id, reason_code, reason_label, status, scheduled_at, score,
        request, run_id, due_at, marked_at, lateness_ms)
    SELECT :tenant_id, :prefix || n, 'MESSAGE', :channel, :commerce_id, 'r', 'R', :status, due, :score, '{}', '',
        due, greatest(due, now()), 0
    FROM generate_series(1, :count) n, LATERAL (SELECT now() - :age * interval '1 second' AS due) d
    """
)


async def insert_rows(connection: AsyncConnection, tenant_id: UUID, count: int = 1, **changes: Any) -> None:
    """Rows without parts, DUE for a minute on WHATSAPP unless said otherwise."""
    values = {"prefix": "k", "channel": "WHATSAPP", "status": "DUE", "score": None, "age": 60.0} | changes
    await connection.execute(INSERT_ROWS, values | {"tenant_id": tenant_id, "commerce_id": COMMERCE_ID, "count": count})


async def claim(http: httpx.AsyncClient, **changes: Any) -> list[dict[str, Any]]:
    """Claim as an executor of WHATSAPP messages does; returns the activities."""
    answer = await http.post("/api/executions/claim", json={"channels": ["WHATSAPP"], "executor": "robot"} | changes)
    assert answer.status_code == 200, answer.text
    taken: list[dict[str, Any]] = answer.json()["data"]
    return taken


async def run_out(database: Database, tenant: Tenant) -> None:
    """Let every lease of the tenant end now, as if its time had passed."""
    ended = (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == tenant.id, ScheduledActivity.status == ActivityStatus.DISPATCHED)
        .values(lease_expires_at=func.clock_timestamp())
    )
    async with database.transactions.begin() as connection:
        await connection.execute(ended)
