"""Test the queue of a tenant's bulk operations: few run, the others wait in their order, and none is lost."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from temporalio.client import Client

from db.quotas import quota_statement
from embedded.postgres import Postgres
from runs.bulk_queue import accept_operation
from runs.client import BULK_TASK_QUEUE
from tests.integration.operating.test_poisoned_rounds import step_of
from tests.support.builders import Tenant
from tests.support.bulk import ACTIVITIES, begun, campaign, ended, statuses
from tests.support.deployed import deployed_worker
from tests.support.service import Service
from tests.support.worlds import idle_service, work
from workflows.bulk import BulkChange, BulkOperation, BulkState, BulkVerb, bulk_workflow_id
from workflows.findings import Finding, Page
from workflows.messages import ActivityFilter
from workflows.tenant_limits import QUEUED_OPERATIONS, RUNNING_OPERATIONS, Quota
from workflows.words import Channel

MOVE = {"shift_seconds": 60, "per_second": 100}
MOST_RUNNING = RUNNING_OPERATIONS.default or 0
MANY = 16


async def begin_many(http: httpx.AsyncClient, number: int, **body: Any) -> list[dict[str, Any]]:
    """Begin operations one after the other; return the answers."""
    paths = [await begun(http, "reschedule", **MOVE | body) for _ in range(number)]
    return [(await http.get(path)).json() for path in paths]


def path_of(operation: dict[str, Any]) -> str:
    return f"/api/operations/{operation['id']}"


async def read(http: httpx.AsyncClient, operations: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """Return the state and the place of each operation."""
    found = [(await http.get(path_of(one))).json() for one in operations]
    return [(one["state"], one["queuePosition"]) for one in found]


async def set_quota(service: Service, tenant: Tenant, quota: Quota, value: int) -> None:
    async with service.database.autocommit.connect() as connection:
        await connection.execute(quota_statement(tenant.id, quota.name, value))


def most_at_once(operations: list[dict[str, Any]]) -> int:
    """Return how many operations ran at the same time at most, by the times in their rows."""
    changes = [(one["finished_at"], -1) for one in operations] + [(one["started_at"], 1) for one in operations]
    running, most = 0, 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


async def rows(service: Service, tenant: Tenant) -> list[dict[str, Any]]:
    """Return the tenant's operations in the order of acceptance."""
    query = "SELECT * FROM bulk_operations WHERE tenant_id = :tenant ORDER BY created_at"
    async with service.database.autocommit.connect() as connection:
        found = await connection.execute(text(query), {"tenant": tenant.id})
        return [dict(row) for row in found.mappings()]


