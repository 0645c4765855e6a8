"""Test operators' actions in Temporal's web UI, through the API that it uses: rows and runs agree afterwards."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.empty_pb2 import Empty
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.batch.v1 import BatchOperationReset
from temporalio.api.common.v1 import ResetOptions
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    PauseActivityRequest,
    ResetActivityRequest,
    StartBatchOperationRequest,
    UnpauseActivityRequest,
)
from temporalio.client import Client, WorkflowExecution, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from db import changes
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import workflow_id
from runs.lead import Lead
from runs.schedule import ensure_schedule
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.locks import locked_before_mark, table_locked
from tests.support.prepared_postgres import StoppablePostgres
from tests.support.service import Service, browser_of, running_service, temporal_client, until
from tests.support.worlds import idle_service, new_database, work
from workflows import search_attributes
from workflows.display import RESUMED, contract_time
from workflows.findings import Part
from workflows.messages import Apply, Reschedule


@pytest.fixture
async def ui(service: Service) -> Client:
    """Connect as a browser does."""
    return await browser_of(service.temporal)


@pytest.fixture
async def own(own: tuple[str, Service]) -> Service:
    """Add the schedules of reconciliation."""
    _, service = own
    for part in Part:
        await ensure_schedule(service.temporal, part, timedelta(seconds=1))
    return service


def run_of(client: Client, tenant: Tenant, activity: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))


async def metadata_of(run: WorkflowHandle[Any, Any]) -> WorkflowMetadata:
    metadata: WorkflowMetadata = await run.query("__temporal_workflow_metadata")
    return metadata


async def test_the_update_form_lists_every_change_with_what_to_type(
    http: httpx.AsyncClient, tenant: Tenant, ui: Client
) -> None:
    activity = await created(http)
    run = run_of(ui, tenant, activity)
    metadata = await metadata_of(run)
    described = {one.name: one.description for one in metadata.definition.update_definitions}
    changes = {"cancel", "reschedule", "execute_now", "retry_resolution", "assign_target"}
    assert set(described) == {"create", "refresh"} | changes
    assert all(described.values())
    assert "READY" in metadata.current_details


async def test_changes_typed_by_a_person_pass_the_same_checks(
    http: httpx.AsyncClient, tenant: Tenant, ui: Client
) -> None:
    activity = await created(http)
    run, url = run_of(ui, tenant, activity), f"/api/activities/{activity['id']}"
    moved = await run.execute_update("reschedule", {"scheduled_at": from_now(hours=2), "reason": "the store asked"})
    assert (moved["status"], moved["version"]) == ("READY", 2)
    assert (await http.get(url)).headers["ETag"] == '"2"'
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update("retry_resolution")
    assert isinstance(refused.value.cause, ApplicationError)
    assert (refused.value.cause.type, "only UNRESOLVED" in refused.value.cause.message) == ("wrong_status", True)
    with pytest.raises(WorkflowUpdateFailedError):
        await run.execute_update("reschedule", {"scheduled_at": "tomorrow"})
    assert (await run.execute_update("cancel", {"reason": "they closed"}))["status"] == "CANCELED"
    events = (await http.get(f"{url}/status-events")).json()["data"]
    assert [(one["eventType"], one["actor"], (one["details"] or {}).get("reason")) for one in events] == [
        ("CREATED", "tester", None),
        ("RESCHEDULED", "temporal-ui", "the store asked"),
        ("CHANGE_REFUSED", "temporal-ui", None),
        ("CANCELED", "temporal-ui", "they closed"),
    ]


@pytest.mark.parametrize("typed", [(), ({},)], ids=["nothing", "an empty object"])
async def test_an_unresolved_activity_is_retried_with_nothing_to_type(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, ui: Client, typed: tuple[Any, ...]
) -> None:
    activity = await unresolved(service, http, tenant)
    run = run_of(ui, tenant, activity)
    assert (await run.execute_update("retry_resolution", args=typed))["status"] == "UNRESOLVED"
    await activate(service, tenant, tenant.owner_id)
    assert (await run.execute_update("retry_resolution", args=typed))["status"] == "READY"
    assert (await run.execute_update("execute_now", args=typed))["status"] == "DUE"
    assert (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "DUE"


@pytest.mark.parametrize("typed", [(), ({},)], ids=["nothing", "an empty object"])
async def test_a_refresh_reads_the_row_and_writes_nothing(
    http: httpx.AsyncClient, tenant: Tenant, ui: Client, typed: tuple[Any, ...]
) -> None:
    activity = await created(http)
    url = f"/api/activities/{activity['id']}"
    assert (await run_of(ui, tenant, activity).execute_update("refresh", args=typed))["version"] == 1
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED"]
    assert (await http.get(url)).json() == activity


@pytest.mark.parametrize("lead", [-1e12, 1e300, "NaN", "Infinity", "soon"])
async def test_a_refresh_with_an_impossible_lead_is_refused_before_it_is_accepted(
    http: httpx.AsyncClient, tenant: Tenant, ui: Client, lead: float | str
) -> None:
    run = run_of(ui, tenant, await created(http))
    await metadata_of(run)  # its first task is completed
    before = await events_beside_tasks(run)
    with pytest.raises(WorkflowUpdateFailedError):
        await run.execute_update("refresh", {"lead_seconds": lead})
    assert await events_beside_tasks(run) == before
    assert (await run.execute_update("cancel", {"reason": "it still answers"}))["status"] == "CANCELED"


async def events_beside_tasks(run: WorkflowHandle[Any, Any]) -> list[str]:
    """Return the types of the run's events without those of workflow tasks: a task that times out is tried again."""
    types = [EventType.Name(event.event_type) async for event in run.fetch_history_events()]
    return [one for one in types if "WORKFLOW_TASK" not in one]


