"""Test what is true after PostgreSQL was restored to an earlier point, or Temporal's database was lost."""

import asyncio
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from activities_impl.listed_runs import ListedRuns
from embedded.postgres import Postgres
from embedded.temporal_server import free_port, running_temporal
from runs.ask import find_latest_run
from runs.lead import Lead
from runs.schedule import SCHEDULE_ID
from tests.support.activities import created, trail, unresolved
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.bulk import begun, campaign, chosen, ended, statuses
from tests.support.deployed import deployed_worker
from tests.support.locks import locked_before_mark, row_locked
from tests.support.operate import operate
from tests.support.reconciliation import reconciled, run_of, until_found
from tests.support.restoration import execute, lose_locked_row, lose_row, set_back, set_locked_row_back
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import idle_service, new_database, work
from workflows.display import contract_time
from workflows.findings import Compared, Finding, Listing
from workflows.messages import Reschedule

URL = "/api/activities"
SOON_AND_LATER: tuple[dict[str, float], ...] = ({"seconds": 50}, {"hours": 5})


async def types_of(http: httpx.AsyncClient, activity: dict[str, Any]) -> list[str]:
    return [event[0] for event in await trail(http, activity["id"])]


async def until_listed(service: Service, activity: dict[str, Any]) -> None:
    """Return once Temporal lists the activity's run."""
    async with asyncio.timeout(60):
        while not (await service.temporal.count_workflows(f"ActivityId = '{activity['id']}'")).count:
            await asyncio.sleep(0.05)


async def length_of_history(run: WorkflowHandle[Any, Any]) -> int:
    return len((await run.fetch_history()).events)


async def test_a_run_whose_row_is_missing_writes_it_again_when_it_wakes(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    async with locked_before_mark(service, http) as (activity, connection):
        await until_listed(service, activity)
        await lose_locked_row(connection, activity)
    async with asyncio.timeout(60):
        while (seen := await http.get(f"{URL}/{activity['id']}")).json()["status"] != "DUE":
            assert seen.status_code == 200
            await asyncio.sleep(0.1)
    now = seen.json()
    same = ("id", "idempotencyKey", "scheduledAt", "reason", "channel", "type")
    assert [now[name] for name in same] == [activity[name] for name in same]
    assert [one["value"] for one in now["attributes"]] == [one["value"] for one in activity["attributes"]]
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]
    assert await run_of(service, tenant, activity).result() == "DUE"


async def test_a_row_that_is_written_again_has_the_time_that_the_run_was_moved_to(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    later = from_now(days=3)
    assert (await http.patch(f"{URL}/{activity['id']}", json={"scheduled_at": later})).status_code == 200
    await lose_row(service, activity)
    await run_of(service, tenant, activity).execute_update("refresh")
    now = (await http.get(f"{URL}/{activity['id']}")).json()
    assert (now["status"], datetime.fromisoformat(now["scheduledAt"])) == ("READY", datetime.fromisoformat(later))
    (event,) = [one for one in await events_of(http, activity) if one["eventType"] == "RESTORED"]
    assert event["details"]["known"] == {"version": 2, "status": "READY", "scheduledAt": now["scheduledAt"]}
    assert (event["fromStatus"], event["toStatus"]) == ("READY", "READY")


async def events_of(http: httpx.AsyncClient, activity: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get(f"{URL}/{activity['id']}/status-events")).json()["data"]
    return found


async def test_a_change_of_a_run_whose_row_is_missing_is_carried_out(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    await lose_row(service, activity)
    soon = Reschedule(scheduled_at=datetime.fromisoformat(from_now(seconds=1)))
    await run_of(service, tenant, activity).execute_update("reschedule", soon)
    await until(http, f"{URL}/{activity['id']}", "DUE")
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "RESCHEDULED", "DUE"]


async def test_a_repetition_of_a_creation_whose_row_was_lost_is_the_same_request(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http, scheduled_at="2031-01-01T00:00:00.000Z")
    await lose_row(service, activity)
    await run_of(service, tenant, activity).execute_update("refresh")
    body = {"idempotency_key": activity["idempotencyKey"], "scheduled_at": "2031-01-01T00:00:00.000Z"}
    again = await http.post(URL, json=contract_example(**body))
    assert (again.status_code, again.json()["sameRequest"], again.json()["decided"]) == (409, True, True)
    assert again.json()["activity"]["id"] == activity["id"]


async def test_what_was_left_to_resolve_at_its_time_is_resolved_after_the_row_is_written_again(
    service: Service, http: httpx.AsyncClient
) -> None:
    owner = [{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}]
    body = {"resolution_strategy": "ON_DISPATCH", "criteria": owner}
    answer = await http.post("/api/activity-config/target-resolution", json=body)
    assert answer.status_code == 201, answer.text
    async with locked_before_mark(service, http) as (activity, connection):
        assert [one["resolutionStatus"] for one in activity["targetUsers"]] == ["PENDING"]
        await lose_locked_row(connection, activity)
    due = await until(http, f"{URL}/{activity['id']}", "DUE")
    assert [one["resolutionStatus"] for one in due["targetUsers"]] == ["LOCKED"]
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]