async def test_of_many_operations_at_once_few_run_and_all_end_in_the_order_of_acceptance(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await campaign(http, 2)
    paths = await asyncio.gather(*(begun(http, "reschedule", **MOVE) for _ in range(MANY)))
    for path in paths:
        operation = await ended(http, path)
        assert (operation["state"], operation["counts"]["applied"]) == ("COMPLETED", 2)
    written = await rows(service, tenant)
    assert len(written) == MANY
    assert most_at_once(written) == MOST_RUNNING
    started = [one["started_at"] for one in written]
    assert started == sorted(started)


async def test_a_queued_operation_shows_its_place_and_stops_at_once(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                activities = await campaign(http, 1)
            operations = await begin_many(http, 4)
            collecting = [("COLLECTING", None)] * 2
            assert await read(http, operations) == [*collecting, ("QUEUED", 1), ("QUEUED", 2)]
            assert operations[2]["total"] is operations[2]["startedAt"] is None
            answer = await http.post(f"{path_of(operations[2])}/stop")
            assert (answer.status_code, answer.json()["state"]) == (200, "STOPPED")
            assert answer.json()["finishedAt"]
            assert await read(http, operations) == [*collecting, ("STOPPED", None), ("QUEUED", 1)]
            async with work(service):
                for one in (operations[0], operations[1], operations[3]):
                    assert (await ended(http, path_of(one)))["state"] == "COMPLETED"
            stopped = (await http.get(path_of(operations[2]))).json()
            assert (stopped["state"], stopped["total"], stopped["startedAt"]) == ("STOPPED", 0, None)
            events = (await http.get(f"{ACTIVITIES}/{activities[0]['id']}/status-events")).json()["data"]
            assert [event["eventType"] for event in events] == ["CREATED"] + ["RESCHEDULED"] * 3


async def test_an_operation_begins_although_another_tenant_has_many_waiting(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        first, second = await service.tenant(), await service.tenant()
        async with service.client(first.id) as busy, service.client(second.id) as http:
            async with work(service):
                await campaign(http, 1)
            waiting = await begin_many(busy, 10)
            (operation,) = await begin_many(http, 1)
            assert operation["state"] == "COLLECTING"
            run = service.temporal.get_workflow_handle(bulk_workflow_id(second.id, UUID(operation["id"])))
            assert (await run.describe()).task_queue == BULK_TASK_QUEUE
            async with work(service):
                assert (await ended(http, path_of(operation)))["state"] == "COMPLETED"
                assert (await ended(busy, path_of(waiting[-1])))["state"] == "COMPLETED"


async def test_a_change_that_waits_for_its_run_holds_up_no_other_tenants_operation(
    postgres: Postgres, service: Service, http: httpx.AsyncClient
) -> None:
    (activity,) = await campaign(http, 1)
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        await campaign(theirs, 1)
        with postgres.connect("service") as connection, connection.transaction():
            connection.execute("SELECT FROM scheduled_activities WHERE id = %s FOR NO KEY UPDATE", [activity["id"]])
            mine = await begun(http, "reschedule", **MOVE)
            async with asyncio.timeout(60):
                while (await http.get(mine)).json()["state"] != "RUNNING":
                    await asyncio.sleep(0.05)
            operation = await ended(theirs, await begun(theirs, "reschedule", **MOVE))
            assert operation["counts"]["applied"] == 1
            assert (await http.get(mine)).json()["counts"]["applied"] == 0
        counts = (await ended(http, mine))["counts"]
        assert counts["applied"] + counts["accepted"] == 1


async def test_a_killed_worker_loses_no_queued_operation(postgres: Postgres, temporal: Client, tmp_path: Path) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                await campaign(http, 4)
            with deployed_worker(service, tmp_path) as worker:
                operations = await begin_many(http, 5, per_second=2)
                async with asyncio.timeout(120):
                    while (await http.get(path_of(operations[0]))).json()["counts"]["applied"] == 0:
                        await asyncio.sleep(0.05)
                worker.process.kill()
            async with work(service):
                for one in operations:
                    operation = await ended(http, path_of(one))
                    assert (operation["state"], operation["counts"]["applied"]) == ("COMPLETED", 4)
        assert most_at_once(await rows(service, tenant)) <= MOST_RUNNING


async def test_an_operation_whose_api_died_before_it_started_the_run_is_begun_by_reconciliation(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        operation = BulkOperation(
            id=uuid4(),
            tenant_id=tenant.id,
            filter=ActivityFilter(channel=Channel.SMS),
            change=BulkChange(verb=BulkVerb.CANCEL, reason="a mistake"),
            actor="tester",
        )
        accepted = await accept_operation(service.database, operation)
        assert accepted
        assert accepted.begun == [operation.id]
        found = await step_of(service, "settle_operations", Page())
        assert found.examples == {Finding.OPERATION_RESUMED: (str(operation.id),)}
        async with service.client(tenant.id) as http, work(service):
            done = await ended(http, f"/api/operations/{operation.id}")
            assert (done["state"], done["actor"]) == ("COMPLETED", "tester")


async def test_a_slot_that_a_stop_has_freed_is_given_to_the_next_by_reconciliation(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            operations = await begin_many(http, 4)
            answers = await asyncio.gather(*(http.post(f"{path_of(one)}/stop") for one in operations[:2]))
            assert [(one.status_code, one.json()["state"]) for one in answers] == [(200, "STOPPED")] * 2
            found = await step_of(service, "settle_operations", Page())
            assert found.examples == {Finding.OPERATION_BEGUN: (str(tenant.id),)}
            assert await read(http, operations[2:]) == [("COLLECTING", None)] * 2
            assert (await step_of(service, "settle_operations", Page())).examples == {}


async def test_one_more_than_may_wait_is_refused_with_the_way_out(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        await set_quota(service, tenant, RUNNING_OPERATIONS, 1)
        await set_quota(service, tenant, QUEUED_OPERATIONS, 2)
        async with service.client(tenant.id) as http:
            operations = await begin_many(http, 3)
            assert await read(http, operations) == [("COLLECTING", None), ("QUEUED", 1), ("QUEUED", 2)]
            body = {"filter": {"channel": "SMS"}, "reason": "a mistake", **MOVE}
            mine = body | {"operation_id": str(uuid4())}
            refused = await http.post(f"{ACTIVITIES}/reschedule", json=mine)
            assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
            assert int(refused.headers["Retry-After"]) > 0
            for word in ("queued_operations", "GET /api/quotas", "stop some"):
                assert word in refused.json()["detail"]
            assert (await http.get(f"/api/operations/{mine['operation_id']}")).status_code == 404
            again = body | {"operation_id": operations[1]["id"]}
            assert (await http.post(f"{ACTIVITIES}/reschedule", json=again)).status_code == 202
            await http.post(f"{path_of(operations[1])}/stop")
            accepted = await http.post(f"{ACTIVITIES}/reschedule", json=mine)
            assert (accepted.status_code, accepted.json()["queuePosition"]) == (202, 2)


async def test_an_operation_that_this_version_can_not_read_is_rejected_and_holds_up_no_other(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await campaign(http, 1)
    await set_quota(service, tenant, RUNNING_OPERATIONS, 1)
    insert = text(
        "INSERT INTO bulk_operations (tenant_id, id, verb, change, filter, actor, per_second, state)"
        " VALUES (:tenant, :id, 'cancel', :change, '{\"channel\": \"FAX\"}', 'x', 20, 'QUEUED')"
    )
    unreadable = uuid4()
    async with service.database.transactions.begin() as connection:
        change = '{"verb": "cancel", "reason": "x"}'
        await connection.execute(insert, {"tenant": tenant.id, "id": unreadable, "change": change})
    operation = await begun(http, "reschedule", **MOVE)
    rejected = (await http.get(f"/api/operations/{unreadable}")).json()
    assert (rejected["state"], "can't be read by this version" in rejected["detail"]) == ("REJECTED", True)
    await step_of(service, "settle_operations", Page(grace_seconds=0))
    assert (await ended(http, operation))["state"] == "COMPLETED"


async def test_many_at_the_same_time_fill_the_queue_exactly(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        await set_quota(service, tenant, QUEUED_OPERATIONS, 3)
        async with service.client(tenant.id) as http:
            body = {"filter": {"channel": "SMS"}, "reason": "a mistake", **MOVE}
            answers = await asyncio.gather(*(http.post(f"{ACTIVITIES}/reschedule", json=body) for _ in range(12)))
            assert sorted(one.status_code for one in answers) == [202] * 5 + [429] * 7
            assert sorted(one.json()["queuePosition"] or 0 for one in answers if one.status_code == 202) == [
                0,
                0,
                1,
                2,
                3,
            ]


async def test_a_stop_is_answered_while_the_activities_are_being_chosen(
    postgres: Postgres, service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    (activity,) = await campaign(http, 1)
    with postgres.connect("service") as connection, connection.transaction():
        connection.execute("LOCK TABLE bulk_operation_items IN SHARE MODE")
        operation = await begun(http, "cancel")
        answer = await http.post(f"{operation}/stop")
        assert (answer.status_code, answer.json()["state"]) == (200, "STOPPED")
    run = service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, UUID(operation[-36:])))
    assert await run.result() == BulkState.STOPPED
    assert (await http.get(operation)).json()["total"] == 0
    assert await statuses(http, [activity]) == ["READY"]
