"""Test that an erasure leaves no personal data in rows, answers and Temporal, and that what stays says why."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, select, text
from temporalio.testing import ActivityEnvironment

from activities_impl.bulk_operations import BulkOperations
from api.http.auth import Permission
from db.bulk_operations import claim_statement
from db.erasure import NO_ONE
from db.models import CommerceUser, ScheduledActivity, Table
from db.removal import remove_activities
from embedded.postgres import Postgres
from runs.ask import describe_run
from runs.bulk_recovery import finish_operation
from runs.client import workflow_id
from runs.lead import Lead
from tests.support.activities import activate, created, unresolved
from tests.support.builders import COMMERCE_ID, LONG_AGO, Tenant, contract_example
from tests.support.bulk import ended
from tests.support.hand_off import claim
from tests.support.locks import row_locked, until_blocked
from tests.support.reconciliation import run_of
from tests.support.removal import closed, completed
from tests.support.service import Service, until
from workflows.bulk import BulkChange, BulkOperation, BulkState, BulkVerb, Chunk, ChunkDone, Finish
from workflows.messages import ActivityFilter
from workflows.words import RemovalCause

URL = "/api/activities"
COMMERCE = f"/api/commerces/{COMMERCE_ID}"
WORDS = ("Tienda Uno", "Calle 1", "store-1", "Name of OWNER", "+5491100000001", "owner@example.com", "SECRET")


def user_url(user_id: UUID) -> str:
    return f"{COMMERCE}/users/{user_id}/personal-data"


async def erased(http: httpx.AsyncClient, url: str, **query: Any) -> dict[str, Any]:
    """Erase, and return the operation once it has ended."""
    answer = await http.delete(url, params=query)
    assert answer.status_code == 202, answer.text
    assert answer.json()["verb"] == "erase"
    return await ended(http, answer.headers["Location"])


async def stored_words(service: Service, tenant: Tenant) -> dict[str, list[str]]:
    """List the words that callers have written and that a row of the tenant still has, by table."""
    found: dict[str, list[str]] = {}
    async with service.database.autocommit.connect() as connection:
        for table in Table.metadata.sorted_tables:
            rows = text(f"SELECT t::text FROM {table.name} t WHERE tenant_id = :tenant")  # noqa: S608 - our own names
            written = "\n".join((await connection.execute(rows, {"tenant": tenant.id})).scalars())
            found[table.name] = [word for word in WORDS if word in written]
    return {name: words for name, words in found.items() if words}


async def is_known(service: Service, tenant: Tenant, key: str) -> bool:
    """Return whether Temporal knows a run of the key, once it has had the time to forget it."""
    for _ in range(600):
        if await describe_run(service.temporal, workflow_id(tenant.id, key)) is None:
            return False
        await asyncio.sleep(0.1)
    return True


def with_secrets(**changes: Any) -> dict[str, Any]:
    return {
        "assignment_reason": "SECRET debt",
        "attributes": [{"key": "promotions", "value": {"note": "SECRET offer"}}],
        "attribute_keys": ["commerce_info"],
    } | changes


async def secret_result(http: httpx.AsyncClient) -> dict[str, Any]:
    activity, _ = await completed(
        http,
        provider_activity_id="SECRET-7",
        raw_payload={"heard": "SECRET call"},
        task_result={"result": "x", "comment": "SECRET comment", "payload": {"a": "SECRET"}},
    )
    return activity


async def test_an_erasure_of_a_commerce_leaves_none_of_its_words_in_any_row_and_no_run(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    known = {"tax_id": "SECRET-1", "metadata": {"note": "SECRET"}}
    assert (await http.patch(COMMERCE, json=known)).is_success
    done = await secret_result(http)
    canceled = await closed(service, http, **with_secrets())
    open_one, due = await created(http, **with_secrets()), await created(http, scheduled_at=LONG_AGO)
    await until(http, f"{URL}/{due['id']}", "DUE")
    rejected = contract_example(**with_secrets(reason="SECRET reason"))
    assert (await http.post(URL, json=rejected)).json()["code"] == "unknown_reason"
    entry = {"user_external_id": "owner", "channel": "EMAIL", "contacted_at": LONG_AGO}
    assert (await http.put(f"{COMMERCE}/contact-log", json={"entries": [entry]})).is_success
    assert len(await stored_words(service, tenant)) > 3
    operation = await erased(http, f"{COMMERCE}/personal-data", cancel_open=True)
    assert (operation["state"], operation["counts"]["applied"], operation["total"]) == ("COMPLETED", 4, 4)
    assert await stored_words(service, tenant) == {}
    activities = (done, canceled, open_one, due)
    for activity in activities:
        gone = await http.get(f"{URL}/{activity['id']}")
        assert (gone.status_code, gone.json()["cause"]) == (410, "ERASURE")
        assert "because personal data was erased" in gone.json()["detail"]
        assert not await is_known(service, tenant, activity["idempotencyKey"])
    again = await http.post(URL, json=contract_example(**with_secrets(idempotency_key=canceled["idempotencyKey"])))
    assert (again.status_code, again.json()["code"], again.json()["activity"]) == (409, "idempotency_key_exists", None)
    assert not any(word in again.text for word in WORDS)
    assert (await http.get(URL)).json()["data"] == []
    reads = [await http.get(url) for url in (COMMERCE, f"{COMMERCE}/users", f"{COMMERCE}/contact-log")]
    assert [answer.status_code for answer in reads] == [404] * 3
    assert (await http.get("/api/commerces")).json()["data"] == []
    assert (await http.patch(COMMERCE, json={"name": "again"})).status_code == 404
    new = await http.post(URL, json=contract_example())
    assert (new.status_code, new.json()["code"]) == (404, "commerce_not_found")


async def test_the_runs_of_rejected_creations_of_an_erased_commerce_are_deleted(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    rejected = contract_example(**with_secrets(reason="SECRET reason"))
    assert (await http.post(URL, json=rejected)).status_code == 400
    query = f"CommerceId = '{COMMERCE_ID}' AND TenantId = '{tenant.id}' AND ExecutionStatus = 'Failed'"
    async with asyncio.timeout(60):
        while not (await service.temporal.count_workflows(query)).count:
            await asyncio.sleep(0.05)
    await erased(http, f"{COMMERCE}/personal-data")
    assert not await is_known(service, tenant, rejected["idempotency_key"])


async def test_open_activities_are_409_with_their_number_unless_they_may_be_cancelled(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await closed(service, http)
    for _ in range(2):
        await created(http, target_criteria=[{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}])
    for url in (f"{COMMERCE}/personal-data", user_url(tenant.owner_id)):
        for query in ({}, {"cancel_open": False}):
            answer = await http.delete(url, params=query)
            assert (answer.status_code, answer.json()["code"]) == (409, "activities_open"), answer.text
            assert answer.json()["open"] == 2
            assert "2 of its activities are open" in answer.json()["detail"]
    assert (await http.get(COMMERCE)).json()["name"] == "Tienda Uno"
    assert (await http.get("/api/operations", params={"verb": "erase"})).json()["data"] == []
    assert (await http.get("/api/audit", params={"resource": "PERSONAL_DATA"})).json()["data"] == []


async def test_an_erasure_of_a_user_removes_what_is_aimed_at_the_person_and_leaves_the_others(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    to_owner = [{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}]
    to_rep = [{"type": "ROLE_MATCH", "config": {"role": "COMMERCE_REP"}}]
    mine = await created(http, target_criteria=to_owner)
    other = await created(http, target_criteria=to_rep)
    entries = [
        {"user_external_id": name, "channel": "EMAIL", "contacted_at": LONG_AGO} for name in ("owner", "commerce_rep")
    ]
    assert (await http.put(f"{COMMERCE}/contact-log", json={"entries": entries})).is_success
    explained = await http.get(f"{URL}/{other['id']}/explanation")
    assert str(tenant.owner_id) in explained.text
    refused = await http.delete(user_url(tenant.owner_id))
    assert (refused.status_code, refused.json()["open"]) == (409, 1)
    operation = await erased(http, user_url(tenant.owner_id), cancel_open=True)
    assert (operation["counts"]["applied"], operation["commerceUserId"]) == (1, str(tenant.owner_id))
    assert (await http.get(f"{URL}/{mine['id']}")).status_code == 410
    assert not await is_known(service, tenant, mine["idempotencyKey"])
    now = await http.get(f"{URL}/{other['id']}")
    assert (now.status_code, now.json()["status"]) == (200, "READY")
    assert str(tenant.owner_id) not in (await http.get(f"{URL}/{other['id']}/explanation")).text
    users = (await http.get(f"{COMMERCE}/users")).json()
    assert {one["externalId"] for one in users["data"]} == {"commerce_rep", "finance"}
    log = (await http.get(f"{COMMERCE}/contact-log")).json()["data"]
    assert [one["userExternalId"] for one in log] == ["commerce_rep"]
    gone = {"commerce_user_id": str(tenant.owner_id), "channel": "EMAIL", "contacted_at": LONG_AGO}
    refused = await http.put(f"{COMMERCE}/contact-log", json={"entries": [gone]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/entries/0/commerce_user_id")
    kept = {word for words in (await stored_words(service, tenant)).values() for word in words}
    assert "Name of OWNER" not in kept
    await run_of(service, tenant, other).execute_update("refresh")
    assert (await http.post(f"{COMMERCE}/users", json={"external_id": "owner", "name": "Another"})).status_code == 201


async def test_a_change_that_comes_during_the_erasure_of_its_user_finds_no_user(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, postgres: Postgres
) -> None:
    user = f"{COMMERCE}/users/{tenant.owner_id}"
    entry = {"commerce_user_id": str(tenant.owner_id), "channel": "EMAIL", "contacted_at": LONG_AGO}
    async with row_locked(service, {"id": str(tenant.owner_id)}, CommerceUser.id):
        erasure = asyncio.create_task(http.delete(user_url(tenant.owner_id)))
        await until_blocked(postgres, service)
        changes = asyncio.gather(
            http.patch(user, json={"name": "Another"}),
            http.post(f"{user}/roles", json={"role": "ADMIN"}),
            http.put(f"{COMMERCE}/contact-log", json={"entries": [entry]}),
        )
        await until_blocked(postgres, service, statements=4)
    accepted, refused = await erasure, await changes
    assert [one.status_code for one in (accepted, *refused)] == [202, 404, 404, 400]
    await ended(http, accepted.headers["Location"])


async def test_an_erased_user_is_in_no_reason_of_other_activities(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """Reasons name users by their ids: of the user who was lost, and of all who were tried."""
    lost = await created(http, scheduled_at=LONG_AGO)
    await until(http, f"{URL}/{lost['id']}", "DUE")
    user = f"{COMMERCE}/users/{tenant.representative_id}"
    assert (await http.patch(user, json={"is_active": False})).is_success
    assert await claim(http) == []
    assert (await http.patch(f"{URL}/{lost['id']}/retry-resolution")).status_code == 200
    open_one = await unresolved(service, http, tenant)
    before = await http.get(f"{URL}/{open_one['id']}")
    assert str(tenant.representative_id) in before.json()["statusReason"]
    await erased(http, f"{user}/personal-data")
    after = await http.get(f"{URL}/{open_one['id']}")
    assert after.json()["statusReason"] == before.json()["statusReason"].replace(str(tenant.representative_id), NO_ONE)
    assert after.headers["ETag"] != before.headers["ETag"]
    for one in (lost, open_one):
        for path in ("", "/status-events", "/explanation"):
            assert str(tenant.representative_id) not in (await http.get(f"{URL}/{one['id']}{path}")).text
    await activate(service, tenant, tenant.owner_id)
    retried = await http.patch(f"{URL}/{open_one['id']}/retry-resolution")
    assert (retried.status_code, retried.json()["status"]) == (200, "READY"), retried.text
    assert "RESTORED" not in (await http.get(f"{URL}/{open_one['id']}/status-events")).text


async def test_a_repetition_is_harmless_and_erases_what_is_left(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http, scheduled_at=LONG_AGO)
    await until(http, f"{URL}/{activity['id']}", "DUE")
    (held,) = await claim(http)
    first = await erased(http, f"{COMMERCE}/personal-data", cancel_open=True)
    assert (first["counts"]["refused"], first["items"]["data"][0]["code"]) == (1, "wrong_status")
    assert (await http.get(f"{URL}/{activity['id']}")).json()["status"] == "DISPATCHED"
    result = {"activity_id": held["id"], "status": "COMPLETED", "occurred_at": LONG_AGO}
    assert (await http.post("/api/activity-results/tasks", json=result)).status_code == 201
    second = await erased(http, f"{COMMERCE}/personal-data")
    assert second["counts"]["applied"] == 1
    third = await erased(http, f"{COMMERCE}/personal-data")
    assert (third["state"], third["total"]) == ("COMPLETED", 0)
    assert await stored_words(service, tenant) == {}
    assert (await erased(http, user_url(tenant.owner_id)))["total"] == 0


async def test_an_operation_id_starts_nothing_twice_and_belongs_to_one_request(http: httpx.AsyncClient) -> None:
    operation_id = str(uuid4())
    url = f"{COMMERCE}/personal-data"
    first, second = [await http.delete(url, params={"operation_id": operation_id}) for _ in range(2)]
    assert [one.headers["Location"] for one in (first, second)] == [f"/api/operations/{operation_id}"] * 2
    other = await http.delete(url, params={"operation_id": operation_id, "cancel_open": True})
    assert (other.status_code, other.json()["code"]) == (409, "operation_id_exists")
    await ended(http, first.headers["Location"])


async def test_the_audit_says_who_has_erased_whom_without_the_data(tenant: Tenant, http: httpx.AsyncClient) -> None:
    await erased(http, user_url(tenant.owner_id))
    operation = await erased(http, f"{COMMERCE}/personal-data")
    entries = (await http.get("/api/audit", params={"resource": "PERSONAL_DATA"})).json()["data"]
    assert [one["resourceKey"] for one in entries] == [str(COMMERCE_ID), str(tenant.owner_id)]
    assert [one["actor"] for one in entries] == ["tester"] * 2
    assert entries[0]["before"] is None
    assert entries[0]["after"] == {
        "commerce_id": str(COMMERCE_ID),
        "commerce_user_id": None,
        "cancel_open": False,
        "operation_id": operation["id"],
    }
    assert not any(word in json.dumps(entries) for word in WORDS)


async def test_only_a_caller_with_the_permission_erases_and_only_what_is_the_tenants(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    urls = (f"{COMMERCE}/personal-data", user_url(tenant.owner_id))
    others = [one for one in Permission if one is not Permission.ERASE_PERSONAL_DATA]
    async with service.client(tenant.id, *others) as client:
        for url in urls:
            answer = await client.delete(url)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    unknown = await http.delete(f"/api/commerces/{uuid4()}/personal-data")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "commerce_not_found")
    nobody = await http.delete(user_url(uuid4()))
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
    stranger = await service.tenant()
    async with service.client(stranger.id) as client:
        assert (await client.delete(user_url(tenant.owner_id))).status_code == 404
    wrong = await http.delete(urls[0], params={"cancel": True})
    assert wrong.status_code == 400
    assert (await http.get(COMMERCE)).status_code == 200


async def test_an_activity_that_is_created_during_an_erasure_is_erased_too(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """A creation may have read the commerce before the erasure, and write its row afterwards."""
    first = await closed(service, http)
    operation = BulkOperation(
        id=uuid4(),
        tenant_id=tenant.id,
        filter=ActivityFilter(commerce_id=COMMERCE_ID),
        change=BulkChange(verb=BulkVerb.ERASE, reason="r"),
        actor="tester",
    )
    steps, step = BulkOperations(service.temporal, service.database, Lead(0)), ActivityEnvironment()
    await step.run(steps.collect, operation)
    rows = ScheduledActivity.__table__
    async with service.database.transactions.begin() as connection:
        row = await connection.execute(select(rows).where(rows.c.id == UUID(first["id"])))
        late = dict(row.mappings().one()) | {"id": uuid4(), "idempotency_key": "late"}
        await connection.execute(insert(ScheduledActivity).values(**late))
    chunk = Chunk(tenant_id=tenant.id, id=operation.id, after=0, size=10, per_second=100)
    assert await step.run(steps.change_some, chunk) == ChunkDone(after=1)
    assert await step.run(steps.change_some, chunk.model_copy(update={"after": 1})) == ChunkDone(after=None, pending=0)
    assert [(await http.get(f"{URL}/{one}")).status_code for one in (first["id"], late["id"])] == [410, 410]


@pytest.mark.parametrize("is_removed", [False, True])
async def test_an_item_that_was_begun_and_has_no_outcome_is_settled_by_its_row(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, *, is_removed: bool
) -> None:
    """The worker has died after it cancelled the activity, or after it removed it."""
    activity = await created(http)
    operation = BulkOperation(
        id=uuid4(),
        tenant_id=tenant.id,
        filter=ActivityFilter(commerce_id=COMMERCE_ID),
        change=BulkChange(verb=BulkVerb.ERASE, reason="r", cancel_open=True),
        actor="tester",
    )
    await ActivityEnvironment().run(BulkOperations(service.temporal, service.database, Lead(0)).collect, operation)
    chunk = Chunk(tenant_id=tenant.id, id=operation.id, after=0, size=10, per_second=100)
    async with service.database.autocommit.connect() as connection:
        assert (await connection.execute(claim_statement(chunk, 1))).scalar_one() == 1
    assert (await http.post(f"{URL}/{activity['id']}/cancel", json={"reason": "r"})).status_code == 200
    if is_removed:
        async with service.database.transactions.begin() as connection:
            await remove_activities(connection, tenant.id, [UUID(activity["id"])], RemovalCause.ERASURE)
    answer = await http.post(f"/api/operations/{operation.id}/stop")
    assert answer.status_code == 202
    finish = Finish(tenant_id=tenant.id, id=operation.id, state=BulkState.STOPPED)
    assert await finish_operation(service.temporal, service.database, finish) is BulkState.STOPPED
    counts = (await http.get(f"/api/operations/{operation.id}")).json()["counts"]
    assert (counts["applied"], counts["pending"]) == ((1, 0) if is_removed else (0, 1))
