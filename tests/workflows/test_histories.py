"""Check in real histories how much an activity costs a cluster, and what operators can read of it."""

import asyncio
import base64
import json
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from sqlalchemy import URL, event, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import TimeSkipper

from db.engine import open_database
from db.models import ScheduledActivity
from embedded.postgres import Postgres
from embedded.temporal_server import TemporalServer
from runs.lead import Lead
from tests.support.builders import COMMERCE_ID, CONTACTS, Tenant, contract_example, from_now
from tests.support.service import Service, resources, running_api, until
from tests.support.worlds import idle_service, work
from worker import build_worker

PATH = "/api/activities"
STEPS = ["resolve_commerce", "resolve_reason", "resolve_target", "resolve_attributes", "record"]
IN_ONE_GO = "commerce, reason, target user, attributes, row and first event"
LATER = "2031-01-01T00:00:00.000Z"

Handle = WorkflowHandle[Any, Any]


def run_of(service: Service, answer: httpx.Response) -> Handle:
    """Return the run behind an activity."""
    link = answer.json()["workflow"]
    return service.temporal.get_workflow_handle(link["id"], run_id=link["runId"])


async def wait_until_closed(run: Handle) -> WorkflowExecutionStatus | None:
    """Wait for the end of the run; return its final status."""
    async with asyncio.timeout(60):
        while (status := (await run.describe()).status) is WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.02)
    return status


async def read_history(run: Handle) -> list[HistoryEvent]:
    """Return the events of the run."""
    return list((await run.fetch_history()).events)


async def read_cost(run: Handle) -> tuple[int, int]:
    """Return the numbers of history events and state transitions, as the server counts them."""
    info = (await run.describe()).raw_description.workflow_execution_info
    return info.history_length, info.state_transition_count


async def test_a_creation_costs_eight_events_and_three_transitions_and_a_whole_life_fourteen_and_six(
    service: Service, http: httpx.AsyncClient
) -> None:
    assert await read_cost(run_of(service, await http.post(PATH, json=contract_example(scheduled_at=LATER)))) == (8, 3)
    run = run_of(service, await http.post(PATH, json=contract_example(scheduled_at=from_now(seconds=2))))
    assert await wait_until_closed(run) is WorkflowExecutionStatus.COMPLETED
    assert await read_cost(run) == (14, 6)


async def test_one_whose_time_is_past_costs_no_more(service: Service, http: httpx.AsyncClient) -> None:
    run = run_of(service, await http.post(PATH, json=contract_example()))
    assert await wait_until_closed(run) is WorkflowExecutionStatus.COMPLETED
    events, transitions = await read_cost(run)
    assert events <= 14
    assert transitions <= 6


async def test_one_that_wakes_ahead_of_its_time_costs_no_more_and_is_due_no_earlier(
    service: Service, tenant: Tenant
) -> None:
    """The mark ends the run within the lead; readers see READY until the activity's time, and DUE from then on."""
    async with service.beside(lead=Lead(300)) as spreading, spreading.client(tenant.id) as http:
        later = await http.post(PATH, json=contract_example(scheduled_at=LATER))
        assert await read_cost(run_of(service, later)) == (8, 3)
        created = await http.post(PATH, json=contract_example(scheduled_at=from_now(seconds=5)))
        run = run_of(service, created)
        location, scheduled_at = created.headers["Location"], created.json()["scheduledAt"]
        await wait_until_closed(run)
        assert await read_cost(run) == (14, 6)
        seen = (await http.get(location)).json()
        if seen["status"] == "READY":
            assert (seen["markedAt"], seen["latenessMs"]) == (None, None)
        due = await until(http, location, "DUE")
        assert due["markedAt"] >= scheduled_at
        trail = (await http.get(f"{location}/status-events")).json()["data"]
        assert [line["eventType"] for line in trail] == ["CREATED", "DUE"]