async def test_a_row_whose_commerce_is_missing_as_well_is_written_once_the_commerce_is_back(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    restore = "UPDATE commerces SET is_active = :active WHERE tenant_id = :tenant AND id = :commerce"
    of_tenant = {"tenant": tenant.id, "commerce": COMMERCE_ID}
    async with locked_before_mark(service, http) as (activity, connection):
        await lose_locked_row(connection, activity)
        await connection.execute(text(restore), of_tenant | {"active": False})
    run = run_of(service, tenant, activity)
    async with asyncio.timeout(60):
        while not (steps := (await run.describe()).raw_description.pending_activities):
            await asyncio.sleep(0.1)
    assert [step.activity_id for step in steps] == ["restore"]
    await execute(service, restore, active=True, **of_tenant)
    await until(http, f"{URL}/{activity['id']}", "DUE")
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]


async def test_a_run_adopts_a_row_that_is_behind_it_and_does_not_spin(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:

    async def change_score(activity: dict[str, Any]) -> None:
        for score in (1, 2):
            await http.patch(f"{URL}/{activity['id']}", json={"score": score})

    async with locked_before_mark(service, http, change_score, 3) as (activity, connection):
        assert await types_of(http, activity) == ["CREATED", "RESCHEDULED", "RESCHEDULED"]
        await set_locked_row_back(connection, activity)
    due = await until(http, f"{URL}/{activity['id']}", "DUE")
    assert due["score"] is None
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]
    run = run_of(service, tenant, activity)
    assert await run.result() == "DUE"
    assert await length_of_history(run) < 50


async def test_the_time_of_a_row_that_is_behind_wins(service: Service, http: httpx.AsyncClient, tenant: Tenant) -> None:
    activity = await created(http)
    assert (await http.patch(f"{URL}/{activity['id']}", json={"scheduled_at": from_now(days=1)})).status_code == 200
    activity["scheduledAt"] = contract_time(datetime.fromisoformat(from_now(seconds=1)))
    await set_back(service, activity)
    await run_of(service, tenant, activity).execute_update("refresh")
    due = await until(http, f"{URL}/{activity['id']}", "DUE")
    assert due["scheduledAt"] == activity["scheduledAt"]
    assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]


@pytest.mark.parametrize("changes", [1, 3], ids=["one behind", "three behind"])
async def test_a_change_of_a_row_that_is_behind_is_written_to_the_row_as_it_is(
    service: Service, http: httpx.AsyncClient, changes: int
) -> None:
    activity = await created(http, scheduled_at=from_now(hours=1))
    url = f"{URL}/{activity['id']}"
    for days in range(1, changes + 1):
        assert (await http.patch(url, json={"scheduled_at": from_now(days=days)})).status_code == 200
    await set_back(service, activity)
    answer = await http.patch(url, json={"score": 7})
    assert (answer.status_code, answer.json()["score"], answer.headers["ETag"]) == (200, 7, '"2"')
    assert answer.json()["scheduledAt"] == activity["scheduledAt"]
    assert sorted(await types_of(http, activity)) == ["CREATED", "RESCHEDULED", "RESTORED"]
    assert (await http.post(f"{url}/execute-now")).json()["status"] == "DUE"


