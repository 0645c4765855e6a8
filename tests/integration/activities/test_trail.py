"""Test the trail: what it shows, its order, and its pages."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from alembic import command
from sqlalchemy import func, insert, select, text, true, update
from sqlalchemy.ext.asyncio import create_async_engine

from db import changes
from db.migrations import alembic_config
from db.models import ScheduledActivity, StatusEvent
from db.rows import address
from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.activities import created, marked_ahead, reset, trail
from tests.support.builders import Tenant, from_now, insert_tenant
from tests.support.hand_off import claim, insert_rows, run_out, while_locked
from tests.support.service import Service, until
from tests.support.worlds import new_database
from workflows.messages import Apply, AssignTarget, Cancel, Change, Rejection, Reschedule

AHEAD = [("CREATED", None, "READY")]
MARKED = ("DUE", "READY", "DUE")


async def come_due(service: Service, tenant: Tenant, activity: dict[str, Any]) -> None:
    """Bring the time of a mark that was made ahead, as if it had come by itself."""
    this = address(tenant.id, UUID(activity["id"]))
    async with service.database.transactions.begin() as connection:
        marked_at = (await connection.execute(select(ScheduledActivity.marked_at).where(this))).scalar_one()
        now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        event = (StatusEvent.activity_id == UUID(activity["id"]), StatusEvent.occurred_at == marked_at)
        await connection.execute(update(StatusEvent).where(*event).values(occurred_at=now))
        values = {"scheduled_at": now, "due_at": now, "marked_at": now}
        await connection.execute(update(ScheduledActivity).where(this).values(**values))


def build_apply(tenant: Tenant, activity_id: str, change: Change, **more: Any) -> Apply:
    return Apply.model_validate(
        {"tenant_id": tenant.id, "id": activity_id, "key": str(uuid4()), "actor": "tester", "change": change} | more
    )


async def numbers(service: Service, activity_id: str) -> list[int]:
    """The numbers of all events, those that are not visible yet included."""
    statement = select(StatusEvent.number).where(StatusEvent.activity_id == UUID(activity_id))
    async with service.database.transactions.connect() as connection:
        return list((await connection.execute(statement.order_by(StatusEvent.number))).scalars())


async def change_score(service: Service, tenant: Tenant, activity: dict[str, Any]) -> None:
    async with service.client(tenant.id) as http:
        changed = await http.patch(f"/api/activities/{activity['id']}", json={"score": 7})
    assert (changed.status_code, changed.json()["status"]) == (200, "READY")


async def refuse(service: Service, tenant: Tenant, activity: dict[str, Any]) -> None:
    wanted = build_apply(tenant, activity["id"], Reschedule(score=1, if_versions=(99,)))
    async with service.database.transactions.begin() as connection:
        assert isinstance(await changes.apply_or_reject_change(connection, wanted), Rejection)


async def withdraw(service: Service, tenant: Tenant, activity: dict[str, Any]) -> None:
    async with service.database.transactions.begin() as connection:
        assert await changes.withdraw_change(connection, build_apply(tenant, activity["id"], Cancel()))


async def reset_run(service: Service, tenant: Tenant, activity: dict[str, Any]) -> None:
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    await reset(service, run, 4)
    async with asyncio.timeout(60):
        assert await service.temporal.get_workflow_handle(run.id).result() == "DUE"


@pytest.mark.parametrize(
    ("write", "event"),
    [
        (change_score, "RESCHEDULED"),
        (refuse, "CHANGE_REFUSED"),
        (withdraw, "CHANGE_WITHDRAWN"),
        (reset_run, "RUN_RESET"),
    ],
)
async def test_what_is_written_inside_the_lead_comes_before_the_mark(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, write: Any, event: str
) -> None:
    activity = await marked_ahead(service, tenant)
    await write(service, tenant, activity)
    before = await trail(http, activity["id"])
    assert before == [*AHEAD, (event, "READY", "READY")]
    await come_due(service, tenant, activity)
    assert await trail(http, activity["id"]) == [*before, MARKED]
    assert await numbers(service, activity["id"]) == [1, 2, 3]


async def test_a_mark_that_a_move_has_undone_leaves_no_trace(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await marked_ahead(service, tenant)
    for hours in (2, 3):
        moved = await http.patch(f"/api/activities/{activity['id']}", json={"scheduled_at": from_now(hours=hours)})
        assert moved.status_code == 200, moved.text
    assert await trail(http, activity["id"]) == [*AHEAD, *[("RESCHEDULED", "READY", "READY")] * 2]
    assert await numbers(service, activity["id"]) == [1, 2, 3]


async def claimed_then_marked_ahead(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> dict[str, Any]:
    """Return an activity that was claimed once, lost its target, and is marked ahead of a later time."""
    activity = await created(http, channel="SALESMAN", scheduled_at=from_now(seconds=-1))
    url = f"/api/activities/{activity['id']}"
    await until(http, url, "DUE")
    (taken,) = await claim(http, channels=["SALESMAN"])
    await run_out(service.database, tenant)
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            text("UPDATE commerce_users SET is_active = false WHERE tenant_id = :id"), {"id": tenant.id}
        )
    assert await claim(http, channels=["SALESMAN"]) == []
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            text("UPDATE commerce_users SET is_active = true WHERE tenant_id = :id"), {"id": tenant.id}
        )
    target = (await http.get(f"{url}/target-users")).json()[0]
    assign = AssignTarget(target_user_id=target["id"], commerce_user_id=tenant.owner_id)
    ahead = {"status": "DUE", "due_at": datetime(2031, 1, 1, tzinfo=UTC), "marked_at": datetime(2031, 1, 1, tzinfo=UTC)}
    async with service.database.transactions.begin() as connection:
        await changes.apply_change(connection, build_apply(tenant, activity["id"], assign))
        this = address(tenant.id, UUID(activity["id"]))
        await connection.execute(update(ScheduledActivity).where(this).values(**ahead, lateness_ms=0))
        due = {"event_key": "due:9", "event_type": "DUE", "from_status": "READY", "to_status": "DUE"}
        event = due | {"tenant_id": tenant.id, "activity_id": UUID(activity["id"]), "occurred_at": ahead["marked_at"]}
        await connection.execute(insert(StatusEvent).values(**event))
    return taken


@pytest.mark.parametrize(("status", "left"), [("PENDING", "READY"), ("COMPLETED", "COMPLETED")])
async def test_a_late_result_of_an_activity_that_is_marked_ahead_again_begins_with_ready(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, status: str, left: str
) -> None:
    taken = await claimed_then_marked_ahead(service, tenant, http)
    result = {
        "activity_id": taken["id"],
        "status": status,
        "occurred_at": from_now(),
        "lease_token": taken["leaseToken"],
    }
    answer = await http.post("/api/activity-results/tasks", json=result | {"lease_token": taken["leaseToken"]})
    assert answer.status_code == 201, answer.text
    seen = (await http.get(f"/api/activities/{taken['id']}")).json()
    assert (seen["status"], seen["markedAt"]) == (left, None)
    events = await trail(http, taken["id"])
    assert events[-1] == ("RESULT_RECEIVED", "READY", left)
    async with service.database.transactions.connect() as connection:
        written = select(StatusEvent.event_type).where(StatusEvent.activity_id == UUID(taken["id"]))
        last = (await connection.execute(written.order_by(StatusEvent.number))).scalars().all()
    assert last[-1] == ("DUE" if left == "READY" else "RESULT_RECEIVED")


async def test_the_end_of_a_lease_comes_before_a_refusal_that_sees_it(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http, scheduled_at=from_now(seconds=-1))
    await until(http, f"/api/activities/{activity['id']}", "DUE")
    await claim(http)
    await run_out(service.database, tenant)
    await refuse(service, tenant, activity)
    assert (await trail(http, activity["id"]))[-3:] == [
        ("DISPATCHED", "DUE", "DISPATCHED"),
        ("LEASE_EXPIRED", "DISPATCHED", "DUE"),
        ("CHANGE_REFUSED", "DUE", "DUE"),
    ]


async def test_a_writer_that_waited_for_the_row_comes_after_the_one_that_held_it(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http)

    async def change_score(score: int) -> None:
        wanted = build_apply(tenant, activity["id"], Reschedule(score=score))
        async with service.database.transactions.begin() as connection:
            await changes.apply_change(connection, wanted)

    async def change_scores() -> None:
        await asyncio.gather(*(change_score(score) for score in range(8)))

    await while_locked(service.database, (tenant.id, UUID(activity["id"])), change_scores(), true())
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert [event["number"] for event in events] == list(range(1, 10))
    after = [event["details"]["score"]["after"] for event in events[1:]]
    assert [event["details"]["score"]["before"] for event in events[1:]] == [None, *after[:-1]]
    assert [event["occurredAt"] for event in events] == sorted(event["occurredAt"] for event in events)


async def test_the_trail_is_read_page_by_page(http: httpx.AsyncClient) -> None:
    url = f"/api/activities/{(await created(http))['id']}"
    for score in range(4):
        assert (await http.patch(url, json={"score": score})).status_code == 200
    whole = (await http.get(f"{url}/status-events")).json()
    place = {"page": 1, "limit": 25, "total": 5, "totalPages": 1, "nextCursor": None}
    assert whole["meta"] == place | {"isShortened": False}
    page = (await http.get(f"{url}/status-events", params={"per_page": 2})).json()
    paged = page["data"]
    while cursor := page["meta"]["nextCursor"]:
        page = (await http.get(f"{url}/status-events", params={"per_page": 2, "cursor": cursor})).json()
        paged += page["data"]
    assert paged == whole["data"]
    second = (await http.get(f"{url}/status-events", params={"per_page": 2, "page": 2})).json()
    assert second["data"] == whole["data"][2:4]


@pytest.mark.parametrize("cursor", ["MTIzNDU2Nzg5MDEyMzQ1", "eA", "LTE", "4pGg", "*"])
async def test_a_cursor_that_no_page_of_the_trail_returned_is_a_400(http: httpx.AsyncClient, cursor: str) -> None:
    url = f"/api/activities/{(await created(http))['id']}/status-events"
    answer = await http.get(url, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/cursor"), answer.text


async def test_a_migration_numbers_the_events_that_are_there(postgres: Postgres) -> None:
    url = new_database(postgres)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        tenant = await insert_tenant(connection)
        await insert_rows(connection, tenant.id, 1200, status="CANCELED")
    await engine.dispose()
    command.downgrade(alembic_config(url), "0010")
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO status_events (tenant_id, activity_id, event_key, event_type, to_status, occurred_at)"
                " SELECT tenant_id, id, n::text, 'E' || n, 'READY', now() + n * interval '1 second'"
                " FROM scheduled_activities, generate_series(1, 3) n"
            )
        )
    command.upgrade(alembic_config(url), "head")
    async with engine.connect() as connection:
        found = (
            select(StatusEvent.event_type, StatusEvent.number, func.count()).group_by(text("1, 2")).order_by(text("1"))
        )
        rows = [tuple(row) for row in await connection.execute(found)]
    await engine.dispose()
    assert rows == [("E1", 1, 1200), ("E2", 2, 1200), ("E3", 3, 1200)]
