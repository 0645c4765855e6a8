"""POST /api/activity-results/tasks: what became of an activity, told once or many times, in time or late."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, insert, select

from api.http.auth import Permission
from db.models import ActivityResult, ContactLogEntry
from tests.support.activities import trail
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import claim, insert_rows, run_out
from tests.support.service import Service, until
from workflows.tenant_limits import PROVIDER_RESULTS, RESULTS_OF_ACTIVITY


def result(**changes: Any) -> dict[str, Any]:
    """A task that was completed a moment ago."""
    return {"status": "COMPLETED", "occurred_at": from_now(seconds=-1)} | changes


async def submit(http: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    """Send a result and return the API's answer."""
    return await http.post("/api/activity-results/tasks", json=body)


@pytest.fixture
async def taken(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> dict[str, Any]:
    """An activity in the hands of an executor."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (activity,) = await claim(http, executor="first")
    return activity


@pytest.fixture
async def other(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> dict[str, Any]:
    """Another one."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="other")
    (activity,) = await claim(http)
    return activity


async def status(http: httpx.AsyncClient, taken: dict[str, Any]) -> str:
    """As everybody sees it."""
    shown: str = (await http.get(f"/api/activities/{taken['id']}")).json()["status"]
    return shown


@pytest.mark.parametrize(
    ("reported", "becomes"),
    [
        ("COMPLETED", "COMPLETED"),
        ("TRANSFERRED", "COMPLETED"),
        ("NOT_EXECUTED", "FAILED"),
        ("CANCELED", "CANCELED"),
        ("PENDING", "DISPATCHED"),
    ],
)
async def test_a_result_gives_the_activity_its_status(
    http: httpx.AsyncClient, taken: dict[str, Any], reported: str, becomes: str
) -> None:
    body = result(
        activity_id=taken["id"], status=reported, external_status="x-1", raw_payload={"b": [1.5, None], "a": ""}
    )
    answer = await submit(http, body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["fromStatus"], answer.json()["toStatus"]) == ("DISPATCHED", becomes)
    assert await status(http, taken) == becomes
    assert (await trail(http, taken["id"]))[-1] == ("RESULT_RECEIVED", "DISPATCHED", becomes)
    (listed,) = (await http.get(answer.headers["Location"])).json()
    assert listed == answer.json()
    assert list(listed["rawPayload"].items()) == [("b", [1.5, None]), ("a", "")]


async def test_the_same_result_again_changes_nothing(http: httpx.AsyncClient, taken: dict[str, Any]) -> None:
    body = result(activity_id=taken["id"], task_result={"result": "sold", "payload": {"amount": 3}})
    answers = await asyncio.gather(*(submit(http, body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.text for answer in answers}) == 1
    events = [event for event, _, _ in await trail(http, taken["id"])]
    assert events.count("RESULT_RECEIVED") == 1


async def test_the_same_result_in_another_order_and_spelling_is_a_repetition(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    body = result(activity_id=taken["id"])
    sent = [{"amount": 1, "lines": [{"a": 1e3, "b": None}]}, {"lines": [{"b": None, "a": 1000}], "amount": 1.0}]
    answers = [await submit(http, body | {"task_result": {"payload": payload}}) for payload in sent]
    assert [one.status_code for one in answers] == [201, 200], answers[-1].text
    assert answers[0].text == answers[1].text


async def test_another_result_of_a_finished_activity_counts_only_with_hard_override(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    first = result(activity_id=taken["id"])
    other = result(activity_id=taken["id"], status="NOT_EXECUTED", task_result={"comment": "the store was closed"})
    assert (await submit(http, first)).status_code == 201
    refused = await submit(http, other)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    assert refused.json()["actualStatus"] == "COMPLETED"
    overridden = await submit(http, other | {"hard_override": True})
    assert overridden.status_code == 201, overridden.text
    assert await status(http, taken) == "FAILED"
    events = (await http.get(f"/api/activities/{taken['id']}/status-events")).json()["data"]
    assert events[-1]["eventType"] == "RESULT_OVERRIDDEN"
    assert (events[-1]["details"]["overriddenResult"], events[-1]["details"]["result"]) == ("COMPLETED", "NOT_EXECUTED")
    assert events[-1]["errorMessage"] == "It was not executed: the store was closed"
    assert (await submit(http, first)).status_code == 200, "a redelivery of the overridden one changes nothing"
    assert await status(http, taken) == "FAILED"
    assert (await submit(http, first | {"hard_override": True})).status_code == 201
    assert await status(http, taken) == "COMPLETED"


async def test_a_late_result_counts_if_no_other_executor_has_claimed_it_since(
    http: httpx.AsyncClient, taken: dict[str, Any], tenant: Tenant, service: Service
) -> None:
    await run_out(service.database, tenant)
    assert await claim(http, channels=["SMS"]) == []
    assert await status(http, taken) == "DUE"
    late = await submit(http, result(activity_id=taken["id"], lease_token=taken["leaseToken"]))
    assert late.status_code == 201, late.text
    assert await status(http, taken) == "COMPLETED"
    assert await claim(http) == []


async def test_a_late_result_is_rejected_when_another_executor_has_claimed_it_since(
    http: httpx.AsyncClient, taken: dict[str, Any], tenant: Tenant, service: Service
) -> None:
    before = from_now(seconds=-5)
    pending = result(activity_id=taken["id"], status="PENDING", provider_activity_id="p-1")
    assert (await submit(http, pending)).status_code == 201
    await run_out(service.database, tenant)
    (again,) = await claim(http, executor="second")
    assert again["id"] == taken["id"]
    for late in (
        result(activity_id=taken["id"], lease_token=taken["leaseToken"]),
        result(provider_activity_id="p-1"),
        result(activity_id=taken["id"], occurred_at=before),
    ):
        refused = await submit(http, late)
        assert refused.status_code == 409, refused.text
        assert "second" in refused.json()["detail"]
    assert (await submit(http, result(activity_id=taken["id"], lease_token=again["leaseToken"]))).status_code == 201


async def test_who_gave_up_may_still_say_how_it_went(
    http: httpx.AsyncClient, taken: dict[str, Any], tenant: Tenant, service: Service
) -> None:
    await http.put("/api/activity-config/dispatch", json={"max_attempts": 1})
    await run_out(service.database, tenant)
    await claim(http)
    assert await status(http, taken) == "FAILED"
    assert (await submit(http, result(activity_id=taken["id"]))).status_code == 201
    assert await status(http, taken) == "COMPLETED"


async def test_what_was_never_claimed_has_no_result(http: httpx.AsyncClient) -> None:
    created = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(hours=1)))
    for override in (False, True):
        refused = await submit(http, result(activity_id=created.json()["id"], hard_override=override))
        assert (refused.status_code, refused.json()["actualStatus"]) == (409, "READY")
    assert (await submit(http, result(activity_id=str(uuid4())))).status_code == 404
    assert (await http.get(f"/api/activities/{uuid4()}/results")).status_code == 404
    assert (await http.get(f"{created.headers['Location']}/results")).json() == []


async def test_a_providers_id_that_was_sent_once_can_stand_alone(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    assert (await submit(http, result(provider_activity_id="call-9"))).status_code == 404
    pending = result(activity_id=taken["id"], status="PENDING", provider_activity_id="call-9")
    assert (await submit(http, pending)).status_code == 201
    done = await submit(http, result(provider_activity_id="call-9"))
    assert (done.status_code, done.json()["activityId"]) == (201, taken["id"])


async def test_a_pending_result_that_is_repeated_with_a_providers_id_introduces_it(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    pending = result(activity_id=taken["id"], status="PENDING", external_status="sent")
    bodies = [pending | ids for ids in ({}, {"provider_activity_id": "p-1"}, {"provider_activity_id": "p-2"})]
    first = [await submit(http, body) for body in bodies]
    again = [await submit(http, body) for body in bodies]
    assert [one.status_code for one in (*first, *again)] == [201] * 3 + [200] * 3
    assert [one.json() for one in again] == [one.json() for one in first]
    done = result(provider_activity_id="p-1")
    answers = [await submit(http, done | ids) for ids in ({}, {"activity_id": taken["id"]}, {})]
    assert [one.status_code for one in answers] == [201, 200, 200]


@pytest.mark.parametrize(("known", "named"), [({}, "no provider's id"), ({"provider_activity_id": "p-1"}, "'p-1'")])
async def test_a_final_result_that_is_repeated_with_another_providers_id_is_refused_with_both(
    http: httpx.AsyncClient, taken: dict[str, Any], known: dict[str, str], named: str
) -> None:
    done = result(activity_id=taken["id"])
    assert (await submit(http, done | known)).status_code == 201
    other = done | {"provider_activity_id": "p-2"}
    refused = await submit(http, other)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    assert f"{named} instead of 'p-2'" in refused.json()["detail"]
    assert (await submit(http, done)).status_code == 200
    replaced = await submit(http, other | {"hard_override": True})
    assert (replaced.status_code, replaced.json()["providerActivityId"]) == (201, "p-2")
    assert (await submit(http, other)).json() == replaced.json()


async def test_a_providers_id_that_open_activities_share_names_none_of_them(
    http: httpx.AsyncClient, taken: dict[str, Any], other: dict[str, Any]
) -> None:
    for one in (taken, other):
        pending = result(activity_id=one["id"], status="PENDING", provider_activity_id="call-9")
        assert (await submit(http, pending)).status_code == 201
    done = result(provider_activity_id="call-9")
    refused = await submit(http, done)
    assert (refused.status_code, refused.json()["code"]) == (409, "ambiguous_provider_id")
    assert sorted(refused.json()["activityIds"]) == sorted([taken["id"], other["id"]])
    assert all(one["id"] in refused.json()["detail"] for one in (taken, other))
    assert (await status(http, taken), await status(http, other)) == ("DISPATCHED", "DISPATCHED")
    assert (await submit(http, done | {"activity_id": other["id"]})).status_code == 201
    again = await submit(http, done)
    assert (again.status_code, again.json()["activityId"]) == (200, other["id"]), "a repetition"


async def test_a_repeated_result_does_not_complete_another_activity_with_the_same_providers_id(
    http: httpx.AsyncClient, taken: dict[str, Any], other: dict[str, Any]
) -> None:
    done = result(provider_activity_id="call-9")
    assert (await submit(http, done | {"activity_id": taken["id"]})).status_code == 201
    pending = result(activity_id=other["id"], status="PENDING", provider_activity_id="call-9")
    assert (await submit(http, pending)).status_code == 201
    again = await submit(http, done)
    assert (again.status_code, again.json()["activityId"]) == (200, taken["id"])
    assert await status(http, other) == "DISPATCHED"


async def test_a_providers_id_names_the_only_open_activity_whichever_was_reported_last(
    http: httpx.AsyncClient, taken: dict[str, Any], other: dict[str, Any]
) -> None:
    pending = result(activity_id=other["id"], status="PENDING", provider_activity_id="call-9")
    assert (await submit(http, pending)).status_code == 201
    done = result(provider_activity_id="call-9")
    assert (await submit(http, done | {"activity_id": taken["id"]})).status_code == 201
    overriding = done | {"external_status": "voicemail", "hard_override": True}
    refused = [await submit(http, overriding)]
    answer = await submit(http, done | {"external_status": "answered"})
    assert (answer.status_code, answer.json()["activityId"]) == (201, other["id"])
    refused.append(await submit(http, overriding))
    for one in refused:
        assert (one.status_code, one.json()["code"]) == (409, "ambiguous_provider_id"), one.text
        assert sorted(one.json()["activityIds"]) == sorted([taken["id"], other["id"]])


@pytest.mark.parametrize(("number", "expected"), [(PROVIDER_RESULTS - 1, 201), (PROVIDER_RESULTS, 409)])
async def test_a_providers_id_of_very_many_results_needs_the_activitys_id(
    http: httpx.AsyncClient, taken: dict[str, Any], service: Service, number: int, expected: int
) -> None:
    pending = result(activity_id=taken["id"], status="PENDING", provider_activity_id="call-9")
    assert (await submit(http, pending)).status_code == 201
    copied = [column for column in ActivityResult.__table__.columns if column.name not in {"id", "fingerprint"}]
    copies = select(*copied, func.concat("copy ", func.generate_series(1, number - 1)))
    copy = insert(ActivityResult).from_select(
        [*(column.name for column in copied), "fingerprint"],
        copies.where(ActivityResult.activity_id == UUID(taken["id"])),
    )
    async with service.database.transactions.begin() as connection:
        await connection.execute(copy)
    done = result(provider_activity_id="call-9")
    answer = await submit(http, done)
    assert answer.status_code == expected, answer.text
    if expected == 409:
        assert answer.json()["code"] == "ambiguous_provider_id"
        assert f"has {PROVIDER_RESULTS} results or more. Send `activity_id` too" in answer.json()["detail"]
        assert answer.json()["activityIds"] == [taken["id"]]
        assert (await submit(http, done | {"activity_id": taken["id"]})).status_code == 201


async def test_wrong_results_are_refused_field_by_field(http: httpx.AsyncClient, taken: dict[str, Any]) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        (result(), ""),
        (result(activity_id=taken["id"], occurred_at=from_now(hours=1)), "/occurred_at"),
        (result(activity_id=taken["id"], status="DONE"), "/status"),
        (result(activity_id=taken["id"], raw_payload="x" * 70_000), "/raw_payload"),
        (result(activity_id=taken["id"], commerce_external_id="store-2"), "/commerce_external_id"),
        (result(activity_id=taken["id"], hard_override="yes"), "/hard_override"),
    ]
    for body, pointer in wrong:
        refused = await submit(http, body)
        assert refused.status_code == 400, refused.text
        assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]
    assert await status(http, taken) == "DISPATCHED"


async def test_a_result_writes_the_contact_log_and_an_override_takes_it_back(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    created = await http.post("/api/activities", json=contract_example())
    await until(http, created.headers["Location"], "DUE")
    (activity,) = await claim(http)
    log = select(ContactLogEntry.commerce_user_id, ContactLogEntry.channel).where(
        ContactLogEntry.tenant_id == tenant.id
    )
    assert (await submit(http, result(activity_id=activity["id"], commerce_external_id="store-1"))).status_code == 201
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(log)).all() == [(tenant.representative_id, "WHATSAPP")]
    pending = result(activity_id=activity["id"], status="PENDING", hard_override=True)
    assert [(await submit(http, pending)).status_code for _ in range(2)] == [201, 200]
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(log)).all() == [(tenant.representative_id, "WHATSAPP")]
    override = result(activity_id=activity["id"], status="NOT_EXECUTED", hard_override=True)
    assert (await submit(http, override)).status_code == 201
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(log)).all() == []


