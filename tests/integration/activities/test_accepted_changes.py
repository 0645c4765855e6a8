"""Carry out what was accepted: every verb, whatever PostgreSQL refuses meanwhile, or show why it was not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from temporalio.client import Client, WorkflowHandle

from db.models import CommerceUser
from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.activities import created, trail
from tests.support.builders import Tenant, from_now
from tests.support.service import Service, until
from tests.support.worlds import idle_service, work

PLANTED = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'planted' USING ERRCODE = '{state}';
    END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON scheduled_activities FOR EACH ROW EXECUTE FUNCTION refuse();
"""
"""Every write of an activity's row fails with this SQLSTATE."""

Send = Callable[[httpx.AsyncClient, dict[str, Any], Tenant], Awaitable[httpx.Response]]


def url(activity: dict[str, Any]) -> str:
    return f"/api/activities/{activity['id']}"


async def cancel(http: httpx.AsyncClient, activity: dict[str, Any], _: Tenant) -> httpx.Response:
    return await http.post(f"{url(activity)}/cancel", json={"reason": "x"})


async def move(http: httpx.AsyncClient, activity: dict[str, Any], _: Tenant) -> httpx.Response:
    return await http.patch(url(activity), json={"scheduled_at": from_now(hours=9)})


async def change_score(http: httpx.AsyncClient, activity: dict[str, Any], _: Tenant) -> httpx.Response:
    return await http.patch(url(activity), json={"score": 3})


async def execute_now(http: httpx.AsyncClient, activity: dict[str, Any], _: Tenant) -> httpx.Response:
    return await http.post(f"{url(activity)}/execute-now")


async def retry(http: httpx.AsyncClient, activity: dict[str, Any], _: Tenant) -> httpx.Response:
    return await http.patch(f"{url(activity)}/retry-resolution")


async def assign(http: httpx.AsyncClient, activity: dict[str, Any], tenant: Tenant) -> httpx.Response:
    target = f"{url(activity)}/target-users/{activity['targetUsers'][0]['id']}/resolve"
    return await http.patch(target, json={"commerce_user_id": str(tenant.owner_id)})


VERBS: dict[Send, tuple[str, str, str]] = {
    cancel: ("cancel", "READY", "CANCELED"),
    move: ("reschedule", "READY", "RESCHEDULED"),
    change_score: ("reschedule", "READY", "RESCHEDULED"),
    execute_now: ("execute_now", "READY", "DUE"),
    retry: ("retry_resolution", "UNRESOLVED", "RESOLUTION_RETRY_SUCCESS"),
    assign: ("assign_target", "UNRESOLVED", "TARGET_ASSIGNED"),
}
"""Each change with the name of its verb, the status that it needs, and the event that it leaves."""


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """The service with a worker, in a world that the test breaks; the API tells when a change was only accepted."""
    async with idle_service(postgres, temporal, answer_deadline_seconds=8.0) as service, work(service):
        yield service


async def set_owner_active(service: Service, tenant: Tenant, *, active: bool) -> None:
    async with service.database.transactions.begin() as connection:
        everybody = update(CommerceUser).where(CommerceUser.tenant_id == tenant.id)
        await connection.execute(everybody.values(is_active=active))


async def created_for_each(service: Service, tenant: Tenant) -> dict[Send, dict[str, Any]]:
    """Create an activity for each verb, with the status that the verb needs."""
    activities = {}
    async with service.client(tenant.id) as http:
        for status in ("UNRESOLVED", "READY"):
            await set_owner_active(service, tenant, active=status == "READY")
            for verb in (one for one, (_, needed, _) in VERBS.items() if needed == status):
                activities[verb] = await created(http)
                assert activities[verb]["status"] == status
    return activities


async def until_accepted(verb: Send, http: httpx.AsyncClient, activity: dict[str, Any], tenant: Tenant) -> int:
    """Send a change until it is accepted; return how often a busy machine answered 503, which means not done."""
    refusals = 0
    async with asyncio.timeout(90):
        while (answer := await verb(http, activity, tenant)).status_code == 503:
            refusals += 1
    assert answer.status_code == 202, answer.text
    return refusals


