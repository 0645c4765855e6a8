"""Rows that are due, as many as a test wants, and what executors do with them."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import httpx
from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import Database
from db.models import ScheduledActivity
from db.rows import address
from tests.support.builders import COMMERCE_ID, Tenant
from workflows.words import ActivityStatus

Answer = TypeVar("Answer")

IS_WAITED_FOR = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)

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


async def while_locked(
    database: Database, activity: tuple[UUID, UUID], write: Coroutine[Any, Any, Answer], until: ColumnElement[bool]
) -> tuple[Answer, datetime]:
    """Let a write wait for the activity's row until a condition holds; return its answer, and when the wait ended."""
    this = address(*activity)
    async with database.transactions.begin() as holder, asyncio.timeout(60):
        await holder.execute(select(ScheduledActivity.id).where(this).with_for_update())
        writing = asyncio.create_task(write)
        while not writing.done():
            is_waited_for = (await holder.execute(IS_WAITED_FOR)).scalar_one()
            if is_waited_for and (await holder.execute(select(until).where(this))).scalar_one():
                break
            await asyncio.sleep(0.05)
        unlocked_at: datetime = (await holder.execute(select(func.clock_timestamp()))).scalar_one()
    return await writing, unlocked_at