async def test_task_result_types_say_what_may_be_reported_and_what_is_followed_up(http: httpx.AsyncClient) -> None:
    types = [
        {"code": "sold", "label": "Vendido"},
        {"code": "call_back", "label": "Volver a llamar", "requires_future_scheduled_at": True},
    ]
    put = await http.put("/api/activity-config/task-result-types", json={"types": types})
    assert put.status_code == 200, put.text
    assert (await http.get("/api/activity-config/task-result-types")).json() == put.json()
    created = await http.post("/api/activities", json=contract_example(score=4))
    await until(http, created.headers["Location"], "DUE")
    (activity,) = await claim(http)

    unknown = await submit(http, result(activity_id=activity["id"], task_result={"result": "returned"}))
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_task_result_type")
    timeless = await submit(http, result(activity_id=activity["id"], task_result={"result": "call_back"}))
    assert timeless.json()["errors"][0]["pointer"] == "/task_result/future_scheduled_at"

    at = "2031-05-06T07:08:09.000Z"
    body = result(activity_id=activity["id"], task_result={"result": "Volver a llamar", "future_scheduled_at": at})
    answers = await asyncio.gather(*(submit(http, body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    (listed,) = (await http.get(f"/api/activities/{activity['id']}/results")).json()
    follow_up = (await http.get(f"/api/activities/{listed['followUpId']}")).json()
    assert follow_up["idempotencyKey"] == f"follow-up:{listed['id']}"
    assert (follow_up["status"], follow_up["scheduledAt"], follow_up["score"]) == ("READY", at, 4)
    assert follow_up["commerceAssignment"] == activity["commerceAssignment"]


async def test_only_who_may_submits_results(tenant: Tenant, service: Service, taken: dict[str, Any]) -> None:
    async with service.client(tenant.id, Permission.DISPATCH_ACTIVITY) as executor:
        assert (await submit(executor, result(activity_id=taken["id"]))).status_code == 403
    stranger = await service.tenant()
    async with service.client(stranger.id) as other:
        assert (await submit(other, result(activity_id=taken["id"]))).status_code == 404


async def test_an_activity_has_a_hundred_results_on_pages_and_a_final_one_is_never_refused(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    most = RESULTS_OF_ACTIVITY.most

    def pending(number: int) -> dict[str, Any]:
        return result(activity_id=taken["id"], status="PENDING", external_status=f"step {number}")

    bodies = [pending(number) for number in range(most)]
    assert [(await submit(http, body)).status_code for body in bodies] == [201] * most
    assert (await submit(http, bodies[0])).status_code == 200
    refused = await submit(http, pending(most))
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert "has the 100 results that it may have" in refused.json()["detail"]
    final = await submit(http, result(activity_id=taken["id"]))
    assert (final.status_code, await status(http, taken)) == (201, "COMPLETED")
    overriding = result(activity_id=taken["id"], status="NOT_EXECUTED", hard_override=True)
    assert (await submit(http, overriding)).status_code == 409
    url, listed = final.headers["Location"], []
    while url:
        page = await http.get(url)
        listed += page.json()
        url = page.links.get("next", {}).get("url", "")
    assert [one["externalStatus"] for one in listed] == [*(f"step {number}" for number in range(most)), None]
