"""Lists in the order of changes: what `updated_since` promises to an integrator who follows them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client

from db.listing import PLANNED_ANEW, Listed, Slice
from db.models import ScheduledActivity
from db.rows import CLOCK, address
from db.sessions import LONGEST_TRANSACTION
from embedded.postgres import Postgres
from tests.integration.activities.test_listing_ranges import ROWS, filled, looked_at, scans_of  # noqa: F401 - a fixture
from tests.support.activities import created
from tests.support.builders import LONG_AGO, Tenant, from_now
from tests.support.hand_off import claim, run_out
from tests.support.service import Service, running_service, until
from tests.support.worlds import new_database, new_namespace
from workflows.messages import ActivityFilter

LIST = "/api/activities"


@pytest.fixture(scope="module")
async def service(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """A service with a database of its own: so many rows would change the plans of other tests."""
    async with running_service(new_database(postgres), await new_namespace(temporal)) as running:
        yield running


async def page(http: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    """A page of the list."""
    answer = await http.get(LIST, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def follow(http: httpx.AsyncClient, since: str, **parameters: Any) -> tuple[list[dict[str, Any]], str]:
    """Read all pages since a time, as an integrator does; return the activities, and the time to go on from."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        one = await page(http, updated_since=since, **parameters, **more)
        found += one["data"]
        if one["meta"]["nextCursor"] is None:
            return found, one["meta"]["updatedUntil"]
        more = {"cursor": one["meta"]["nextCursor"]}


def in_short(activities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["id"], one["status"]) for one in activities]


async def test_what_has_changed_comes_in_the_order_of_its_changes(http: httpx.AsyncClient) -> None:
    first, second, third = [await created(http) for _ in range(3)]
    assert in_short((await follow(http, LONG_AGO))[0]) == [(one["id"], "READY") for one in (first, second, third)]
    since = third["updatedAt"]
    canceled = (await http.post(f"{LIST}/{second['id']}/cancel", json={"reason": "r"})).json()
    moved = (await http.patch(f"{LIST}/{first['id']}", json={"score": 3})).json()
    found, _ = await follow(http, since)
    assert in_short(found) == [(third["id"], "READY"), (second["id"], "CANCELED"), (first["id"], "READY")]
    assert [one["updatedAt"] for one in found] == [since, canceled["updatedAt"], moved["updatedAt"]]
    one = await page(http, updated_since=since, status="CANCELED")
    assert (in_short(one["data"]), one["meta"]["total"]) == ([(second["id"], "CANCELED")], 1)
    later = datetime.fromisoformat(moved["updatedAt"]) + timedelta(milliseconds=1)
    assert (await follow(http, later.isoformat()))[0] == []


async def test_a_mark_a_claim_and_the_end_of_a_lease_are_changes(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http, scheduled_at=LONG_AGO)
    due = await until(http, f"{LIST}/{activity['id']}", "DUE")
    assert in_short((await follow(http, due["updatedAt"]))[0]) == [(activity["id"], "DUE")]
    (taken,) = await claim(http)
    seen = (await http.get(f"{LIST}/{taken['id']}")).json()
    assert in_short((await follow(http, seen["updatedAt"]))[0]) == [(activity["id"], "DISPATCHED")]
    await run_out(service.database, tenant)
    ended = (await http.get(f"{LIST}/{taken['id']}")).json()
    assert ended["updatedAt"] > seen["updatedAt"]
    assert in_short((await follow(http, ended["updatedAt"]))[0]) == [(activity["id"], "DUE")]