async def test_a_refresh_takes_over_the_lead_of_the_rows_new_time(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, ui: Client
) -> None:
    activity = await created(http, scheduled_at=from_now(hours=2))
    sooner = datetime.fromisoformat(from_now(minutes=20))
    move = Reschedule(scheduled_at=sooner)
    unheard = Apply(tenant_id=tenant.id, id=activity["id"], key="unheard", actor="tester", change=move)
    async with service.database.transactions.begin() as connection:
        await changes.apply_change(connection, unheard)
    run = run_of(ui, tenant, activity)
    assert (await run.execute_update("refresh", {"lead_seconds": 7200}))["version"] == 2
    assert await run.result() == "DUE"  # its lead is longer than its wait: it is marked ahead
    seen = (await http.get(f"/api/activities/{activity['id']}")).json()
    assert (seen["status"], seen["scheduledAt"]) == ("READY", contract_time(sooner))


async def test_the_details_of_a_moved_run_name_the_time_of_its_timer(service: Service, tenant: Tenant) -> None:
    async with service.beside(lead=Lead(300)) as other, other.client(tenant.id) as http:
        activity = await created(http)
        moved = await http.patch(f"/api/activities/{activity['id']}", json={"scheduled_at": from_now(hours=24)})
        assert moved.status_code == 200
        run = run_of(service.temporal, tenant, activity)
        details = (await metadata_of(run)).current_details
        timers = [
            json.loads(event.user_metadata.summary.data)
            async for event in run.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
        ]
    assert timers[-1].removeprefix("until ") in details


async def test_a_cancel_request_ends_in_a_cancelled_row_with_its_reason(
    http: httpx.AsyncClient, tenant: Tenant, ui: Client
) -> None:
    activity = await created(http)
    await run_of(ui, tenant, activity).cancel(reason="by mistake")
    await until(http, f"/api/activities/{activity['id']}", "CANCELED")
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert events[-1]["details"] == {"reason": "The run was cancelled in Temporal: by mistake"}


