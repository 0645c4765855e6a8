"""One idempotency key, one activity: from Temporal first, and for ever from PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from db.models import ScheduledActivity
from embedded.postgres import Postgres
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service, until, until_listed
from tests.support.worlds import idle_service, work

URL = "/api/activities"
LATER = "2031-01-01T00:00:00.000Z"


async def rows(service: Service, tenant: Tenant) -> int:
    """Count the tenant's activities."""
    statement = select(func.count()).where(ScheduledActivity.tenant_id == tenant.id)
    async with service.database.transactions.connect() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def forget(temporal: Client, workflow_id: str) -> None:
    """Take a run out of Temporal, as the end of the namespace's retention does."""
    await temporal.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=temporal.namespace, workflow_execution=WorkflowExecution(workflow_id=workflow_id)
        ),
        retry=True,
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await temporal.get_workflow_handle(workflow_id).describe()
            except RPCError as failure:
                assert failure.status is RPCStatusCode.NOT_FOUND  # noqa: PT017 - polled for
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("scheduled_at", [LATER, "2025-01-16T09:00:00Z"])
async def test_a_repeated_request_is_answered_with_the_activity_that_exists(
    http: httpx.AsyncClient, scheduled_at: str
) -> None:
    body = contract_example(scheduled_at=scheduled_at)
    created = await http.post(URL, json=body)
    repeated = await http.post(URL, json=body)
    assert repeated.status_code == 409
    problem = repeated.json()
    assert (problem["code"], problem["decided"], problem["sameRequest"]) == ("idempotency_key_exists", True, True)
    assert problem["differences"] == []
    assert repeated.headers["Location"] == created.headers["Location"]
    assert "Retry-After" not in repeated.headers
    assert problem["activity"] == (await http.get(created.headers["Location"])).json()


async def test_another_request_with_the_same_key_is_told_in_what_it_differs(http: httpx.AsyncClient) -> None:
    body = contract_example(scheduled_at=LATER, attributes=[{"key": "promotions", "value": {"a": [1, 2.5]}}])
    created = await http.post(URL, json=body)
    changes: dict[str, Any] = {
        "scheduled_at": "2031-01-01T03:00:00+03:00",
        "score": 7,
        "attribute_keys": ["promotions"],
        "attributes": [{"key": "promotions", "value": {"a": [1, 3]}}],
        "reason": "monthly_promotion",
    }
    problem = (await http.post(URL, json=body | changes)).json()
    assert problem["sameRequest"] is False
    assert problem["activity"]["id"] == created.json()["id"]
    assert sorted((one["pointer"], one["stored"], one["sent"]) for one in problem["differences"]) == [
        ("/attribute_keys/0", "commerce_info", "promotions"),
        ("/attributes/0/value/a/1", 2.5, 3),
        ("/reason", "Monthly promotion", "monthly_promotion"),
        ("/score", None, 7),
    ]


@pytest.mark.parametrize(
    "number", ["1e23", "1e308", "-0.0", "5.0", "1e-7", "123456789012345678901234567890", f"1{'0' * 100}", "0.1"]
)
async def test_a_number_that_postgresql_spells_in_another_way_makes_no_other_request(
    http: httpx.AsyncClient, number: str
) -> None:
    """As bytes: what counts is how the caller spelled it."""
    body = contract_example(attributes=[{"key": "promotions", "value": "HERE"}])
    content = httpx.Request("POST", "http://x", json=body).content.replace(b'"HERE"', number.encode())
    headers = {"Content-Type": "application/json"}
    assert (await http.post(URL, content=content, headers=headers)).status_code == 201
    assert (await http.post(URL, content=content, headers=headers)).json()["differences"] == []


async def test_numbers_that_postgresql_spells_out_are_as_long_in_the_answer_as_they_were_sent(
    http: httpx.AsyncClient,
) -> None:
    """Otherwise 5 kB of them would be 240 kB in each answer; more is refused."""
    value = [[1e308] * 100] * 8
    created = await http.post(URL, json=contract_example(attributes=[{"key": "promotions", "value": value}]))
    assert (created.status_code, len(created.content) < 100_000) == (201, True)
    assert {one["key"]: one["value"] for one in created.json()["attributes"]}["promotions"] == value


