"""Every route of an activity answers alike while the activity has no row."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.builders import contract_example
from tests.support.worlds import idle_service, work

NO_ONE = "00000000-0000-4000-8000-000000000001"
READS: dict[str, Any] = {
    "/status-events": [],
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

    http: httpx.AsyncClient
    resolving: str
    ended: str
    failed: str
    unknown: str


@pytest.fixture(scope="module")
async def unrecorded(postgres: Postgres, temporal: Client) -> AsyncIterator[Unrecorded]:
    """One activity in each state; the worker is gone by the time they are asked for."""
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            failed = await accepted(http, reason="no such reason")
            async with work(service):
                run = service.temporal.get_workflow_handle(workflow_id(tenant.id, failed["idempotencyKey"]))
                while (await run.describe()).close_time is None:
                    await asyncio.sleep(0.05)
            resolving, ended = await accepted(http), await accepted(http)
            await service.temporal.get_workflow_handle(workflow_id(tenant.id, ended["idempotencyKey"])).terminate()
            ids = [resolving["id"], ended["id"], failed["id"], str(uuid4())]
            yield Unrecorded(http, *(f"/api/activities/{one}" for one in ids))


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
        assert (body if isinstance(body, list) else {"attempts": body["attempts"]}) == READS[path]
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