class CountedDatabase:
    """A database, and the statements sent to it."""

    def __init__(self, url: URL) -> None:
        self.database = open_database(url.render_as_string(hide_password=False))
        self.said: list[str] = []
        for one in (self.database.transactions, self.database.autocommit):
            event.listen(one.sync_engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        self.said.append(arguments[2])

    def take(self) -> list[str]:
        """Return the statements sent since the last call."""
        taken, self.said[:] = self.said[:], []
        return taken


async def count_visibility_writes(server: TemporalServer, namespace: str) -> int:
    """Count how often the server has written rows of the namespace's list."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        lines = (await http.get(server.metrics_url)).text.splitlines()
    written = [line for line in lines if line.startswith("task_latency_count{") and 'task_type="Visibility' in line]
    label = namespace.replace("-", "_")  # as the server writes it in metrics
    return sum(int(line.split()[-1]) for line in written if f'namespace="{label}"' in line)


async def test_a_creation_costs_two_statements_and_two_writes_of_visibility_and_a_wake_up_one_of_each(
    postgres: Postgres, temporal: Client, temporal_server: TemporalServer
) -> None:
    """The worker sends all statements, the API none. Temporal itself lists the worker's build after the first task."""
    async with idle_service(postgres, temporal) as service:
        of_worker, of_api = CountedDatabase(service.roles.worker.url), CountedDatabase(service.roles.api.url)
        counted = running_api(resources(of_api.database, service.temporal))
        async with build_worker(service.temporal, of_worker.database, service.roles.across_tenants), counted as url:
            tenant = await service.tenant()
            async with service.at(url).client(tenant.id) as http:
                await http.post(PATH, json=contract_example(scheduled_at=LATER))
                of_worker.take(), of_api.take()
                created = await http.post(PATH, json=contract_example(scheduled_at=LATER))
                assert created.status_code == 201
                assert len(said := of_worker.take()) == 2, said
                assert of_api.take() == []
                woken = await http.post(PATH, json=contract_example(scheduled_at=from_now(seconds=2)))
                await wait_until_closed(run_of(service, woken))
                assert len(said := of_worker.take()) == 2 + 1, said
                await http.post(PATH, json=contract_example(scheduled_at=LATER, attribute_keys=None))
                assert len(said := of_worker.take()) == 2, said
                async with asyncio.timeout(60):
                    while await count_visibility_writes(temporal_server, service.temporal.namespace) < 2 + 2 + 3 + 2:
                        await asyncio.sleep(0.05)
                assert await count_visibility_writes(temporal_server, service.temporal.namespace) == 2 + 2 + 3 + 2
        await of_worker.database.dispose()
        await of_api.database.dispose()


async def test_months_pass_in_the_run_and_it_is_marked_for_its_time_and_not_before(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """Only the run's clock is skipped, not PostgreSQL's: the mark is in the row before any reader may see it."""
    created = await http.post(PATH, json=contract_example(scheduled_at=from_now(days=90)))
    run = run_of(service, created)
    await TimeSkipper(service.temporal).fast_forward(run)
    assert await run.result() == "DUE"
    async with service.database.transactions.connect() as connection:
        of_tenant = select(ScheduledActivity).where(ScheduledActivity.tenant_id == tenant.id)
        row = (await connection.execute(of_tenant)).one()
    assert (row.status, row.due_at, row.marked_at) == ("DUE", row.scheduled_at, row.scheduled_at)
    assert row.lateness_ms == 0
    assert datetime.now(UTC) + timedelta(days=89) < row.due_at
    seen = await http.get(created.headers["Location"])
    assert seen.json() == created.json()
    assert seen.headers["ETag"] == created.headers["ETag"]
    trail = (await http.get(f"{created.headers['Location']}/status-events")).json()["data"]
    assert [line["eventType"] for line in trail] == ["CREATED"]


async def test_a_reset_of_a_finished_run_to_its_first_task_changes_no_answer_that_was_given(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    created = await http.post(PATH, json=contract_example())
    location = created.headers["Location"]
    before = await until(http, location, "DUE")
    run = run_of(service, created)
    await wait_until_closed(run)
    for _ in range(2):
        again = await reset_to_first_task(service.temporal, run)
        assert await wait_until_closed(again) is WorkflowExecutionStatus.COMPLETED
        after = (await http.get(location)).json()
        ignored = {"workflow", "updatedAt"}
        assert {k: v for k, v in after.items() if k not in ignored} == {
            k: v for k, v in before.items() if k not in ignored
        }
        trail = Counter(line["eventType"] for line in (await http.get(f"{location}/status-events")).json()["data"])
        assert (trail["CREATED"], trail["DUE"]) == (1, 1)
        async with service.database.transactions.connect() as connection:
            ids = select(ScheduledActivity.id).where(ScheduledActivity.tenant_id == tenant.id)
            assert [str(one) for one in (await connection.execute(ids)).scalars()] == [created.json()["id"]]
    repeated = await http.post(PATH, json=contract_example(idempotency_key=before["idempotencyKey"]))
    assert (repeated.status_code, repeated.json()["sameRequest"]) == (409, True)


async def test_a_reset_of_a_sleeping_run_goes_on_sleeping_and_is_marked_once(
    service: Service, http: httpx.AsyncClient
) -> None:
    created = await http.post(PATH, json=contract_example(scheduled_at=from_now(seconds=4)))
    again = await reset_to_first_task(service.temporal, run_of(service, created))
    assert await wait_until_closed(again) is WorkflowExecutionStatus.COMPLETED
    due = await until(http, created.headers["Location"], "DUE")
    assert due["id"] == created.json()["id"]
    assert due["markedAt"] >= due["scheduledAt"]
    trail = Counter(
        one["eventType"] for one in (await http.get(f"{created.headers['Location']}/status-events")).json()["data"]
    )
    assert (trail["CREATED"], trail["DUE"]) == (1, 1)


async def reset_to_first_task(temporal: Client, run: Handle) -> Handle:
    """Reset the run to its first task, as an operator does in the web UI."""
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    first_task = next(one.event_id for one in await read_history(run) if one.event_type == completed)
    answer = await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id or ""),
            reason="test",
            workflow_task_finish_event_id=first_task,
            request_id=str(uuid4()),
        ),
        retry=True,
    )
    return temporal.get_workflow_handle(run.id, run_id=answer.run_id)