@pytest.mark.parametrize("scheduled_at", [LATER, "2025-01-16T09:00:00Z"])
async def test_of_fifty_posts_at_once_with_one_key_one_is_created_and_the_others_are_told(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, scheduled_at: str
) -> None:
    body = contract_example(scheduled_at=scheduled_at)
    answers = await asyncio.gather(*(http.post(URL, json=body) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    (created,) = (answer for answer in answers if answer.status_code == 201)
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {problem["activity"]["id"] for problem in refused} == {created.json()["id"]}
    assert all(problem["sameRequest"] for problem in refused)
    assert await rows(service, tenant) == 1
    query = f"TenantId = '{tenant.id}'"
    async with asyncio.timeout(60):
        while (await service.temporal.count_workflows(query)).count < 1:
            await asyncio.sleep(0.05)
    assert (await service.temporal.count_workflows(query)).count == 1


async def test_a_duplicate_of_a_finished_one_starts_no_run(service: Service, http: httpx.AsyncClient) -> None:
    body = contract_example()
    created = await http.post(URL, json=body)
    run = service.temporal.get_workflow_handle(created.json()["workflow"]["id"])
    assert await run.result() == "DUE"
    assert (await http.post(URL, json=body)).status_code == 409
    described = await service.temporal.get_workflow_handle(run.id).describe()
    assert described.run_id == created.json()["workflow"]["runId"]


async def test_postgresql_remembers_a_key_that_temporal_has_forgotten_and_says_so_before_anything_else(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    body = contract_example()
    created = await http.post(URL, json=body)
    location = created.headers["Location"]
    await until(http, location, "DUE")
    workflow_id = created.json()["workflow"]["id"]
    await forget(service.temporal, workflow_id)
    repeated = await http.post(URL, json=body)
    assert (repeated.status_code, repeated.json()["sameRequest"]) == (409, True)
    assert repeated.headers["Location"] == location
    impossible = body | {"commerce_id": str(uuid4()), "reason": "no such reason"}
    other = await http.post(URL, json=impossible)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_exists")
    assert {one["pointer"] for one in other.json()["differences"]} == {"/commerce_id", "/reason"}
    assert await rows(service, tenant) == 1
    described = await service.temporal.get_workflow_handle(workflow_id).describe()
    assert described.search_attributes["ActivityStatus"] == ["REJECTED"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"commerce_id": str(uuid4())}, 404),
        ({"reason": "no such reason"}, 400),
        ({"attribute_keys": ["no_such_key"]}, 400),
        ({"score": "5"}, 400),
    ],
)
async def test_an_attempt_that_failed_leaves_its_key_usable(
    http: httpx.AsyncClient, wrong: dict[str, Any], status: int
) -> None:
    body = contract_example()
    for _ in range(2):
        assert (await http.post(URL, json=body | wrong)).status_code == status
    assert (await http.post(URL, json=body)).status_code == 201


@pytest.mark.parametrize("key", ["clave única ✓", "a/b?c#d%20", "sha256:abc", "x" * 200, "😀" * 200, "a b", "..", "%"])
async def test_a_key_of_any_characters_is_kept_and_found_again(http: httpx.AsyncClient, key: str) -> None:
    body = contract_example(idempotency_key=key, scheduled_at=LATER)
    created = await http.post(URL, json=body)
    assert (created.status_code, created.json()["idempotencyKey"]) == (201, key)
    assert (await http.post(URL, json=body)).json()["sameRequest"] is True
    listed = (await http.get(URL, params={"idempotency_key": key})).json()["data"]
    assert [one["id"] for one in listed] == [created.json()["id"]]


async def test_keys_that_look_alike_are_different(http: httpx.AsyncClient) -> None:
    keys = [f"{uuid4()}-{end}" for end in ("e", "E", "é", "e\u0301", "e ё")]
    answers = [await http.post(URL, json=contract_example(idempotency_key=key)) for key in keys]
    assert [answer.status_code for answer in answers] == [201] * len(keys)


async def test_a_duplicate_of_one_that_is_still_resolving_is_told_that_nothing_is_decided(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example(score=1)
            accepted = await http.post(URL, json=body)
            assert (accepted.status_code, accepted.json()["status"]) == (202, "RESOLVING")
            same, other = await http.post(URL, json=body), await http.post(URL, json=body | {"score": 2})
    for answer in (same, other):
        assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
        assert answer.headers["Location"] == accepted.headers["Location"]
        assert answer.json()["decided"] is False
        assert answer.json()["activity"] == accepted.json()
    assert (same.json()["sameRequest"], same.json()["differences"]) == (True, [])
    assert other.json()["differences"] == [{"pointer": "/score", "stored": 1, "sent": 2}]


async def test_a_later_move_changes_nothing_in_what_a_duplicate_is_compared_with(
    http: httpx.AsyncClient,
) -> None:
    body = contract_example(scheduled_at=LATER)
    created = await http.post(URL, json=body)
    moved = await http.patch(created.headers["Location"], json={"scheduled_at": from_now(days=9)})
    assert moved.status_code == 200, moved.text
    repeated = (await http.post(URL, json=body)).json()
    assert (repeated["sameRequest"], repeated["activity"]["scheduledAt"]) == (True, moved.json()["scheduledAt"])


async def test_a_run_that_is_lost_before_it_wrote_its_row_leaves_its_key_usable(
    postgres: Postgres, temporal: Client
) -> None:
    """Terminate the run while there is no worker: GET must not promise an activity that will never exist."""
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example()
            accepted = await http.post(URL, json=body)
            activity_id = UUID(accepted.json()["id"])
            run = service.temporal.get_workflow_handle(f"{tenant.id}:{body['idempotency_key']}")
            await until_listed(http, accepted.headers["Location"])
            await run.terminate("lost")
            async with asyncio.timeout(60):
                while (gone := await http.get(accepted.headers["Location"])).status_code == 200:
                    await asyncio.sleep(0.05)
            assert (gone.status_code, gone.json()["code"]) == (404, "activity_not_found")
            async with work(service):
                again = await http.post(URL, json=body)
                assert again.status_code in {201, 202}
                assert UUID(again.json()["id"]) != activity_id
                await until(http, again.headers["Location"], "DUE")
