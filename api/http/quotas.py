"""The quotas of each tenant, and the count of open activities, as the process has read them from PostgreSQL."""

import asyncio
import time
from dataclasses import dataclass
from math import inf
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.engine import Database
from db.failures import kind
from db.quotas import QUOTAS_STATEMENT, open_activities_statement
from workflows.tenant_limits import OPEN_ACTIVITIES, Limit, Quota, RowQuota

log = structlog.get_logger(__name__)

READ_EVERY_SECONDS = 10
"""So that a quota is in force in every process well within 30 s."""
READ_PATIENCE_SECONDS = 1.0
COUNT_EVERY_SECONDS = 60
COUNT_AGAIN_SECONDS = 5
"""The age from which a count that forbids a creation is taken again: activities may have ended since."""


@dataclass
class _Count:
    value: int = 0
    counted_at: float = -inf


class Quotas:
    """Reads all tenants' quotas every ten seconds, and keeps the last ones while PostgreSQL doesn't answer."""

    def __init__(self, database: Database, patience_seconds: float = READ_PATIENCE_SECONDS) -> None:
        self._database = database
        self._patience_seconds = patience_seconds
        self._values: dict[tuple[UUID, str], int] = {}
        self._reading: asyncio.Task[None] | None = None
        self._read_at = -inf
        self._counts: dict[UUID, _Count] = {}

    async def find(self, tenant_id: UUID, quota: Quota | RowQuota) -> int | None:
        """Return the tenant's number, or the default; None if there is no limit."""
        if time.monotonic() - self._read_at > READ_EVERY_SECONDS:
            self._reading = self._reading or asyncio.create_task(self._read())
            await asyncio.wait({self._reading}, timeout=self._patience_seconds)
            self._read_at = time.monotonic()  # also without an answer, so that requests don't wait in an outage
        return self._values.get((tenant_id, quota.name), quota.default)

    async def find_limit(self, tenant_id: UUID, quota: RowQuota) -> Limit:
        """Return the limit of a number of rows that is in force for the tenant."""
        return quota.limit(await self.find(tenant_id, quota))

    async def _read(self) -> None:
        try:
            async with self._database.autocommit.connect() as connection:
                rows = (await connection.execute(QUOTAS_STATEMENT)).all()
            self._values = {(row.tenant_id, row.name): row.value for row in rows}
        except (SQLAlchemyError, OSError) as failure:
            log.warning("quotas not read; the last ones stay in force", failure=kind(failure))
        finally:
            self._reading = None

    async def is_full(self, tenant_id: UUID) -> bool:
        """Has the tenant as many open activities as it may have? Approximate: see `COUNT_EVERY_SECONDS`."""
        most = await self.find(tenant_id, OPEN_ACTIVITIES)
        if most is None:
            return False
        count = self._counts.setdefault(tenant_id, _Count())
        age = time.monotonic() - count.counted_at
        if age > COUNT_EVERY_SECONDS or (count.value >= most and age > COUNT_AGAIN_SECONDS):
            count.counted_at = time.monotonic()  # before counting, so that the others of a burst don't count too
            try:
                async with self._database.autocommit.connect() as connection:
                    counted = await connection.execute(open_activities_statement(tenant_id, most))
                count.value = counted.scalar_one()
            except (SQLAlchemyError, OSError) as failure:
                log.warning("open activities not counted", failure=kind(failure))
        return count.value >= most

    def note_creation(self, tenant_id: UUID) -> None:
        """Count an activity that this process has created since the last count."""
        if tenant_id in self._counts:
            self._counts[tenant_id].value += 1
