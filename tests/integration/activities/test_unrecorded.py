"""Every route of an activity answers alike while the activity has no row."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from limits import RateLimitItemPerSecond
from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError

from api.activities.schemas import ScheduledActivityCreate
from embedded.postgres import Postgres
from runs.client import workflow_id
from runs.ids import draw_id
from runs.start import start_run
from tests.support.activities import drawn_ago
from tests.support.builders import contract_example
from tests.support.service import Service, until_listed
from tests.support.worlds import idle_service, work
from workflows.messages import ScheduledActivityInput

NO_ONE = "00000000-0000-4000-8000-000000000001"
READS: dict[str, Any] = {
    "/status-events": {
        "data": [],
        "meta": {"page": 1, "limit": 25, "total": 0, "totalPages": 0, "nextCursor": None, "isShortened": False},
    },
    "/target-users": [],
    "/attributes": [],
    "/results": [],
    "/explanation": {"attempts": []},
}
"""The parts of an activity, and what each has while the activity is RESOLVING."""
CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("PATCH", "", {"score": 1}),
    ("POST", "/cancel", {"reason": "x"}),
    ("POST", "/execute-now", None),
    ("PATCH", "/retry-resolution", None),
    ("PATCH", f"/target-users/{NO_ONE}/resolve", {"commerce_user_id": NO_ONE}),
)
ROUTES = [("GET", "", None), *(("GET", path, None) for path in READS), *CHANGES]


@dataclass(frozen=True)
class Unrecorded:
    """A caller, and the URL of an activity without a row in each state that it may have."""

    service: Service
    tenant_id: UUID
    http: httpx.AsyncClient
    resolving: str
    ended: str
    failed: str
    unknown: str


@pytest.fixture(scope="module")
async def unrecorded(postgres: Postgres, temporal: Client) -> AsyncIterator[Unrecorded]:
    """One activity in each state; the worker is gone by the time they are asked for."""
    async with idle_service(
        postgres, temporal, answer_deadline_seconds=0.5, lookups=RateLimitItemPerSecond(1000)
    ) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            failed = await accepted(http, reason="no such reason")
            async with work(service):
                run = service.temporal.get_workflow_handle(workflow_id(tenant.id, failed["idempotencyKey"]))
                while (await run.describe()).close_time is None:
                    await asyncio.sleep(0.05)
            resolving, ended = await accepted(http), await accepted(http)
            await service.temporal.get_workflow_handle(workflow_id(tenant.id, ended["idempotencyKey"])).terminate()
            for one in (resolving, ended):
                await until_listed(http, f"/api/activities/{one['id']}")
            ids = [resolving["id"], ended["id"], failed["id"], str(uuid4())]
            yield Unrecorded(service, tenant.id, http, *(f"/api/activities/{one}" for one in ids))


async def accepted(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """An activity that is accepted without a worker."""
    answer = await http.post("/api/activities", json=contract_example(**changes))
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("path", ["", *READS])
async def test_a_resolving_activity_can_be_read_and_has_no_parts_yet(unrecorded: Unrecorded, path: str) -> None:
    answer = await unrecorded.http.get(f"{unrecorded.resolving}{path}")
    assert answer.status_code == 200, answer.text
    if path:
        body = answer.json()
        assert (body if isinstance(body, list) else {name: body[name] for name in READS[path]}) == READS[path]
    else:
        assert (answer.json()["status"], answer.headers["Retry-After"]) == ("RESOLVING", "1")


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_a_resolving_activity_can_not_be_changed(
    unrecorded: Unrecorded, method: str, path: str, body: Any
) -> None:
    answer = await unrecorded.http.request(method, f"{unrecorded.resolving}{path}", json=body)
    told = answer.json()
    assert (answer.status_code, told["code"], told["actualStatus"]) == (409, "wrong_status", "RESOLVING")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_activity_whose_run_was_ended_before_it_recorded_is_not_found(
    unrecorded: Unrecorded, method: str, path: str, body: Any
) -> None:
    answer = await unrecorded.http.request(method, f"{unrecorded.ended}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "activity_not_found")
    assert "never recorded" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_activity_that_could_not_be_created_answers_with_the_problem_of_its_creation(
    unrecorded: Unrecorded, method: str, path: str, body: Any
) -> None:
    answer = await unrecorded.http.request(method, f"{unrecorded.failed}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_reason")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/reason"]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_unknown_activity_is_not_found(unrecorded: Unrecorded, method: str, path: str, body: Any) -> None:
    answer = await unrecorded.http.request(method, f"{unrecorded.unknown}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "activity_not_found")


@pytest.mark.parametrize("drawn", [drawn_ago(125), drawn_ago(-86_400)], ids=["two minutes old", "a day ahead"])
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_unknown_activity_that_can_not_be_new_is_not_found(
    unrecorded: Unrecorded, method: str, path: str, body: Any, drawn: UUID
) -> None:
    answer = await unrecorded.http.request(method, f"/api/activities/{drawn}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "activity_not_found")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_unknown_activity_that_may_have_been_accepted_just_now_is_503(
    unrecorded: Unrecorded, method: str, path: str, body: Any
) -> None:
    answer = await unrecorded.http.request(method, f"/api/activities/{draw_id()}{path}", json=body)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert "within the last two minutes" in answer.json()["detail"]


async def test_a_result_of_an_activity_that_may_have_been_accepted_just_now_is_503(unrecorded: Unrecorded) -> None:
    result = {"occurred_at": "2025-01-16T09:00:00.000Z", "status": "COMPLETED"}
    for drawn, status in ((draw_id(), 503), (drawn_ago(125), 404)):
        answer = await unrecorded.http.post("/api/activity-results/tasks", json=result | {"activity_id": str(drawn)})
        assert answer.status_code == status, answer.text


async def test_an_activity_without_a_row_is_resolving_however_old_it_is(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        request = ScheduledActivityCreate.model_validate_json(json.dumps(contract_example())).as_request()
        scheduled = ScheduledActivityInput(id=drawn_ago(3600), tenant_id=tenant.id, request=request)
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await start_run(service.temporal, scheduled, 0.5)
        async with service.client(tenant.id) as http, asyncio.timeout(60):
            while (seen := await http.get(f"/api/activities/{scheduled.id}")).status_code == 404:
                await asyncio.sleep(0.05)
        assert (seen.status_code, seen.json()["status"]) == (200, "RESOLVING")


async def test_another_tenants_new_activity_is_not_found(unrecorded: Unrecorded) -> None:
    async with unrecorded.service.client(uuid4()) as stranger:
        answer = await stranger.get(unrecorded.resolving)
    assert (answer.status_code, answer.json()["code"]) == (404, "activity_not_found")


async def test_one_tenants_questions_for_unknown_activities_leave_another_tenant_its_own(
    unrecorded: Unrecorded,
) -> None:
    async with (
        unrecorded.service.beside(lookups=RateLimitItemPerSecond(3, 100)) as limited,
        limited.client(uuid4()) as busy,
        limited.client(unrecorded.tenant_id) as other,
    ):
        answers = await asyncio.gather(*(busy.get(f"/api/activities/{draw_id()}") for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {503: 3, 429: 17}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert (refused.json()["code"], 1 <= int(refused.headers["Retry-After"]) <= 100) == ("rate_limited", True)
        seen = await other.get(unrecorded.resolving)
        assert (seen.status_code, seen.json()["status"]) == (200, "RESOLVING")