async def test_a_change_that_commits_late_comes_with_the_next_list(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """Its time is before those of changes that were listed already."""
    late, other = await created(http), await created(http)
    since = other["updatedAt"]
    async with service.database.transactions.connect() as connection:
        change = update(ScheduledActivity).values(score=7, updated_at=CLOCK, version=ScheduledActivity.version + 1)
        await connection.execute(change.where(address(tenant.id, UUID(late["id"]))))
        await http.patch(f"{LIST}/{other['id']}", json={"score": 5})
        found, next_since = await follow(http, since)
        assert [(one["id"], one["score"]) for one in found] == [(other["id"], 5)]
        await connection.commit()
    again, _ = await follow(http, next_since)
    assert {(one["id"], one["score"]) for one in again} >= {(late["id"], 7)}


async def test_the_next_list_begins_before_every_transaction_that_may_still_commit(http: httpx.AsyncClient) -> None:
    await created(http)
    _, next_since = await follow(http, LONG_AGO)
    assert datetime.now(UTC) - datetime.fromisoformat(next_since) >= LONGEST_TRANSACTION
    recent = from_now(seconds=-1)
    _, next_since = await follow(http, recent)
    assert datetime.fromisoformat(next_since) == datetime.fromisoformat(recent)


async def test_no_transaction_of_a_pool_lasts_longer_than_readers_rely_on(service: Service) -> None:
    for pool in (service.database.transactions, service.database.autocommit):
        async with pool.connect() as connection:
            limit = (await connection.execute(text("SHOW transaction_timeout"))).scalar_one()
            assert limit == "1min"
    assert timedelta(minutes=1) == LONGEST_TRANSACTION


async def test_no_activity_that_changes_while_the_pages_are_read_is_missed(http: httpx.AsyncClient) -> None:
    activities = [await created(http) for _ in range(6)]
    seen: dict[str, int | None] = {}
    since, more = LONG_AGO, dict[str, str]()
    for number in range(12):
        one = await page(http, updated_since=since, per_page=2, **more)
        seen |= {activity["id"]: activity["score"] for activity in one["data"]}
        if one["meta"]["nextCursor"] is None:
            since, more = one["meta"]["updatedUntil"], {}
        else:
            more = {"cursor": one["meta"]["nextCursor"]}
        if number < 4:  # one that was returned before, and one that was not
            for changed in (activities[number % 2], activities[5 - number % 2]):
                await http.patch(f"{LIST}/{changed['id']}", json={"score": number})
    now = {one["id"]: one["score"] for one in (await page(http))["data"]}
    assert seen == now


async def test_a_pause_keeps_the_beginning_of_the_next_list_until_it_has_ended(http: httpx.AsyncClient) -> None:
    """Its end makes due what it has held, at a time that may be before the end is visible."""
    pause = {"paused": True, "reason": "r"}
    paused_at = (await http.put("/api/activity-config/pause", json=pause)).json()["pausedAt"]
    held = await created(http, scheduled_at=LONG_AGO)
    async with asyncio.timeout(60):
        while (await http.get(f"{LIST}/{held['id']}")).json()["heldSince"] is None:
            await asyncio.sleep(0.05)
    found, next_since = await follow(http, LONG_AGO)
    assert in_short(found) == [(held["id"], "READY")]
    assert next_since <= paused_at
    await http.put("/api/activity-config/pause", json={"paused": False})
    assert in_short((await follow(http, next_since))[0]) == [(held["id"], "DUE")]


@pytest.mark.parametrize(
    "parameters", [{"sort": "created_at"}, {"order": "desc"}, {"sort": "score", "order": "asc"}], ids=str
)
async def test_another_order_is_refused_because_a_change_could_be_missed(
    http: httpx.AsyncClient, parameters: dict[str, str]
) -> None:
    answer = await http.get(LIST, params={"updated_since": LONG_AGO} | parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert "updated_since" in answer.text
    (activity,) = [await created(http)]
    same = await page(http, updated_since=LONG_AGO, sort="updated_at", order="asc")
    assert in_short(same["data"]) == [(activity["id"], "READY")]


async def test_lists_are_sorted_by_score_and_by_change(http: httpx.AsyncClient) -> None:
    scores = [3, None, -5, 3, 2**31 - 1, -(2**31)]
    ids = [(await created(http, score=score))["id"] for score in scores]
    lowest_first = [ids[1], ids[5], ids[2], ids[0], ids[3], ids[4]]
    for order, expected in (("asc", lowest_first), ("desc", lowest_first[::-1])):
        seen, more = [], dict[str, str]()
        while True:
            one = await page(http, sort="score", order=order, per_page=2, **more)
            seen += [activity["id"] for activity in one["data"]]
            if one["meta"]["nextCursor"] is None:
                break
            more = {"cursor": one["meta"]["nextCursor"]}
        assert seen == expected
    await http.patch(f"{LIST}/{ids[2]}", json={"score": 1})
    changed = (await page(http, sort="updated_at"))["data"]
    assert [one["id"] for one in changed] == [ids[2], *(one for one in ids[::-1] if one != ids[2])]
    assert (await page(http, sort="updated_at"))["meta"]["updatedUntil"] is None


async def test_activities_are_found_by_executor_target_user_and_providers_id(
    tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http, scheduled_at=LONG_AGO, channel="PUSH")
    other = await created(http, channel="PUSH", target_criteria=[{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}])
    await until(http, f"{LIST}/{activity['id']}", "DUE")
    (taken,) = await claim(http, channels=["PUSH"], executor="robot-7")
    result = {
        "activity_id": taken["id"],
        "lease_token": taken["leaseToken"],
        "occurred_at": LONG_AGO,
        "status": "COMPLETED",
        "provider_activity_id": "provider-123",
    }
    answer = await http.post("/api/activity-results/tasks", json=result)
    assert answer.status_code == 201, answer.text
    this = [(activity["id"], "COMPLETED")]
    for parameters, expected in (
        ({"executor": "robot-7"}, this),
        ({"executor": "robot"}, []),
        ({"provider_activity_id": "provider-123"}, this),
        ({"provider_activity_id": "provider-12"}, []),
        ({"commerce_user_id": str(tenant.representative_id)}, this),
        ({"commerce_user_id": str(tenant.owner_id)}, [(other["id"], "READY")]),
        ({"commerce_user_id": str(tenant.owner_id), "executor": "robot-7"}, []),
    ):
        found = await page(http, **parameters)
        assert (in_short(found["data"]), found["meta"]["total"]) == (expected, len(expected)), parameters
    body = {"filter": {"commerce_user_id": str(tenant.owner_id)}, "reason": "r", "dry_run": True}
    assert (await http.post(f"{LIST}/cancel", json=body)).json()["total"] == 1
    counted = await http.get(f"{LIST}/counts", params={"by": "status", "executor": "robot-7"})
    assert [(one["status"], one["count"]) for one in counted.json()["data"]] == [("COMPLETED", 1)]


@pytest.mark.parametrize("conditions", [{}, {"status": ("READY", "DUE")}, {"channel": "SMS"}], ids=str)
async def test_a_page_of_changes_is_read_from_their_index_however_many_there_were_before(
    service: Service,
    filled: Tenant,  # noqa: F811
    conditions: dict[str, Any],
) -> None:
    since = datetime.now(UTC) - timedelta(hours=12)
    async with service.database.transactions.connect() as connection:
        await connection.execute(PLANNED_ANEW)
        listed = Listed(filled.id, ActivityFilter.model_validate(conditions), None, since=since)
        part = Slice(26, "updated_at", descending=False)
        changes = await _read_of(connection, listed, part)
    assert changes < ROWS / 10


async def _read_of(connection: AsyncConnection, listed: Listed, part: Slice) -> float:
    """Return how many rows of activities the page looks at."""
    scans = await scans_of(connection, listed.tenant_id, listed.snapshots_statement(part))
    assert [scan for scan in scans if scan["Node Type"] == "Seq Scan"] == []
    return sum(map(looked_at, scans))
