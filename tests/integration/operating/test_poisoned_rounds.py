"""Test that what fails in a round of reconciliation is named and counted, stops nothing else, and the round ends."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.testing import ActivityEnvironment

from activities_impl.reconciliation import Reconciliation
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.lead import Lead
from runs.schedule import SCHEDULE_IDS, ensure_schedule
from tests.integration.operating.test_temporal_ui import pending
from tests.support.activities import created, trail
from tests.support.hand_off import claim, insert_rows, run_out
from tests.support.locks import row_locked
from tests.support.operate import operate
from tests.support.reconciliation import forget, reconciled, run_of
from tests.support.service import Service, running_service, temporal_client
from tests.support.worlds import idle_service, new_database, new_namespace
from workflows import search_attributes
from workflows.findings import Compared, Finding, Page, Part

NO_CHANGE = text("UPDATE scheduled_activities SET request = '{}' WHERE id = :id")


async def test_rows_and_runs_that_fail_are_named_and_the_others_are_settled(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        locked, unreadable, good = [await created(http) for _ in range(3)]
        for activity in (locked, unreadable, good):
            await forget(service, run_of(service, tenant, activity))
        async with service.database.transactions.begin() as connection:
            await connection.execute(NO_CHANGE, {"id": UUID(unreadable["id"])})
        by_hand = await start_by_hand(service, tenant_id="store 7", activity_id="none")
        async with row_locked(service, locked):
            found = await reconciled(service.temporal)
        assert found.examples[Finding.RESUMED] == (good["id"],)
        assert sorted(found.examples[Finding.FAILED]) == sorted(
            [
                f"{locked['id']}: LockNotAvailable (SQLSTATE 55P03)",
                f"{unreadable['id']}: ValidationError",
                *[f"run {by_hand}: ValueError"] * 2,  # it is listed as open, and as ended
            ]
        )
        again = await reconciled(service.temporal)
        assert again.examples[Finding.RESUMED] == (locked["id"],)
        assert again.counts[Finding.FAILED] == 3


async def start_by_hand(service: Service, *, tenant_id: str, activity_id: str) -> str:
    """Start two runs of our type as a person may do it, terminate one of them, and return their ID once listed."""
    attributes = [
        SearchAttributePair(search_attributes.TENANT_ID, tenant_id),
        SearchAttributePair(search_attributes.ACTIVITY_ID, activity_id),
        SearchAttributePair(search_attributes.ACTIVITY_STATUS, "UNRESOLVED"),
    ]
    workflow_id = str(uuid4())
    for is_terminated in (True, False):
        run = await service.temporal.start_workflow(
            "ScheduledActivityWorkflow",
            id=workflow_id,
            task_queue="without-workers",
            search_attributes=TypedSearchAttributes(attributes),
        )
        if is_terminated:
            await run.terminate()
    async with asyncio.timeout(60):
        for status in ("Terminated", "Running"):
            query = f"WorkflowId = '{workflow_id}' AND ExecutionStatus = '{status}'"
            while not (await service.temporal.count_workflows(query)).count:
                await asyncio.sleep(0.1)
    return workflow_id


async def test_a_step_that_can_not_succeed_ends_and_the_other_steps_of_the_round_are_run(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await forget(service, run_of(service, tenant, activity))
        async with service.database.transactions.begin() as connection:
            await connection.execute(text("ALTER TABLE activity_results RENAME TO away"))
        found = await reconciled(service.temporal)
    assert found.counts[Finding.FAILED] == 2
    steps = [example.split(":")[0] for example in found.examples[Finding.FAILED]]
    assert steps == ["create_follow_ups", "take_back_follow_ups"]
    assert "SQLSTATE 42P01" in found.examples[Finding.FAILED][0]
    assert found.examples[Finding.RESUMED] == (activity["id"],)


async def test_a_lease_that_can_not_be_expired_holds_up_no_other(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with service.database.transactions.begin() as connection:
                await insert_rows(connection, tenant.id, 2, prefix="good")
                await insert_rows(connection, tenant.id, 1, prefix="bad", score=666)
            taken = await claim(http, limit=3)
            bad = next(one["id"] for one in taken if one["score"] == 666)
            await run_out(service.database, tenant)
            async with service.database.transactions.begin() as connection:
                planted = "CHECK (score IS DISTINCT FROM 666 OR status = 'DISPATCHED')"
                await connection.execute(text(f"ALTER TABLE scheduled_activities ADD CONSTRAINT planted {planted}"))
            found = await step_of(service, "expire_leases", Page(size=1000))
            assert set(found.examples[Finding.LEASE_EXPIRED]) == {one["id"] for one in taken} - {bad}
            assert found.examples[Finding.FAILED] == (f"{bad}: CheckViolation (SQLSTATE 23514)",)


async def test_a_leased_row_that_is_locked_is_named_and_the_others_are_expired(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with service.database.transactions.begin() as connection:
                await insert_rows(connection, tenant.id, 2)
            locked, other = await claim(http, limit=2)
            await run_out(service.database, tenant)
            async with row_locked(service, locked):
                found = await step_of(service, "expire_leases", Page(size=1000))
            assert found.examples == {
                Finding.LEASE_EXPIRED: (other["id"],),
                Finding.FAILED: (f"{locked['id']}: LockNotAvailable (SQLSTATE 55P03)",),
            }
            again = await step_of(service, "expire_leases", Page(size=1000))
            assert again.examples == {Finding.LEASE_EXPIRED: (locked["id"],)}


async def test_a_bulk_operation_that_can_not_be_read_holds_up_no_other(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        insert = text(
            "INSERT INTO bulk_operations (tenant_id, id, verb, change, filter, actor, per_second, state)"
            " VALUES (:tenant, :id, 'cancel', :change, '{}', 'x', 20, 'RUNNING')"
        )
        bad, good = uuid4(), uuid4()
        for operation, change in ((bad, "{}"), (good, '{"verb": "cancel", "reason": "x"}')):
            async with service.database.transactions.begin() as connection:
                await connection.execute(insert, {"tenant": tenant.id, "id": operation, "change": change})
        first = await step_of(service, "settle_operations", Page(size=1))
        assert first.examples == {Finding.FAILED: (f"{bad}: ValidationError",)}
        second = await step_of(service, "settle_operations", Page(size=1, after=first.after))
        assert second.examples == {Finding.OPERATION_RESUMED: (str(good),)}


async def step_of(service: Service, name: str, page: Page) -> Compared:
    """Run one step of reconciliation without a worker."""
    steps = Reconciliation(service.temporal, service.roles.worker, service.roles.across_tenants, Lead(0))
    found: Compared = await ActivityEnvironment().run(getattr(steps, name), page)
    return found


async def test_leases_are_expired_while_temporals_lists_are_not_available(postgres: Postgres) -> None:
    config = DYNAMIC_CONFIG | {"frontend.namespaceRPS.visibility": "0", "frontend.namespaceBurstRatio.visibility": "0"}
    with running_temporal(dynamic_config=config) as server:
        client = await temporal_client(server.address)
        async with running_service(new_database(postgres), client) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                async with service.database.transactions.begin() as connection:
                    await insert_rows(connection, tenant.id, 1)
                (taken,) = await claim(http)
                for part in Part:
                    await ensure_schedule(client, part, timedelta(seconds=1))
                lists = client.get_workflow_handle(await started_round(client, Part.LISTS))
                await run_out(service.database, tenant)
                async with asyncio.timeout(60):
                    while (await trail(http, taken["id"]))[-1][0] != "LEASE_EXPIRED":
                        await asyncio.sleep(0.1)
                assert (await pending(lists)).activity_type.name in {"settle_ended", "end_listed"}


async def started_round(client: Client, part: Part) -> str:
    """Return the ID of the first round of a part, once the schedule has started it."""
    handle = client.get_schedule_handle(SCHEDULE_IDS[part])
    async with asyncio.timeout(60):
        while not (actions := (await handle.describe()).info.recent_actions):
            await asyncio.sleep(0.1)
    started = actions[0].action
    assert isinstance(started, ScheduleActionExecutionStartWorkflow)
    return started.workflow_id


async def test_rebuilding_names_the_rows_that_fail_and_starts_the_others(postgres: Postgres, temporal: Client) -> None:
    url = new_database(postgres)
    async with running_service(url, await new_namespace(temporal)) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            bad, good = [await created(http) for _ in range(2)]
            for activity in (bad, good):
                await forget(service, run_of(service, tenant, activity))
        async with service.database.transactions.begin() as connection:
            await connection.execute(NO_CHANGE, {"id": UUID(bad["id"])})
        rebuilt = operate(service.temporal, url, "rebuild")
    assert rebuilt.returncode == 1, rebuilt
    assert rebuilt.stdout.splitlines() == [
        "1 runs started, 0 were open already",
        f"FAILED {bad['id']}: its stored request can't be repeated by this version",
    ]
