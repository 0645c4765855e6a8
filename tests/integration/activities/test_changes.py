"""Cancel, move, execute now, retry and assign: every answer is true."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from api.http.auth import Permission
from db.models import CommerceUser, StatusEvent
from embedded.postgres import Postgres
from embedded.temporal_server import running_temporal
from runs.client import workflow_id
from tests.support.activities import activate, created, marked_ahead, trail, unresolved
from tests.support.builders import Tenant, from_now
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import new_database


async def test_a_cancelled_activity_ends_its_run_and_says_who_and_why(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    answer = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "the store is closed"})
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELED")
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert [(e["eventType"], e["actor"], (e["details"] or {}).get("reason")) for e in events] == [
        ("CREATED", "tester", None),
        ("CANCELED", "tester", "the store is closed"),
    ]
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    assert await run.result() == "CANCELED"


async def test_cancelling_again_is_answered_alike_and_changes_nothing(http: httpx.AsyncClient) -> None:
    activity = await created(http)
    first = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "a"})
    second = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "b"})
    assert (second.status_code, second.json(), second.headers["ETag"]) == (200, first.json(), first.headers["ETag"])
    assert len(await trail(http, activity["id"])) == 2


async def test_a_due_activity_can_be_cancelled_after_its_run_has_ended(http: httpx.AsyncClient) -> None:
    activity = await created(http, scheduled_at="2025-01-16T09:00:00.000Z")
    await until(http, f"/api/activities/{activity['id']}", "DUE")
    answer = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "too late"})
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELED")
    assert (await trail(http, activity["id"]))[-1] == ("CANCELED", "DUE", "CANCELED")


async def test_a_move_moves_the_timer_and_the_etag(http: httpx.AsyncClient) -> None:
    activity = await created(http)
    url = f"/api/activities/{activity['id']}"
    moved = await http.patch(
        url,
        json={"scheduled_at": from_now(minutes=30), "score": 7, "change_reason": "earlier"},
        headers={"If-Match": '"1"'},
    )
    assert (moved.status_code, moved.headers["ETag"], moved.json()["score"]) == (200, '"2"', 7), moved.text
    soon = await http.patch(url, json={"scheduled_at": from_now(seconds=1)})
    due = await until(http, url, "DUE")
    assert due["scheduledAt"] == soon.json()["scheduledAt"]
    events = (await http.get(f"{url}/status-events")).json()["data"]
    assert [event["eventType"] for event in events] == ["CREATED", "RESCHEDULED", "RESCHEDULED", "DUE"]
    assert events[1]["details"]["score"] == {"before": None, "after": 7}
    assert events[1]["details"]["reason"] == "earlier"
    times = {"before": activity["scheduledAt"], "after": moved.json()["scheduledAt"]}
    assert events[1]["details"]["scheduledAt"] == times


async def test_a_null_clears_the_score_and_the_suggested_time_and_leaves_everything_else(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    suggested = "2035-01-16T10:30:00.000Z"
    activity = await created(http, score=5, suggested_execution_time=suggested)
    url = f"/api/activities/{activity['id']}"
    cleared = await http.patch(url, json={"score": None, "scheduled_at": None, "change_reason": None})
    both = await http.patch(url, json={"score": 6, "suggested_execution_time": None, "change_reason": "no hint"})
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    assert (cleared.status_code, cleared.json()["score"]) == (200, None), cleared.text
    assert cleared.json()["suggestedExecutionTime"] == suggested
    assert cleared.json()["scheduledAt"] == activity["scheduledAt"]
    assert (both.json()["score"], both.json()["suggestedExecutionTime"]) == (6, None)
    assert (await http.get(url)).json() == both.json()
    details = [event["details"] for event in (await http.get(f"{url}/status-events")).json()["data"][1:]]
    assert details == [
        {"reason": None, "score": {"before": 5, "after": None}},
        {
            "reason": "no hint",
            "score": {"before": None, "after": 6},
            "suggestedExecutionTime": {"before": suggested, "after": None},
        },
    ]
    typed = await run.execute_update("reschedule", {"clear": ["score"], "reason": "typed into the web UI"})
    assert typed["version"] == 4
    assert (await http.get(url)).json()["score"] is None


async def test_a_patch_of_nulls_that_clear_nothing_changes_nothing(http: httpx.AsyncClient) -> None:
    url = f"/api/activities/{(await created(http))['id']}"
    for body in (
        {},
        {"scheduled_at": None},
        {"change_reason": "only said"},
        {"scheduled_at": None, "change_reason": "x"},
    ):
        answer = await http.patch(url, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert len(await trail(http, url.rsplit("/", 1)[-1])) == 1


async def test_a_stale_etag_is_412_and_a_wrong_status_comes_before_it(http: httpx.AsyncClient) -> None:
    activity = await created(http)
    url = f"/api/activities/{activity['id']}"
    assert (await http.patch(url, json={"score": 1}, headers={"If-Match": '"1"'})).status_code == 200
    stale = await http.patch(url, json={"score": 2}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")
    assert (await http.patch(url, json={"score": 3}, headers={"If-Match": "*"})).status_code == 200
    await http.post(f"{url}/cancel", json={"reason": "x"})
    late = await http.patch(url, json={"score": 2}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"], late.json()["actualStatus"]) == (409, "wrong_status", "CANCELED")


async def test_execute_now_keeps_the_scheduled_time_and_is_not_late(http: httpx.AsyncClient) -> None:
    activity = await created(http)
    answer = await http.post(f"/api/activities/{activity['id']}/execute-now")
    body = answer.json()
    assert (answer.status_code, body["status"], body["latenessMs"]) == (200, "DUE", 0), answer.text
    assert body["scheduledAt"] == activity["scheduledAt"]
    again = await http.post(f"/api/activities/{activity['id']}/execute-now")
    assert (again.status_code, again.json()["actualStatus"]) == (409, "DUE")


async def test_a_retry_says_what_still_fails_and_succeeds_once_it_can(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await unresolved(service, http, tenant)
    url = f"/api/activities/{activity['id']}"
    failed = await http.patch(f"{url}/retry-resolution")
    assert (failed.status_code, failed.json()["status"]) == (200, "UNRESOLVED")
    await activate(service, tenant, tenant.owner_id)
    resolved = await http.patch(f"{url}/retry-resolution")
    assert (resolved.status_code, resolved.json()["status"]) == (200, "READY"), resolved.text
    assert resolved.json()["targetUsers"][0]["commerceUserId"] == str(tenant.owner_id)
    assert [event[0] for event in await trail(http, activity["id"])] == [
        "CREATED",
        "RESOLUTION_RETRY_FAILED",
        "RESOLUTION_RETRY_SUCCESS",
    ]
    assert (await http.patch(f"{url}/retry-resolution")).status_code == 409


async def test_an_operator_assigns_a_user_who_must_be_of_this_commerce_active_and_reachable(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await unresolved(service, http, tenant)
    url = f"/api/activities/{activity['id']}/target-users/{activity['targetUsers'][0]['id']}/resolve"
    for nobody in (uuid4(), tenant.owner_id):
        refused = await http.patch(url, json={"commerce_user_id": str(nobody)})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/commerce_user_id"), refused.text
    await activate(service, tenant, tenant.contactless_id)
    refused = await http.patch(url, json={"commerce_user_id": str(tenant.contactless_id)})
    assert "no WHATSAPP or PHONE contact" in refused.json()["detail"]
    await activate(service, tenant, tenant.owner_id)
    assigned = await http.patch(url, json={"commerce_user_id": str(tenant.owner_id)})
    assert (assigned.status_code, assigned.json()["status"]) == (200, "READY")
    assert assigned.json()["targetUsers"][0]["lockReason"] == "MANUAL_ASSIGNMENT"
    assert (await trail(http, activity["id"]))[-1] == ("TARGET_ASSIGNED", "UNRESOLVED", "READY")
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert events[-1]["details"]["commerceUserId"] == str(tenant.owner_id)
    assert (await http.patch(url, json={"commerce_user_id": str(tenant.owner_id)})).status_code == 409


async def test_an_activity_resolved_after_its_time_becomes_due_at_once(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser).where(CommerceUser.tenant_id == tenant.id).values(is_active=False)
        )
    activity = await created(http, scheduled_at="2025-01-16T09:00:00.000Z")
    await activate(service, tenant, tenant.owner_id)
    await http.patch(f"/api/activities/{activity['id']}/retry-resolution")
    due = await until(http, f"/api/activities/{activity['id']}", "DUE")
    assert due["latenessMs"] > 0


async def test_inside_the_lead_a_cancel_is_exact_and_the_unseen_mark_leaves_no_trace(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await marked_ahead(service, tenant)
    answer = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "x"})
    assert (answer.status_code, answer.json()["status"], answer.json()["markedAt"]) == (200, "CANCELED", None)
    async with service.database.transactions.connect() as connection:
        events = await connection.scalars(
            select(StatusEvent.event_type).where(StatusEvent.activity_id == UUID(activity["id"]))
        )
        assert sorted(events) == ["CANCELED", "CREATED"]


@pytest.mark.parametrize(("number", "status"), [(100, 412), (101, 400)])
async def test_so_many_etags_are_compared(http: httpx.AsyncClient, number: int, status: int) -> None:
    activity = await created(http)
    tags = ", ".join(f'"{version}"' for version in range(2, number + 2))
    url = f"/api/activities/{activity['id']}"
    answer = await http.patch(url, json={"score": 1}, headers={"If-Match": tags})
    assert answer.status_code == status
    if status == 400:
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == "/header/if-match"
        assert "at most 100 are allowed. Send the one that was read last" in fault["detail"]


async def test_inside_the_lead_a_move_takes_the_mark_back_and_sleeps_again(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await marked_ahead(service, tenant)
    url = f"/api/activities/{activity['id']}"
    assert (await http.get(url)).headers["ETag"] == '"1"'
    moved = await http.patch(url, json={"scheduled_at": from_now(hours=2)}, headers={"If-Match": '"1"'})
    assert (moved.status_code, moved.json()["status"]) == (200, "READY"), moved.text
    assert (await http.patch(url, json={"scheduled_at": from_now(seconds=1)})).status_code == 200
    await until(http, url, "DUE")
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", *["RESCHEDULED"] * 2, "DUE"]


async def test_inside_the_lead_execute_now_makes_it_due_at_once(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await marked_ahead(service, tenant)
    answer = await http.post(f"/api/activities/{activity['id']}/execute-now")
    assert (answer.status_code, answer.json()["status"], answer.json()["latenessMs"]) == (200, "DUE", 0), answer.text
    assert (await trail(http, activity["id"])) == [("CREATED", None, "READY"), ("DUE", "READY", "DUE")]


async def test_another_tenant_finds_nothing_to_change(service: Service, http: httpx.AsyncClient) -> None:
    activity = await created(http)
    other = await service.tenant()
    async with service.client(other.id) as stranger:
        for call in (
            stranger.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "x"}),
            stranger.patch(f"/api/activities/{activity['id']}", json={"score": 1}),
            stranger.post(f"/api/activities/{activity['id']}/execute-now"),
        ):
            assert (await call).status_code == 404


async def test_each_call_needs_its_own_permission(service: Service, http: httpx.AsyncClient, tenant: Tenant) -> None:
    activity = await created(http)
    url = f"/api/activities/{activity['id']}"
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer:
        answers = [
            await viewer.post(f"{url}/cancel", json={"reason": "x"}),
            await viewer.patch(url, json={"score": 1}),
            await viewer.post(f"{url}/execute-now"),
            await viewer.patch(f"{url}/retry-resolution"),
            await viewer.patch(f"{url}/target-users/{uuid4()}/resolve", json={"commerce_user_id": str(uuid4())}),
        ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert "CANCEL_ACTIVITY" in answers[0].json()["detail"]


async def test_without_a_worker_nothing_is_changed_and_the_answer_says_so(postgres: Postgres) -> None:
    with running_temporal() as server:
        temporal = await temporal_client(server.address)
        url = new_database(postgres)
        async with running_service(url, temporal) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity = await created(http)
        idle = running_service(url, temporal, work=False, answer_deadline_seconds=6.0)
        async with idle as service, service.client(tenant.id) as http:
            answer = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "x"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), answer.text
            assert "Nothing was changed, and nothing will be" in answer.json()["detail"]
        async with running_service(url, temporal) as service, service.client(tenant.id) as http:
            run = temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
            await run.query("__temporal_workflow_metadata")  # the worker has caught up with whatever was waiting
            assert (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "READY"
            again = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "x"})
            assert again.json()["status"] == "CANCELED"
            assert [event[0] for event in await trail(http, activity["id"])] == [
                "CREATED",
                "CHANGE_WITHDRAWN",
                "CANCELED",
            ]