async def test_a_creation_that_is_cancelled_while_its_step_fails_can_be_sent_again(
    postgres: Postgres, own: Service
) -> None:
    tenant, body = await own.tenant(), contract_example()
    run = own.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
    async with own.client(tenant.id) as http:
        with table_locked(postgres, own, "commerces"):
            creating = asyncio.create_task(http.post("/api/activities", json=body))
            async with asyncio.timeout(60):
                while PendingActivityState.PENDING_ACTIVITY_STATE_STARTED not in await states_of_steps(run):
                    await asyncio.sleep(0.05)
                await run.cancel(reason="by mistake")
                while await states_of_steps(run):  # the attempt under way fails: it waits too long for the lock
                    await asyncio.sleep(0.05)
        ended = await creating
        assert (ended.status_code, ended.json()["code"], "Retry-After" in ended.headers) == (503, "unavailable", True)
        assert (await http.post("/api/activities", json=body)).status_code == 201


async def states_of_steps(run: WorkflowHandle[Any, Any]) -> list[int]:
    """Return the states of the steps that the web UI shows as pending; none if there is no run yet."""
    with suppress(RPCError):
        return [one.state for one in (await run.describe()).raw_description.pending_activities]
    return []


async def test_a_termination_is_found_by_the_schedule_within_its_period(own: Service) -> None:
    tenant = await own.tenant()
    async with own.client(tenant.id) as http:
        activity = await created(http)
        await run_of(own.temporal, tenant, activity).terminate(reason="wrong button")
        failed = await until(http, f"/api/activities/{activity['id']}", "FAILED")
        assert "wrong button" in failed["statusReason"]
        refused = await http.post(f"/api/activities/{activity['id']}/execute-now")
        assert (refused.status_code, refused.json()["actualStatus"]) == (409, "FAILED")


async def test_a_reset_of_many_runs_in_one_batch_duplicates_and_loses_nothing(own: Service) -> None:
    tenant, client = await own.tenant(), own.temporal
    async with own.client(tenant.id) as http:
        activities = [await created(http, scheduled_at=from_now(seconds=15)) for _ in range(5)]
        await http.patch(f"/api/activities/{activities[0]['id']}", json={"score": 5})
        due = await created(http, scheduled_at=from_now(seconds=-1))
        await until(http, f"/api/activities/{due['id']}", "DUE")
        query = f"TenantId = '{tenant.id}'"
        async with asyncio.timeout(60):
            while (await client.count_workflows(query)).count < 6:
                await asyncio.sleep(0.1)
        job = str(uuid4())
        await client.workflow_service.start_batch_operation(
            StartBatchOperationRequest(
                namespace=client.namespace,
                visibility_query=query,
                job_id=job,
                reason="after a bad deploy",
                reset_operation=BatchOperationReset(options=ResetOptions(first_workflow_task=Empty())),
            ),
            retry=True,
        )
        async with asyncio.timeout(60):
            while not (await completed(client, job)):
                await asyncio.sleep(0.2)
        for activity in (*activities, due):
            assert (await until(http, f"/api/activities/{activity['id']}", "DUE"))["scheduledAt"]
            async with asyncio.timeout(60):
                while "RUN_RESET" not in (events := [one[0] for one in await trail(http, activity["id"])]):
                    await asyncio.sleep(0.1)
            assert events.count("DUE") == events.count("CREATED") == events.count("RUN_RESET") == 1, events
        assert (await http.get(f"/api/activities/{activities[0]['id']}")).json()["score"] == 5


async def completed(client: Client, job: str) -> bool:
    described = await client.workflow_service.describe_batch_operation(
        DescribeBatchOperationRequest(namespace=client.namespace, job_id=job), retry=True
    )
    assert described.failure_operation_count == 0
    return described.complete_operation_count == 6


async def pending(run: WorkflowHandle[Any, Any], *, attempts: int = 1) -> PendingActivityInfo:
    """Return the step that the web UI shows as pending."""
    async with asyncio.timeout(60):
        while True:
            found = (await run.describe()).raw_description.pending_activities
            if found and found[0].attempt >= attempts and found[0].HasField("last_failure"):
                return found[0]
            await asyncio.sleep(0.1)


