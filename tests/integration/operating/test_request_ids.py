"""Test that one request id is found in the API's lines, in the worker's and in the trail, and what the lines hold."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from embedded.postgres import Postgres
from runs.payloads import build_data_converter
from runs.runtime import open_runtime
from runs.sandbox import Sandbox
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.bulk import ended
from tests.support.changed_workflow import Careless
from tests.support.service import Service, until
from tests.support.worlds import idle_service, work

URL = "/api/activities"
LATER = "2031-01-01T00:00:00.000Z"
ASLEEP = (Path(__file__).parents[2] / "replay" / "asleep.json").read_text()
ONE = "/api/activities/{activity_id}"


def header(request_id: str) -> dict[str, str]:
    """The header that names a request."""
    return {"X-Request-Id": request_id}


def lines_of(log: StringIO, **members: object) -> list[dict[str, Any]]:
    """The lines of the log that have these members."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if members.items() <= line.items()]


async def ids_by_event(http: httpx.AsyncClient, activity_id: str) -> dict[str, str | None]:
    """The request ids of an activity's trail, by the type of the event."""
    events = (await http.get(f"{URL}/{activity_id}/status-events")).json()["data"]
    return {event["eventType"]: event["requestId"] for event in events}


@pytest.fixture
async def own_world(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """Run a service with a worker that no other test uses, so that the log has its lines alone."""
    async with idle_service(postgres, temporal) as service, work(service):
        yield service


@pytest.fixture
async def caller(own_world: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A caller in that world."""
    tenant = await own_world.tenant()
    async with own_world.client(tenant.id, subject="ana") as http:
        yield http


async def test_one_request_id_is_in_the_apis_line_in_the_workers_line_and_in_the_trail(
    log: StringIO, caller: httpx.AsyncClient
) -> None:
    created = await caller.post(URL, json=contract_example(scheduled_at=LATER), headers=header("creation-1"))
    url = created.headers["Location"]
    await caller.patch(url, json={"score": 7}, headers=header("move-2"))
    await caller.post(f"{url}/execute-now", headers=header("now-3"))
    activity_id = created.json()["id"]
    routes = {"creation-1": URL, "move-2": ONE, "now-3": f"{ONE}/execute-now"}
    for request_id, route in routes.items():
        (answered,) = lines_of(log, request_id=request_id, event="request answered")
        assert (answered["route"], answered["activity_id"], answered["actor"]) == (route, activity_id, "ana")
    steps = {"creation-1": "create", "move-2": "apply_change", "now-3": "apply_change"}
    for request_id, step in steps.items():
        (finished,) = lines_of(log, request_id=request_id, event="step finished")
        assert (finished["step"], finished["activity_id"]) == (step, activity_id)
    trail = await ids_by_event(caller, activity_id)
    assert trail == {"CREATED": "creation-1", "RESCHEDULED": "move-2", "DUE": "now-3"}


async def test_what_a_run_does_at_its_time_has_the_id_of_the_creation(log: StringIO, caller: httpx.AsyncClient) -> None:
    created = await caller.post(URL, json=contract_example(), headers=header("creation-1"))
    await until(caller, created.headers["Location"], "DUE")
    async with asyncio.timeout(60):
        while not lines_of(log, request_id="creation-1", step="mark_due", event="step finished"):
            await asyncio.sleep(0.05)
    trail = await ids_by_event(caller, created.json()["id"])
    assert trail == {"CREATED": "creation-1", "DUE": "creation-1"}


async def test_an_executors_requests_are_in_the_trail_and_their_lines_name_the_activities(
    log: StringIO, caller: httpx.AsyncClient
) -> None:
    created = await caller.post(URL, json=contract_example(), headers=header("creation-1"))
    await until(caller, created.headers["Location"], "DUE")
    activity_id = created.json()["id"]
    body = {"channels": [contract_example()["channel"]], "executor": "me"}
    claimed = await caller.post("/api/executions/claim", json=body, headers=header("claim-2"))
    (one,) = claimed.json()["data"]
    lease = f"/api/executions/{one['leaseToken']}"
    await caller.post(f"{lease}/extend", json={"lease_seconds": 60}, headers=header("extend-3"))
    result = {"activity_id": activity_id, "status": "COMPLETED", "occurred_at": from_now()}
    reported = await caller.post("/api/activity-results/tasks", json=result, headers=header("result-4"))
    assert reported.status_code == 201, reported.text
    trail = await ids_by_event(caller, activity_id)
    later = {"DISPATCHED": "claim-2", "LEASE_EXTENDED": "extend-3", "RESULT_RECEIVED": "result-4"}
    assert trail == {"CREATED": "creation-1", "DUE": "creation-1", **later}
    assert lines_of(log, request_id="claim-2")[-1]["activity_ids"] == [activity_id]
    for request_id in ("extend-3", "result-4"):
        assert lines_of(log, request_id=request_id)[-1]["activity_id"] == activity_id


async def test_the_changes_of_a_bulk_operation_have_the_id_of_its_request(
    log: StringIO, caller: httpx.AsyncClient
) -> None:
    created = await caller.post(URL, json=contract_example(scheduled_at=LATER), headers=header("creation-1"))
    wanted = {"filter": {"channel": contract_example()["channel"]}, "reason": "gone"}
    accepted = await caller.post(f"{URL}/cancel", json=wanted, headers=header("bulk-2"))
    await ended(caller, accepted.headers["Location"])
    trail = await ids_by_event(caller, created.json()["id"])
    assert trail == {"CREATED": "creation-1", "CANCELED": "bulk-2"}
    steps = [line["step"] for line in lines_of(log, request_id="bulk-2", event="step finished")]
    assert steps[:2] == ["collect", "apply_change"]
    assert set(steps[2:]) == {"change_some"}


async def test_the_steps_of_an_erasure_have_the_id_of_its_request(log: StringIO, caller: httpx.AsyncClient) -> None:
    await caller.post(URL, json=contract_example(scheduled_at=LATER))
    url = f"/api/commerces/{COMMERCE_ID}/personal-data"
    accepted = await caller.delete(url, params={"cancel_open": True}, headers=header("erasure-2"))
    operation = await ended(caller, accepted.headers["Location"])
    assert operation["counts"]["applied"] == 1
    steps = {line["step"] for line in lines_of(log, request_id="erasure-2", event="step finished")}
    assert steps == {"collect", "apply_change", "change_some"}


async def test_the_line_of_a_409_names_the_activity_that_exists(log: StringIO, caller: httpx.AsyncClient) -> None:
    body = contract_example(scheduled_at=LATER)
    created = await caller.post(URL, json=body)
    assert (await caller.post(URL, json=body, headers=header("again"))).status_code == 409
    (answered,) = lines_of(log, request_id="again", event="request answered")
    assert answered["activity_id"] == created.json()["id"]


async def test_the_line_of_a_rejected_creation_names_its_code_and_not_its_text(
    log: StringIO, caller: httpx.AsyncClient
) -> None:
    refused = await caller.post(URL, json=contract_example(reason="Llamar a María"), headers=header("refused"))
    assert refused.status_code == 400
    (rejected,) = lines_of(log, request_id="refused", event="step rejected")
    assert rejected["code"] == "unknown_reason"
    assert "María" not in log.getvalue()


async def test_a_change_from_the_web_ui_can_not_bring_an_id_that_the_api_could_not_have(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at=LATER))
    run = service.temporal.get_workflow_handle(f"{tenant.id}:{created.json()['idempotencyKey']}")
    with pytest.raises(Exception, match="Workflow update failed") as refused:
        await run.execute_update("cancel", {"reason": "x", "request_id": "two words"}, id=str(uuid4()))
    assert "request_id must have" in str(refused.value.__cause__)


async def test_the_lines_of_the_sdks_rust_part_go_through_the_log(log: StringIO) -> None:
    replayer = Replayer(
        workflows=[Careless],
        workflow_runner=Sandbox("tests"),
        data_converter=build_data_converter(None),
        runtime=open_runtime(),
    )
    broken = await replayer.replay_workflow(WorkflowHistory.from_json("", ASLEEP), raise_on_replay_failure=False)
    assert broken.replay_failure
    async with asyncio.timeout(60):
        while not (found := lines_of(log, logger="temporalio.core")):  # they are sent in batches
            await asyncio.sleep(0.05)
    assert {"event", "target", "level", "timestamp", "process"} <= found[0].keys()
    assert found[0]["target"].startswith("temporalio_")
