"""Test every endpoint that asks Temporal, over a connection on which every call fails: each says what to do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from runs.ids import draw_id
from runs.limits import report_limits
from tests.support.activities import created, marked_ahead, trail, unresolved
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import claim
from tests.support.intercepted import intercepted
from tests.support.service import Service, resources, running_api, until

URL = "/api/activities"
NOTHING_CHANGED = "Nothing was changed, and nothing will be."
STATUSES = [
    *(RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.UNKNOWN, RPCStatusCode.INTERNAL),
    RPCStatusCode.RESOURCE_EXHAUSTED,
]


@pytest.fixture(params=STATUSES, ids=lambda status: status.name)
async def cut_off(
    request: pytest.FixtureRequest, service: Service, tenant: Tenant
) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """A caller of an API whose calls to Temporal fail with a status, and the status of the API's answers."""

    async def fail(_: str, __: Callable[[], Awaitable[Any]]) -> Any:
        raise RPCError("it fails", request.param, b"")

    opened = resources(service.roles.api, intercepted(service.temporal, fail))
    async with running_api(opened) as url, service.at(url).client(tenant.id) as caller:
        yield caller, 429 if request.param is RPCStatusCode.RESOURCE_EXHAUSTED else 503


def require_passing(answer: httpx.Response, status: int) -> str:
    """Check that the answer says when to try again; return its sentence."""
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (status, True), answer.text
    return str(answer.json()["detail"])


async def test_a_call_whose_connection_was_closed_is_repeated(service: Service, tenant: Tenant) -> None:
    """Temporal's server closes connections that have grown old; the call under way fails as cancelled."""
    cut_off: set[str] = set()

    async def cut_off_first(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if rpc in cut_off or rpc.startswith("poll_"):
            return await call()
        cut_off.add(rpc)
        raise RPCError("operation was canceled", RPCStatusCode.CANCELLED, b"")

    opened = resources(service.roles.api, report_limits(intercepted(service.temporal, cut_off_first)))
    async with running_api(opened) as url, service.at(url).client(tenant.id) as caller:
        activity = await created(caller)
        changed = await caller.patch(f"{URL}/{activity['id']}", json={"score": 7})
        assert (changed.status_code, changed.json()["score"]) == (200, 7)
    assert cut_off >= {"execute_multi_operation", "update_workflow_execution"}


async def test_a_creation_says_how_to_repeat_it(cut_off: tuple[httpx.AsyncClient, int]) -> None:
    caller, status = cut_off
    assert "same idempotency key" in require_passing(await caller.post(URL, json=contract_example()), status)
    batch = await caller.post(f"{URL}/batch", json={"activities": [contract_example()]})
    assert [one["status"] for one in batch.json()["results"]] == [status], batch.text


async def test_an_activity_that_is_not_known_can_be_asked_for_again(cut_off: tuple[httpx.AsyncClient, int]) -> None:
    caller, status = cut_off
    for path in ("", "/status-events", "/explanation", "/results"):
        require_passing(await caller.get(f"{URL}/{draw_id()}{path}"), status)
    require_passing(await caller.post(f"{URL}/{draw_id()}/cancel", json={"reason": "x"}), status)


async def test_no_change_is_made_and_none_will_be(
    cut_off: tuple[httpx.AsyncClient, int], service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    caller, status = cut_off
    ready = await created(http)
    ahead = await marked_ahead(service, tenant)
    open_one = await unresolved(service, http, tenant)
    target = open_one["targetUsers"][0]["id"]
    user = {"commerce_user_id": str(draw_id())}
    calls: list[tuple[dict[str, Any], str, str, Any]] = [
        (ready, "PATCH", "", {"score": 1}),
        (ready, "PATCH", "", {"scheduled_at": from_now(hours=5)}),
        (ready, "POST", "/execute-now", None),
        (ready, "POST", "/cancel", {"reason": "x"}),
        (open_one, "PATCH", "/retry-resolution", None),
        (open_one, "POST", "/cancel", {"reason": "x"}),
        (ahead, "PATCH", "", {"scheduled_at": from_now(hours=5)}),
    ]
    for activity, method, path, body in calls:
        answer = await caller.request(method, f"{URL}/{activity['id']}{path}", json=body)
        assert NOTHING_CHANGED in require_passing(answer, status)
    wrong = await caller.patch(f"{URL}/{open_one['id']}/target-users/{target}/resolve", json=user)
    assert wrong.status_code == 400, wrong.text  # the row refuses it before Temporal is asked
    for activity in (ready, open_one, ahead):
        assert (await http.get(f"{URL}/{activity['id']}")).json()["status"] == activity["status"]
        assert {event[0] for event in await trail(http, activity["id"])} == {"CREATED", "CHANGE_WITHDRAWN"}


async def test_what_needs_no_run_goes_on_and_a_follow_up_is_created_later(
    cut_off: tuple[httpx.AsyncClient, int], http: httpx.AsyncClient
) -> None:
    caller, status = cut_off
    types = [{"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}]
    assert (await caller.put("/api/activity-config/task-result-types", json={"types": types})).is_success
    activity = await created(http, scheduled_at=from_now(seconds=0))
    await until(http, f"{URL}/{activity['id']}", "DUE")
    assert [one["id"] for one in await claim(caller)] == [activity["id"]]
    body = {
        "activity_id": activity["id"],
        "status": "COMPLETED",
        "occurred_at": from_now(seconds=0),
        "task_result": {"result": "call_back", "future_scheduled_at": from_now(hours=9)},
    }
    reported = await caller.post("/api/activity-results/tasks", json=body)
    assert "is on record, its follow-up is not created yet" in require_passing(reported, status)
    again = await http.post("/api/activity-results/tasks", json=body)
    assert again.status_code == 200, again.text
    assert (await http.get(f"{URL}/{again.json()['followUpId']}")).json()["status"] == "READY"


async def test_a_bulk_operation_is_answered_with_its_id_and_can_be_stopped(
    cut_off: tuple[httpx.AsyncClient, int],
) -> None:
    caller, status = cut_off
    operation = str(draw_id())
    body = {"filter": {"channel": "SMS"}, "reason": "x", "operation_id": operation}
    for _ in range(2):
        answer = await caller.post(f"{URL}/cancel", json=body)
        assert operation in require_passing(answer, status)
        assert answer.json()["operationId"] == operation
    assert (await caller.get(f"/api/operations/{operation}")).json()["state"] == "COLLECTING"
    stopped = await caller.post(f"/api/operations/{operation}/stop")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "STOPPED")
