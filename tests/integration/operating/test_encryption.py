"""Test that Temporal stores nothing that callers wrote but keys, and that a missing key fails no run."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError

from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import workflow_id
from runs.key_ring import KeyRing
from runs.payloads import find_payloads, read_key_id
from tests.conftest import FORGETTING_AT_ONCE
from tests.integration.operating.test_temporal_ui import pending
from tests.support.activities import activate, created, unresolved
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.bulk import ended
from tests.support.encryption import BOTH_RING, NEW_RING, OLD_RING, find_words, with_keys
from tests.support.locks import locked_before_mark
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import new_database, new_namespace

CALLER = "maria.hernandez@example.com"
WORDS = [
    CALLER,
    "Monthly promotion",
    "Promocion Mensual",
    "Tienda Uno",
    "Calle 1",
    "ask for the manager",
    "two for one",
    "three for two",
    "the campaign is over",
    "all of these are wrong",
    "Reason without a meaning",
    "No user was found",
]
"""Words that callers and tenants have written, and that errors have quoted of it; long ones, as bytes are random."""
PATH = "/api/activities"


async def write_every_word(service: Service, tenant: Tenant) -> list[str]:
    """Have every word of `WORDS` cross Temporal; return the keys."""
    async with service.client(tenant.id, subject=CALLER) as http:
        attributes = [{"key": "promotions", "value": {"text": "two for one"}, "fallback": "three for two"}]
        texts = {"assignment_reason": "ask for the manager", "attributes": attributes}
        activity = await created(http, **texts)
        url = f"{PATH}/{activity['id']}"
        (await http.patch(url, json={"scheduled_at": from_now(hours=2)})).raise_for_status()
        (await http.post(f"{url}/cancel", json={"reason": "the campaign is over"})).raise_for_status()
        refused = await http.post(PATH, json=contract_example(reason="Reason without a meaning"))
        assert refused.status_code == 400, refused.text
        due = await created(http, scheduled_at=from_now(seconds=1))
        await until(http, f"{PATH}/{due['id']}", "DUE")
        troubled = await in_trouble(service, tenant, http)
        await cancel_many(http)
        waiting = await unresolved(service, http, tenant)
        await activate(service, tenant, tenant.owner_id)
        (await http.patch(f"{PATH}/{waiting['id']}/retry-resolution")).raise_for_status()
        return [one["idempotencyKey"] for one in (activity, due, troubled, waiting)]


async def in_trouble(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> dict[str, Any]:
    """Mark an activity by a visible step, which has failed before."""
    async with locked_before_mark(service, http, seconds=1) as (activity, _):
        await pending(service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"])))
    await until(http, f"{PATH}/{activity['id']}", "DUE")
    return activity


async def cancel_many(http: httpx.AsyncClient) -> None:
    await created(http)
    body = {"filter": {"reason": "monthly_promotion", "status": ["READY"]}, "reason": "all of these are wrong"}
    operation = (await http.post(f"{PATH}/cancel", json=body)).raise_for_status().json()
    async with asyncio.timeout(60):
        while (await http.get(f"/api/operations/{operation['id']}")).json()["state"] != "COMPLETED":
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("keys", [None, NEW_RING], ids=["without keys", "with keys"])
async def test_temporals_database_holds_of_what_callers_wrote_the_keys_alone(
    postgres: Postgres, tmp_path: Path, keys: KeyRing | None
) -> None:
    """Without encryption the search finds the words, so that it would find those which encryption or erasure leave."""
    database, forgetting = tmp_path / "temporal" / "temporal.db", DYNAMIC_CONFIG | FORGETTING_AT_ONCE
    with running_temporal(database=database, dynamic_config=forgetting) as server:
        client = await temporal_client(server.address, keys=keys)
        async with running_service(new_database(postgres), client) as service:
            tenant = await service.tenant()
            written = await write_every_word(service, tenant)
            if keys is None:
                assert set(words_in_rows(database)) == set(WORDS)
                await erase(service, tenant)
                async with asyncio.timeout(60):  # Temporal deletes runs in the background
                    while set(words_in_rows(database)) - OF_BULK_OPERATIONS:
                        await asyncio.sleep(0.2)
    assert set(find_words(database.parent, written)) == set(written)
    assert keys is None or find_words(database.parent, WORDS) == {}


OF_BULK_OPERATIONS = {CALLER, "all of these are wrong"}
"""The actor and the reason of a bulk operation stay as long as its run: see `docs/security.md#erasure`."""


async def erase(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, subject="eraser") as http:
        url = f"/api/commerces/{COMMERCE_ID}/personal-data"
        answer = (await http.delete(url, params={"cancel_open": True})).raise_for_status()
        assert (await ended(http, answer.headers["Location"]))["counts"]["refused"] == 0


def words_in_rows(database: Path) -> dict[str, int]:
    """Count the words of `WORDS` in a copy of a database, which has its rows and no pages of deleted ones."""
    with TemporaryDirectory() as folder, closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (f"{folder}/copy.db",))
        return find_words(Path(folder), WORDS)


async def count_failed_tasks(run: WorkflowHandle[Any, Any]) -> int:
    events = (await run.fetch_history()).events
    return sum(one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for one in events)


async def test_a_missing_key_fails_the_task_and_the_run_goes_on_when_it_is_back(
    postgres: Postgres, temporal: Client
) -> None:
    """The API encrypts with the old key, and the worker has the new one alone at first."""
    namespace = await new_namespace(temporal)
    api = await with_keys(namespace, OLD_RING)
    settings: dict[str, Any] = {"answer_deadline_seconds": 3.0}
    async with running_service(new_database(postgres), api, work=False, **settings) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example(scheduled_at=from_now(hours=1))
            async with service.worker(await with_keys(namespace, NEW_RING)):
                accepted = await http.post(PATH, json=body)
                assert accepted.status_code == 202, accepted.text
                run = api.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
                async with asyncio.timeout(60):
                    while not await count_failed_tasks(run):
                        await asyncio.sleep(0.1)
            assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING
            async with service.worker(await with_keys(namespace, BOTH_RING)):
                await until(http, accepted.headers["Location"], "READY")
                key_ids = {
                    read_key_id(payload)
                    for event in (await run.fetch_history()).events
                    for payload in find_payloads(event)
                }
                assert {"old1", "new2"} <= key_ids


async def test_a_failed_task_does_not_say_what_it_failed_with_but_to_a_holder_of_the_key(
    postgres: Postgres, temporal: Client
) -> None:
    namespace = await new_namespace(temporal)
    api = await with_keys(namespace, OLD_RING)
    async with running_service(new_database(postgres), api, work=False, answer_deadline_seconds=1.0) as service:
        tenant = await service.tenant()
        body = contract_example()
        async with service.client(tenant.id) as http, service.worker(await with_keys(api, NEW_RING)):
            await http.post(PATH, json=body)
            run = api.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
            async with asyncio.timeout(60):
                while not await count_failed_tasks(run):
                    await asyncio.sleep(0.1)
        events = (await run.fetch_history()).events
        failed = next(one for one in events if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        failure = failed.workflow_task_failed_event_attributes.failure
        assert failure.message == "Encoded failure"
        assert failure.stack_trace == ""
        read = await (await with_keys(api, NEW_RING)).data_converter.decode_failure(failure)
        assert isinstance(read, ApplicationError)
        assert "PAYLOAD_ENCRYPTION_KEYS lacks the key 'old1'" in read.message