async def test_an_unresolved_activity_whose_row_is_missing_can_be_resolved(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await unresolved(service, http, tenant)
    await lose_row(service, activity)
    await run_of(service, tenant, activity).execute_update("refresh")
    now = (await http.get(f"{URL}/{activity['id']}")).json()
    assert (now["status"], now["statusReason"]) == ("UNRESOLVED", activity["statusReason"])


async def test_reconciliation_finds_open_runs_whose_rows_are_missing(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        kept, *lost = [await created(http) for _ in range(4)]
        lost.append(await unresolved(service, http, tenant))
        for activity in lost:
            await lose_row(service, activity)
            await until(http, f"{URL}/{activity['id']}", "RESOLVING")
        async with asyncio.timeout(60):
            while [] in [await types_of(http, activity) for activity in lost]:  # Temporal's lists lag behind
                assert (await reconciled(service.temporal)).counts.get(Finding.FAILED) is None
        for activity in lost:
            assert await types_of(http, activity) == ["CREATED", "RESTORED"]
            again = await http.post(URL, json=contract_example(idempotency_key=activity["idempotencyKey"]))
            assert (again.status_code, again.json()["decided"]) == (409, True)
            assert again.json()["activity"]["id"] == activity["id"]
        assert await types_of(http, kept) == ["CREATED"]
        assert (await reconciled(service.temporal)).counts.get(Finding.RESTORED) is None


async def test_reconciliation_leaves_a_run_alone_that_is_still_resolving(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            accepted = await http.post(URL, json=contract_example(scheduled_at=from_now(hours=1)))
            assert accepted.status_code == 202
            query = f"TenantId = '{tenant.id}'"
            async with asyncio.timeout(60):
                while not (await service.temporal.count_workflows(query)).count:
                    await asyncio.sleep(0.05)
            step = ListedRuns(
                service.temporal, service.roles.worker, service.roles.across_tenants, Lead(0)
            ).restore_open
            found: Compared = await ActivityEnvironment().run(step, Listing())
            assert found.counts == {}
            async with work(service):
                await until(http, accepted.headers["Location"], "READY")
            assert [event[0] for event in await trail(http, accepted.json()["id"])] == ["CREATED"]


async def test_reconciliation_makes_an_activity_due_again_whose_run_has_completed_and_whose_row_is_missing(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http, scheduled_at=from_now(seconds=1))
        await until(http, f"{URL}/{activity['id']}", "DUE")
        await run_of(service, tenant, activity).result()
        await lose_row(service, activity)
        await until_found(service.temporal, Finding.RESTORED, activity["id"])
        due = await until(http, f"{URL}/{activity['id']}", "DUE")
        assert due["scheduledAt"] == activity["scheduledAt"]
        assert await types_of(http, activity) == ["CREATED", "RESTORED", "DUE"]


async def test_an_activity_that_was_canceled_stays_canceled_when_its_row_is_missing(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await http.post(f"{URL}/{activity['id']}/cancel", json={"reason": "x"})
        await run_of(service, tenant, activity).result()
        await lose_row(service, activity)
        await until_found(service.temporal, Finding.RESTORED, activity["id"])
        now = (await http.get(f"{URL}/{activity['id']}")).json()
        assert (now["status"], now["statusReason"]) == ("CANCELED", "It was CANCELED before PostgreSQL was restored.")
        assert await types_of(http, activity) == ["CREATED", "RESTORED", "CANCELED"]


async def test_one_command_restores_what_postgresql_lacks_since_a_point(own: tuple[str, Service]) -> None:
    url, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activities = [await created(http) for _ in range(3)]
        behind = await created(http)
        await http.patch(f"{URL}/{behind['id']}", json={"scheduled_at": from_now(days=9)})
        for activity in activities:
            await lose_row(service, activity)
        await set_back(service, behind)
        async with asyncio.timeout(60):
            words = ("reconcile", "--grace", "0", "--restored-to", from_now(hours=-1))
            code = None
            while code != 0 or "RESTORED" not in await types_of(http, activities[0]):
                # The worker shares this loop. A run that doesn't answer in time is named, and the exit code is 1.
                code = (await asyncio.to_thread(operate, service.temporal, url, *words)).returncode
                assert code in {0, 1}
        for activity in activities:
            assert await types_of(http, activity) == ["CREATED", "RESTORED"]
        assert await types_of(http, behind) == ["CREATED", "RESTORED"]


ITEMS_OF = "DELETE FROM bulk_operation_items WHERE tenant_id = :tenant"


@pytest.mark.parametrize(
    "lost",
    [
        (ITEMS_OF, "DELETE FROM bulk_operations WHERE tenant_id = :tenant"),
        (ITEMS_OF, "UPDATE bulk_operations SET state = 'COLLECTING' WHERE tenant_id = :tenant"),
    ],
    ids=["to before it was accepted", "to before it chose its activities"],
)
async def test_a_bulk_operation_goes_on_after_postgresql_was_restored(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, lost: tuple[str, ...]
) -> None:
    activities = await campaign(http, 5)
    async with row_locked(service, activities[0]):  # it does not end meanwhile
        operation = await begun(http, "cancel", per_second=1)
        await chosen(http, operation)
        await execute(service, *lost, tenant=tenant.id)
    async with asyncio.timeout(60):
        while (seen := await http.get(operation)).status_code == 404 or seen.json()["finishedAt"] is None:
            await asyncio.sleep(0.1)
    assert seen.json()["state"] == "COMPLETED"
    assert await statuses(http, activities) == ["CANCELED"] * 5


async def until_resumed(client: Client, tenant: Tenant, activity: dict[str, Any]) -> None:
    """Return once the activity has an open run."""
    async with asyncio.timeout(90):
        while (run := await find_latest_run(client, tenant.id, activity["idempotencyKey"])) is None:
            await asyncio.sleep(0.5)
    assert run.status is WorkflowExecutionStatus.RUNNING


async def test_after_a_loss_of_temporals_database_a_running_worker_goes_on_with_rows_and_bulk_operations(
    postgres: Postgres, tmp_path: Path
) -> None:
    """The same worker works before and after the loss; nothing is restarted and no command is given."""
    port, url = free_port(), new_database(postgres)
    with ExitStack() as lost:
        server = lost.enter_context(running_temporal(port=port))
        client = await temporal_client(server.address)
        async with running_service(url, client, work=False) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                with deployed_worker(service, tmp_path, RECONCILE_EVERY_SECONDS="2"):
                    soon, later = [await created(http, scheduled_at=from_now(**of)) for of in SOON_AND_LATER]
                    others = await campaign(http, 8)
                    operation = await begun(http, "cancel", per_second=1)
                    await chosen(http, operation)
                    lost.close()
                    with running_temporal(port=port):
                        await until_resumed(client, tenant, later)
                        assert (await ended(http, operation))["state"] == "COMPLETED"
                        assert await statuses(http, others) == ["CANCELED"] * 8
                        due = await until(http, f"{URL}/{soon['id']}", "DUE")
                        assert due["markedAt"] >= due["scheduledAt"]
                        assert await client.get_schedule_handle(SCHEDULE_ID).describe()


async def test_a_bulk_operation_that_had_not_chosen_its_activities_survives_a_loss_of_temporals_database(
    postgres: Postgres,
) -> None:
    port = free_port()
    with ExitStack() as lost:
        server = lost.enter_context(running_temporal(port=port))
        client = await temporal_client(server.address)
        async with running_service(new_database(postgres), client, work=False) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                operation = await begun(http, "cancel")
                assert (await http.get(operation)).json()["state"] == "COLLECTING"
                lost.close()
                with running_temporal(port=port):
                    assert (await http.get(operation)).json()["state"] == "COLLECTING"
                    again = await begun(http, "cancel", operation_id=operation.rsplit("/", 1)[1])
                    assert again == operation
                    async with work(service):
                        assert (await ended(http, operation))["state"] == "COMPLETED"