async def test_an_operator_reads_what_a_run_is_what_it_did_and_what_it_waits_for(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    created = await http.post(PATH, json=contract_example(scheduled_at=LATER))
    run = run_of(service, created)
    described = await run.describe()
    assert await described.static_summary() == f"WHATSAPP MESSAGE for commerce {COMMERCE_ID} at 2031-01-01T00:00Z"
    attributes = {name: values[0] for name, values in described.search_attributes.items()}
    scheduled_at = attributes.pop("ScheduledAt")
    assert scheduled_at == datetime(2031, 1, 1, tzinfo=UTC)
    assert {name: value for name, value in attributes.items() if not name.startswith(("Build", "Temporal"))} == {
        "TenantId": str(tenant.id),
        "CommerceId": str(COMMERCE_ID),
        "ActivityId": created.json()["id"],
        "Channel": "WHATSAPP",
        "ActivityType": "MESSAGE",
        "ActivityStatus": "SCHEDULED",
    }
    details = (await run.query("__temporal_workflow_metadata")).current_details
    assert details == "**READY**: sleeps until 2031-01-01T00:00Z, then marks the activity as due at 2031-01-01T00:00Z."
    said = [MessageToDict(one.user_metadata) for one in await read_history(run) if one.HasField("user_metadata")]
    summaries = [_text(one["summary"]) for one in said if "summary" in one]
    assert summaries[0].startswith("WHATSAPP MESSAGE")
    assert summaries[1:] == [IN_ONE_GO, "until 2031-01-01T00:00Z"]
    readable = json.dumps([summaries, details, attributes, await described.memo()])
    for secret in (*CONTACTS.values(), "Name of", "Tienda Uno", "Monthly promotion"):
        assert secret not in readable


def _text(payload: dict[str, Any]) -> str:
    text: str = json.loads(base64.b64decode(payload["data"]))
    return text


async def test_a_creation_is_one_event_that_names_all_of_its_steps_and_holds_what_they_found(
    service: Service, http: httpx.AsyncClient
) -> None:
    created = await http.post(PATH, json=contract_example())
    run = run_of(service, created)
    await wait_until_closed(run)
    creation, mark = await read_local_steps(run)
    assert [name for name, _ in (creation, mark)] == ["create", "mark_due"]
    found, answered = creation[1], created.json()
    assert found["commerce_id"] == answered["commerceAssignment"]["commerceId"]
    assert found["reason"] == answered["reason"]
    assert found["target_users"][0]["commerce_user_id"] == answered["targetUsers"][0]["commerceUserId"]
    assert {one["key"] for one in found["attributes"]} == {one["key"] for one in answered["attributes"]}


async def read_local_steps(run: Handle) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the result of each local activity."""
    kept = [
        one.marker_recorded_event_attributes.details
        for one in await read_history(run)
        if one.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    ]
    return [
        (json.loads(one["data"].payloads[0].data)["activity_type"], json.loads(one["result"].payloads[0].data))
        for one in kept
    ]


async def test_the_list_of_failed_runs_shows_trouble_and_leaves_rejections_out(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service, work(service):
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            await http.post(PATH, json=contract_example(commerce_id=str(uuid4())))
            await http.post(PATH, json=contract_example(reason="no such reason"))
            async with service.database.transactions.begin() as connection:
                await connection.exec_driver_sql(
                    "ALTER TABLE scheduled_activities ADD CONSTRAINT planted CHECK (score <> 666)"
                )
            broken = contract_example(score=666)
            await http.post(PATH, json=broken)
            query = "ExecutionStatus='Failed'"
            async with asyncio.timeout(60):
                while (await service.temporal.count_workflows(query)).count < 3:
                    await asyncio.sleep(0.05)
            trouble = [run.id async for run in service.temporal.list_workflows(f"{query} AND {NOT_REJECTED}")]
    assert trouble == [f"{tenant.id}:{broken['idempotency_key']}"]


NOT_REJECTED = "ActivityStatus!='REJECTED'"


async def test_a_rejection_logs_no_warning(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert (await http.post(PATH, json=contract_example(commerce_id=str(uuid4())))).status_code == 404
        assert (await http.post(PATH, json=contract_example(reason="no such reason"))).status_code == 400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_rejected_creation_is_one_short_history_that_says_why(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    body = contract_example(commerce_id=str(uuid4()))
    await http.post(PATH, json=body)
    run = service.temporal.get_workflow_handle(f"{tenant.id}:{body['idempotency_key']}")
    assert await wait_until_closed(run) is WorkflowExecutionStatus.FAILED
    assert await read_cost(run) == (9, 3)
    last = (await read_history(run))[-1].workflow_execution_failed_event_attributes.failure
    assert last.application_failure_info.type == "commerce_not_found"
    described = await run.describe()
    assert described.search_attributes["ActivityStatus"] == ["REJECTED"]