async def test_a_stuck_step_shows_its_failure_can_be_paused_reset_and_goes_on_when_postgresql_is_back(
    own_postgres: StoppablePostgres, temporal: Client
) -> None:
    async with idle_service(own_postgres.server, temporal) as service, work(service):
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            with suppress(SQLAlchemyError):
                async with locked_before_mark(service, http) as (activity, _):
                    own_postgres.stop()
            run = run_of(service.temporal, tenant, activity)

            stuck = await pending(run, attempts=2)
            assert (stuck.activity_type.name, stuck.activity_id) == ("mark_due", "mark_due")
            assert "OperationalError" in stuck.last_failure.message
            assert stuck.last_failure.application_failure_info.type == "DatabaseUnavailable"

            which: dict[str, Any] = {
                "namespace": service.temporal.namespace,
                "execution": Execution(workflow_id=run.id),
                "id": "mark_due",
            }
            await service.temporal.workflow_service.pause_activity(
                PauseActivityRequest(**which, reason="maintenance"), retry=True
            )
            paused = (await run.describe()).raw_description.pending_activities[0]
            assert (paused.paused, paused.pause_info.manual.reason) == (True, "maintenance")
            own_postgres.start()
            assert (await until(http, f"/api/activities/{activity['id']}", "READY"))["markedAt"] is None
            await service.temporal.workflow_service.unpause_activity(UnpauseActivityRequest(**which), retry=True)
            await service.temporal.workflow_service.reset_activity(ResetActivityRequest(**which), retry=True)
            await until(http, f"/api/activities/{activity['id']}", "DUE")
            assert [one[0] for one in await trail(http, activity["id"])] == ["CREATED", "DUE"]
            assert await run.result() == "DUE"


async def test_an_activity_that_is_moved_very_often_goes_on_in_new_runs_that_keep_everything(
    postgres: Postgres,
) -> None:
    config = DYNAMIC_CONFIG | {"limit.historyCount.suggestContinueAsNew": "60"}
    with running_temporal(dynamic_config=config) as server:
        client = await temporal_client(server.address)
        async with running_service(new_database(postgres), client) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity = await created(http)
                url, run = f"/api/activities/{activity['id']}", run_of(client, tenant, activity)
                before = await run.describe()
                for score in range(10):
                    moves = (
                        http.patch(url, json={"score": 5 * score + one, "scheduled_at": from_now(hours=2)})
                        for one in range(5)
                    )
                    assert [answer.status_code for answer in await asyncio.gather(*moves)] == [200] * 5
                async with asyncio.timeout(60):  # a run may have continued after the last answer
                    while True:
                        after, now = await run.describe(), (await http.get(url)).json()
                        shown = (await metadata_of(run)).current_details
                        if now["workflow"]["runId"] == after.run_id and shown != RESUMED:
                            break
                assert after.run_id != before.run_id
                assert attributes(after) == attributes(before) | {"ScheduledAt": now["scheduledAt"]}
                assert await after.memo() == await before.memo()
                assert after.raw_description.execution_config.default_workflow_task_timeout.seconds == 5
                assert shown.startswith("WHATSAPP MESSAGE for commerce ")
                assert "**READY**: sleeps until " in shown
                await http.patch(url, json={"scheduled_at": from_now(seconds=1)})
                await until(http, url, "DUE")
                events = [one[0] for one in await trail(http, activity["id"])]
                assert events == ["CREATED", *["RESCHEDULED"] * 51, "DUE"]


def attributes(run: WorkflowExecution) -> dict[str, Any]:
    """Return our search attributes, with times as the API's answers show them."""
    named: dict[str, Any] = {key.name: run.typed_search_attributes.get(key) for key in search_attributes.ALL}
    moment = named["ScheduledAt"].astimezone(UTC).isoformat(timespec="milliseconds")
    return named | {"ScheduledAt": moment.replace("+00:00", "Z")}
