"""Test the ends of bulk operations: what a stop promises, and operations whose worker or run is lost."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, select
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities_impl.bulk_operations import BulkOperations
from db import bulk_operations as statements
from db.models import ScheduledActivity
from db.rows import address
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, free_port, running_temporal
from runs.bulk_recovery import settle_operation
from runs.change import Applied, Changes, Withdrawn
from runs.client import TASK_QUEUE
from runs.lead import Lead
from tests.integration.operating.test_poisoned_rounds import NO_CHANGE
from tests.support.activities import created, marked_ahead
from tests.support.builders import Tenant, from_now
from tests.support.bulk import ACTIVITIES, applied, begun, campaign, ended, statuses, stopped
from tests.support.locks import row_locked, table_locked, until_blocked
from tests.support.service import Service, running_service, temporal_client
from tests.support.worlds import idle_service, new_database, work
from workflows.bulk import (
    BulkChange,
    BulkOperation,
    BulkState,
    BulkVerb,
    Chunk,
    ChunkDone,
    Finish,
    OperationRef,
    bulk_workflow_id,
    change_key,
)
from workflows.findings import Finding, Page, Reconcile
from workflows.messages import ActivityFilter, Apply, Reschedule
from workflows.reconciliation import ReconciliationWorkflow
from workflows.words import ActivityStatus, Channel

MOVED_BY = 600


CAMPAIGN = ActivityFilter(channel=Channel.SMS, status=(ActivityStatus.READY,))


async def collected(service: Service, tenant: Tenant, matching: ActivityFilter = CAMPAIGN) -> BulkOperation:
    """Write an operation that moves the campaign, as if its run had been lost right after it chose the items."""
    operation = BulkOperation(
        id=uuid4(),
        tenant_id=tenant.id,
        filter=matching,
        change=BulkChange(verb=BulkVerb.RESCHEDULE, reason="a mistake", shift_seconds=MOVED_BY),
        actor="tester",
        per_second=100,
    )
    await BulkOperations(service.temporal, service.database, Lead(0)).collect(operation)
    return operation


async def claim(service: Service, operation: BulkOperation, position: int) -> int | None:
    """Claim an item, as a worker does before it changes it."""
    chunk = Chunk(tenant_id=operation.tenant_id, id=operation.id, after=0, size=10, per_second=10)
    async with service.database.autocommit.connect() as connection:
        claimed: int | None = (
            await connection.execute(statements.claim_statement(chunk, position))
        ).scalar_one_or_none()
    return claimed


async def move(service: Service, operation: BulkOperation, activity: dict[str, Any]) -> Any:
    """Move an activity as the operation does in its first round; return the outcome."""
    async with service.database.autocommit.connect() as connection:
        at = (
            await connection.execute(
                select(ScheduledActivity.scheduled_at).where(address(operation.tenant_id, UUID(activity["id"])))
            )
        ).scalar_one()
    apply = Apply(
        tenant_id=operation.tenant_id,
        id=UUID(activity["id"]),
        key=change_key(operation.id, 1),
        actor="tester",
        change=Reschedule(scheduled_at=operation.change.new_time(at), reason="a mistake"),
    )
    changes = Changes(service.temporal, service.database, Lead(0))
    return await changes.carry_out(apply, activity["idempotencyKey"], ActivityStatus.READY, 20)


async def moves(http: httpx.AsyncClient, activities: list[dict[str, Any]]) -> list[int]:
    """Return how often each activity was moved."""
    trails = [(await http.get(f"{ACTIVITIES}/{one['id']}/status-events")).json()["data"] for one in activities]
    return [sum(event["eventType"] == "RESCHEDULED" for event in trail) for trail in trails]


@pytest.mark.parametrize(("verb", "how"), [("cancel", {}), ("reschedule", {"shift_seconds": MOVED_BY})])
async def test_a_stop_begins_nothing_more_and_says_stopping_until_every_change_has_an_outcome(
    postgres: Postgres, service: Service, http: httpx.AsyncClient, verb: str, how: dict[str, Any]
) -> None:
    activities = await campaign(http, 30)
    lock = "SELECT FROM scheduled_activities WHERE id = %s FOR NO KEY UPDATE"
    with postgres.connect("service") as connection, connection.transaction():
        connection.execute(lock, [activities[1]["id"]])
        operation = await begun(http, verb, per_second=2, **how)
        await applied(http, operation, 2)
        answer = await http.post(f"{operation}/stop")
        assert (answer.status_code, answer.json()["state"]) == (202, "STOPPING")
        while_stopping = answer.json()["counts"]
    final = await stopped(http, operation)
    tenant_id = UUID(http.headers["x-tenant-id"])
    assert final["state"] == "STOPPED"
    assert final["counts"]["applied"] + final["counts"]["accepted"] == while_stopping["applied"] + 1
    await service.temporal.get_workflow_handle(bulk_workflow_id(tenant_id, UUID(final["id"]))).result()
    read = (await http.get(operation)).json()
    assert (read["state"], read["counts"]) == ("STOPPED", final["counts"])
    changed = (
        await moves(http, activities)
        if verb == "reschedule"
        else [int(status == "CANCELED") for status in await statuses(http, activities)]
    )
    assert sum(changed) == final["counts"]["applied"] + final["counts"]["accepted"]


async def test_a_stop_is_answered_while_temporal_is_away(postgres: Postgres, tmp_path: Path) -> None:
    port = free_port()

    def server() -> Any:
        return running_temporal(
            database=tmp_path / "temporal.sqlite", port=port, ui_port=None, dynamic_config=DYNAMIC_CONFIG
        )

    with server() as temporal:
        client = await temporal_client(temporal.address)
    async with running_service(new_database(postgres), client, work=False) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            with server():
                async with work(service):
                    activities = await campaign(http, 20)
                    operation = await begun(http, "cancel", per_second=1)
                    await applied(http, operation, 1)
            answer = await http.post(f"{operation}/stop")
            assert answer.status_code in {200, 202}
            assert answer.json()["state"] in {"STOPPING", "STOPPED"}
            with server():
                async with work(service):
                    final = await stopped(http, operation)
                    run = client.get_workflow_handle(bulk_workflow_id(tenant.id, UUID(final["id"])))
                    assert await run.result() == "STOPPED"
                    number = final["counts"]["applied"]
                    assert (await statuses(http, activities)).count("CANCELED") == number


async def test_an_operation_can_be_stopped_before_it_has_chosen_its_activities(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                activities = await campaign(http, 2)
            operation = await begun(http, "cancel")
            answer = await http.post(f"{operation}/stop")
            assert (answer.status_code, answer.json()["state"]) == (200, "STOPPED")
            async with work(service):
                run = service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, UUID(answer.json()["id"])))
                assert await run.result() == "STOPPED"
            assert await statuses(http, activities) == ["READY"] * 2


async def test_a_stop_is_written_again_if_the_choice_was_committed_between_its_statements(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                await campaign(http, 1)
            operation = await begun(http, "cancel")

            def commit_the_choice(*arguments: Any) -> None:
                if arguments[2].startswith("SELECT bulk_operations.state"):
                    with postgres.connect(service.database.url.database or "") as connection:
                        connection.execute("UPDATE bulk_operations SET state = 'RUNNING' WHERE state = 'COLLECTING'")

            event.listen(service.roles.api.transactions.sync_engine, "before_cursor_execute", commit_the_choice)
            answer = await http.post(f"{operation}/stop")
            assert (answer.status_code, answer.json()["state"]) == (200, "STOPPED")


async def test_changes_of_a_dead_worker_are_settled_by_their_keys(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activities = await campaign(http, 3)
    operation = await collected(service, tenant)
    assert [await claim(service, operation, position) for position in (1, 2)] == [1, 1]
    assert await move(service, operation, activities[0]) == Applied()
    answer = await http.post(f"/api/operations/{operation.id}/stop")
    assert (answer.status_code, answer.json()["state"]) == (202, "STOPPING")
    assert await claim(service, operation, 3) is None
    ref = OperationRef(tenant_id=tenant.id, id=operation.id)
    found = await settle_operation(service.temporal, service.database, ref)
    assert found is Finding.OPERATION_STOPPED
    final = await stopped(http, f"/api/operations/{operation.id}")
    assert (final["state"], final["counts"]["applied"], final["counts"]["pending"]) == ("STOPPED", 1, 2)
    assert isinstance(await move(service, operation, activities[1]), Withdrawn)
    assert await moves(http, activities) == [1, 0, 0]


async def test_an_operation_whose_run_is_lost_is_resumed_and_changes_nothing_twice(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activities = await campaign(http, 3)
    operation = await collected(service, tenant)
    assert await claim(service, operation, 1) == 1
    assert await move(service, operation, activities[0]) == Applied()
    ref = OperationRef(tenant_id=tenant.id, id=operation.id)
    assert await settle_operation(service.temporal, service.database, ref) is Finding.OPERATION_RESUMED
    final = await ended(http, f"/api/operations/{operation.id}")
    assert (final["state"], final["counts"]["applied"], final["actor"]) == ("COMPLETED", 3, "tester")
    assert await moves(http, activities) == [1, 1, 1]
    assert await settle_operation(service.temporal, service.database, ref) is None


async def test_reconciliation_stops_an_operation_whose_run_was_terminated_and_resumes_a_deleted_one(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                await campaign(http, 15)
            terminated = await begun(http, "reschedule", per_second=1, shift_seconds=MOVED_BY)
            handle = service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, UUID(terminated[-36:])))
            async with work(service):
                await applied(http, terminated, 1)
            await handle.terminate(reason="a wrong campaign")
            deleted = await collected(service, tenant)
            async with work(service):
                found = await service.temporal.execute_workflow(
                    ReconciliationWorkflow.run,
                    Reconcile(page=Page(size=1, grace_seconds=60), pages=1),
                    id="reconciliation",
                    task_queue=TASK_QUEUE,
                )
                assert found.counts[Finding.OPERATION_STOPPED] == 1
                assert found.counts[Finding.OPERATION_RESUMED] == 1
                final = (await http.get(terminated)).json()
                assert (final["state"], final["counts"]["pending"] > 0) == ("STOPPED", True)
                assert "a wrong campaign" in final["detail"]
                assert (await ended(http, f"/api/operations/{deleted.id}"))["state"] == BulkState.COMPLETED


@pytest.mark.parametrize(
    "lost",
    [
        "DELETE FROM bulk_operations WHERE tenant_id = %s",
        "UPDATE bulk_operations SET state = 'COLLECTING' WHERE tenant_id = %s",
    ],
    ids=["to before it was accepted", "to before it chose its activities"],
)
async def test_a_chunk_that_meets_a_restore_of_postgresql_reports_no_end(
    postgres: Postgres, service: Service, tenant: Tenant, http: httpx.AsyncClient, lost: str
) -> None:
    await campaign(http, 1)
    operation = await collected(service, tenant)
    steps = BulkOperations(service.temporal, service.database, Lead(0))
    chunk = Chunk(tenant_id=tenant.id, id=operation.id, after=0, size=10, per_second=10)
    with table_locked(postgres, service, "scheduled_activities") as connection:
        changing = asyncio.create_task(ActivityEnvironment().run(steps.change_some, chunk))
        await until_blocked(postgres, service)  # it has read the operation, and asks for the items
        connection.execute("DELETE FROM bulk_operation_items WHERE tenant_id = %s", [tenant.id])
        connection.execute(lost, [tenant.id])
    assert await changing == ChunkDone(state=BulkState.COLLECTING)


@pytest.mark.parametrize(
    "fault", ["LockNotAvailable (SQLSTATE 55P03)", "ValidationError"], ids=["locked", "unreadable"]
)
async def test_an_activity_that_fails_holds_up_no_other_of_its_operation(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, fault: str
) -> None:
    bad = await marked_ahead(service, tenant)
    good = [await created(http, scheduled_at=from_now(hours=hours)) for hours in (2, 3)]
    operation = await collected(service, tenant, ActivityFilter(status=(ActivityStatus.READY,)))
    steps = BulkOperations(service.temporal, service.database, Lead(0))
    chunk = Chunk(tenant_id=tenant.id, id=operation.id, after=0, size=10, per_second=10)
    async with AsyncExitStack() as stack:
        if "Lock" in fault:
            await stack.enter_async_context(row_locked(service, bad))
        else:
            async with service.database.transactions.begin() as connection:
                await connection.execute(NO_CHANGE, {"id": UUID(bad["id"])})
        await ActivityEnvironment().run(steps.change_some, chunk)
    items = (await http.get(f"/api/operations/{operation.id}")).json()["items"]["data"]
    applied = [(one["id"], "APPLIED", None) for one in good]
    assert [(item["activityId"], item["outcome"], item["detail"]) for item in items] == [
        (bad["id"], "PENDING", fault),
        *applied,
    ]
    finish = Finish(tenant_id=tenant.id, id=operation.id, state=BulkState.COMPLETED)
    assert await ActivityEnvironment().run(steps.finish, finish) is BulkState.COMPLETED
    counts = (await http.get(f"/api/operations/{operation.id}")).json()["counts"]
    assert (counts["applied"], counts["failed"]) == (2, 1)
    assert await moves(http, [bad, *good]) == [0, 1, 1]


async def test_an_operation_whose_run_was_ended_before_it_chose_activities_reads_stopped(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            operation = await begun(http, "cancel")
            await service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, UUID(operation[-36:]))).terminate()
            read = (await http.get(operation)).json()
            assert (read["state"], "ended in Temporal" in read["detail"]) == ("STOPPED", True)