async def until_events(http: httpx.AsyncClient, activity: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Return the events of the activity once there are so many."""
    async with asyncio.timeout(90):
        while len(events := (await http.get(f"{url(activity)}/status-events")).json()["data"]) < count:
            await asyncio.sleep(0.1)
    found: list[dict[str, Any]] = events
    return found


def run_of(service: Service, tenant: Tenant, activity: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    return service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))


async def until_failing(run: WorkflowHandle[Any, Any], state: str) -> None:
    """Return once a step of the run is retried because of this SQLSTATE."""
    async with asyncio.timeout(90):
        while state not in str((await run.describe()).raw_description.pending_activities):
            await asyncio.sleep(0.1)


@contextmanager
def locked(postgres: Postgres, service: Service, *activities: dict[str, Any]) -> Iterator[None]:
    """Keep the activities' rows locked, however long: a pool's connection is ended after 15 s without a statement."""
    with postgres.connect(str(service.database.url.database)) as connection, connection.transaction():
        statement = "SELECT FROM scheduled_activities WHERE id = ANY(%s) FOR NO KEY UPDATE"
        connection.execute(statement, [[UUID(one["id"]) for one in activities]])
        yield


@pytest.mark.parametrize("state", ["25006", "42501", "42P01", "53100"])
async def test_every_accepted_change_is_retried_while_postgresql_its_role_or_its_schema_is_the_cause(
    postgres: Postgres, own: Service, state: str
) -> None:
    tenant = await own.tenant()
    activities = await created_for_each(own, tenant)
    with postgres.connect(str(own.database.url.database)) as connection:
        connection.execute(PLANTED.format(state=state).encode())
        async with own.client(tenant.id) as http:
            sent = await asyncio.gather(*(until_accepted(verb, http, one, tenant) for verb, one in activities.items()))
            await asyncio.gather(*(until_failing(run_of(own, tenant, one), state) for one in activities.values()))
            connection.execute(b"DROP TRIGGER refuse ON scheduled_activities")
            for (verb, activity), refusals in zip(activities.items(), sent, strict=True):
                written = ["CREATED", VERBS[verb][2]]
                async with asyncio.timeout(90):
                    while (events := [one[0] for one in await trail(http, activity["id"])])[-1] != written[1]:
                        await asyncio.sleep(0.1)
                assert events.count("CHANGE_WITHDRAWN") <= refusals
                assert [event for event in events if event != "CHANGE_WITHDRAWN"] == written


@pytest.mark.parametrize("state", ["22003", "23514"])
async def test_every_change_that_postgresql_refuses_ends_alone_and_is_shown(
    postgres: Postgres, own: Service, state: str
) -> None:
    tenant = await own.tenant()
    activities = await created_for_each(own, tenant)
    with postgres.connect(str(own.database.url.database)) as connection:
        connection.execute(PLANTED.format(state=state).encode())
        async with own.client(tenant.id) as http:
            answers = await asyncio.gather(*(verb(http, one, tenant) for verb, one in activities.items()))
            assert {answer.status_code for answer in answers} <= {202, 500}
            for verb, activity in activities.items():
                (_, event) = await until_events(http, activity, 2)
                assert (event["eventType"], event["actor"], event["errorCode"]) == (
                    "CHANGE_WITHDRAWN",
                    "tester",
                    "internal_error",
                )
                assert (state in event["errorMessage"], event["details"]) == (True, {"change": VERBS[verb][0]})
            connection.execute(b"DROP TRIGGER refuse ON scheduled_activities")
            for activity in activities.values():
                assert (await cancel(http, activity, tenant)).status_code in {200, 202}
                assert (await until(http, url(activity), "CANCELED"))["id"] == activity["id"]


async def test_a_stale_etag_is_shown_if_it_was_accepted_and_the_queue_goes_on(postgres: Postgres, own: Service) -> None:
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity = await created(http)
    if_match = {"If-Match": '"1"'}
    async with own.client(tenant.id) as http:
        with locked(postgres, own, activity):
            for score in (1, 2):
                answer = await http.patch(url(activity), json={"score": score}, headers=if_match)
                assert answer.status_code == 202, answer.text
            assert (await cancel(http, activity, tenant)).status_code == 202
        events = await until_events(http, activity, 4)
    assert [event["eventType"] for event in events] == ["CREATED", "RESCHEDULED", "CHANGE_REFUSED", "CANCELED"]
    refused = events[2]
    assert (refused["errorCode"], refused["actor"], refused["details"]) == (
        "stale_etag",
        "tester",
        {"change": "reschedule"},
    )
    assert (refused["fromStatus"], refused["toStatus"]) == ("READY", "READY")


async def test_an_accepted_change_goes_before_a_cancellation_that_is_accepted_after_it(
    postgres: Postgres, own: Service
) -> None:
    tenant = await own.tenant()
    activities = await created_for_each(own, tenant)
    async with own.client(tenant.id) as http:
        with locked(postgres, own, *activities.values()):
            first = await asyncio.gather(*(verb(http, one, tenant) for verb, one in activities.items()))
            second = await asyncio.gather(*(cancel(http, one, tenant) for one in activities.values()))
            assert [answer.status_code for answer in (*first, *second)] == [202] * 2 * len(VERBS)
        for verb, activity in activities.items():
            expected = ["CREATED", VERBS[verb][2], *(["CANCELED"] if verb is not cancel else [])]
            assert [event["eventType"] for event in await until_events(http, activity, len(expected))] == expected


async def test_a_bulk_cancellation_that_was_accepted_goes_before_the_mark(postgres: Postgres, own: Service) -> None:
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity = await created(http, scheduled_at=from_now(seconds=15))
    with locked(postgres, own, activity):
        async with own.client(tenant.id) as http:
            body = {"filter": {"status": ["READY"]}, "reason": "x"}
            started = await http.post("/api/activities/cancel", json=body)
            assert started.status_code == 202, started.text
            async with asyncio.timeout(90):
                while (await http.get(started.headers["Location"])).json()["counts"]["accepted"] != 1:
                    await asyncio.sleep(0.2)
            run = run_of(own, tenant, activity)
            async with asyncio.timeout(90):
                while "TIMER_FIRED" not in (await run.fetch_history()).to_json():
                    await asyncio.sleep(0.1)
    async with own.client(tenant.id) as http:
        events = await until_events(http, activity, 2)
    assert [event["eventType"] for event in events] == ["CREATED", "CANCELED"]
