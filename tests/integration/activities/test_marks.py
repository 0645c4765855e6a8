"""The mark, run by hand as a second worker would: twice, too late, or for what is no longer so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, true, update
from temporalio.testing import ActivityEnvironment

from activities_impl.scheduled_activities import ScheduledActivities
from db.models import ScheduledActivity, StatusEvent
from db.rows import address
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import while_locked
from tests.support.service import Service
from workflows.messages import MarkDue, Standing

URL = "/api/activities"
LATER = "2031-01-01T00:00:00.000Z"

Mark = Callable[[httpx.Response, int], Any]


@pytest.fixture
def mark(service: Service, tenant: Tenant) -> Mark:
    """Marks an activity, if it is still at that version; answers where the row stands."""

    async def marked(created: httpx.Response, version: int) -> Standing:
        order = MarkDue(tenant_id=tenant.id, id=UUID(created.json()["id"]), version=version)
        standing: Standing = await ActivityEnvironment().run(ScheduledActivities(service.database).mark_due, order)
        return standing

    return marked


async def trail(service: Service, tenant: Tenant) -> list[str]:
    """Every event that is written, those of the future as well."""
    statement = select(StatusEvent.event_type).where(StatusEvent.tenant_id == tenant.id).order_by(StatusEvent.number)
    async with service.database.transactions.connect() as connection:
        return [str(one) for one in (await connection.execute(statement)).scalars()]


async def test_a_mark_that_is_repeated_answers_the_same_and_writes_nothing(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, mark: Mark
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    first, second = await mark(created, 1), await mark(created, 1)
    assert first == second
    assert (first.status, first.version) == ("DUE", 2)
    assert await trail(service, tenant) == ["CREATED", "DUE"]


async def test_a_mark_that_was_meant_for_an_earlier_time_is_none(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, mark: Mark
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    moved = await http.patch(created.headers["Location"], json={"scheduled_at": from_now(days=9)})
    assert moved.status_code == 200
    standing = await mark(created, 1)
    assert (standing.status, standing.version) == ("READY", 2)
    assert await trail(service, tenant) == ["CREATED", "RESCHEDULED"]


async def test_a_mark_of_what_was_canceled_is_none(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, mark: Mark
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    canceled = await http.post(f"{created.headers['Location']}/cancel", json={"reason": "no longer wanted"})
    assert canceled.status_code == 200
    assert (await mark(created, 1)).status == "CANCELED"
    assert (await mark(created, 2)).status == "CANCELED"
    assert "DUE" not in await trail(service, tenant)


async def test_a_mark_ahead_of_its_time_changes_nothing_that_anybody_sees(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, mark: Mark
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    await mark(created, 1)
    seen = await http.get(created.headers["Location"])
    assert (seen.json(), seen.headers["ETag"]) == (created.json(), created.headers["ETag"])
    shown = (await http.get(f"{created.headers['Location']}/status-events")).json()["data"]
    assert [one["eventType"] for one in shown] == ["CREATED"]
    async with service.database.transactions.connect() as connection:
        row = (
            await connection.execute(select(ScheduledActivity).where(ScheduledActivity.tenant_id == tenant.id))
        ).one()
    assert (row.status, row.due_at, row.lateness_ms) == ("DUE", row.scheduled_at, 0)


async def test_a_mark_that_waited_for_a_lock_records_the_time_after_the_wait(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, mark: Mark
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    this = (tenant.id, UUID(created.json()["id"]))
    async with service.database.transactions.begin() as connection:
        due = update(ScheduledActivity).where(address(*this)).values(scheduled_at=func.clock_timestamp())
        await connection.execute(due)
    standing, unlocked_at = await while_locked(service.database, this, mark(created, 1), true())
    assert standing.status == "DUE"
    async with service.database.transactions.connect() as connection:
        columns = (ScheduledActivity.marked_at, ScheduledActivity.scheduled_at, ScheduledActivity.lateness_ms)
        row = (await connection.execute(select(*columns).where(address(*this)))).one()
    assert row.marked_at > unlocked_at
    assert row.lateness_ms == (row.marked_at - row.scheduled_at) // timedelta(milliseconds=1)
