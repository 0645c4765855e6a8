"""Test that input of the web UI's update form is validated as strictly as a request over REST."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
)
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from api.activities.schemas import ScheduledActivityCreate
from runs.change import Applied, Changes
from runs.client import workflow_id
from runs.lead import Lead
from runs.start import start_options
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service, browser_of, until
from workflows.bulk import bulk_workflow_id
from workflows.messages import Apply, Reschedule, ScheduledActivityInput
from workflows.words import ActivityStatus


async def run_in_browser(service: Service, tenant: Tenant, activity: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    """Return the activity's run as a browser sees it."""
    browser = await browser_of(service.temporal)
    return browser.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))


@pytest.mark.parametrize(
    ("verb", "typed"),
    [
        ("reschedule", {"scheduledAt": "2027-05-05T00:00:00Z"}),
        ("reschedule", {"scheduled_at": "9999-01-01T00:00:00Z"}),
        ("reschedule", {"score": 99_999_999_999}),
        ("reschedule", {"score": 1, "reason": "a\0b"}),
        ("cancel", {"reason": "a\0b"}),
        ("cancel", {"reason": "x" * 1001}),
        ("cancel", {"reason": " "}),
        ("cancel", {}),
        ("cancel", {"actor": "the boss"}),
        ("reschedule", {"score": 1, "lead_seconds": -1e12}),
        ("reschedule", {"score": 1, "lead_seconds": 1e300}),
        ("reschedule", {"score": 1, "if_versions": [1] * 101}),
    ],
)
async def test_what_can_not_be_carried_out_is_refused_at_once_and_changes_nothing(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, verb: str, typed: dict[str, Any]
) -> None:
    activity = await created(http)
    run = await run_in_browser(service, tenant, activity)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update(verb, typed)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "validation_failed"
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED"]


NUMBERS = ["-1e12", "1e300", "1e400", "-1", "NaN", "Infinity", "-Infinity", "-0.5", "9" * 5000, "9999999999999"]
TEXTS = ['""', '" "', '"a\\u0000b"', '"\\ud800"']
TIMES = ['"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"2030-01-01T00:00:00"', '"tomorrow"']
OTHERS = ["null", "true", "{}", "[]", "[[1]]", "[" * 250 + "]" * 250, json.dumps(["x"] * 5000), '{"a": NaN}']
ODD = [*NUMBERS, *TEXTS, *OTHERS, json.dumps("x" * 5000)]
FIELDS = {
    "cancel": ["reason"],
    "reschedule": [
        "scheduled_at",
        "suggested_execution_time",
        "score",
        "reason",
        "if_versions",
        "lead_seconds",
        "clear",
        "request_id",
        "traceparent",
    ],
    "execute_now": ["verb", "request_id", "traceparent"],
    "retry_resolution": ["verb"],
    "assign_target": ["target_user_id", "commerce_user_id"],
    "refresh": ["lead_seconds"],
}
VALID = {
    "cancel": '"reason": "x"',
    "reschedule": '"score": 1',
    "assign_target": f'"target_user_id": "{uuid4()}", "commerce_user_id": "{uuid4()}"',
}


def odd_arguments(verb: str) -> list[tuple[Payload, ...]]:
    """List argument lists in which one thing is odd: a field, the encoding or the number of the arguments."""
    valid = VALID.get(verb, '"a_field_of_tomorrow": 1')
    # The last of two equal members counts.
    odd_texts = [] if verb == "cancel" else TIMES  # as good a reason as any other
    odd = [*ODD, *odd_texts]
    typed = [f'{{{valid}, "{field}": {value}}}' for field in FIELDS.get(verb, []) for value in odd] + odd
    encoded = [
        Payload(metadata={"encoding": b"json/plain"}, data=b"{"),
        Payload(metadata={"encoding": b"json/plain"}, data=b"\xff"),
        Payload(metadata={"encoding": b"binary/null"}),
        Payload(metadata={"encoding": b"binary/plain"}, data=b"x"),
        Payload(metadata={"encoding": b"binary/protobuf", "messageType": b"temporal.api.common.v1.Payload"}),
        Payload(metadata={"encoding": b"json/protobuf", "messageType": b"no.such.Type"}, data=b"{}"),
        Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"),
        Payload(),
    ]
    single = [Payload(metadata={"encoding": b"json/plain"}, data=one.encode()) for one in typed] + encoded
    empty = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    return [*((one,) for one in single), (empty, empty), (empty, empty, encoded[2])]


@pytest.mark.parametrize("verb", [*FIELDS, "create", "no_such_update"])
async def test_an_odd_argument_is_rejected_or_harmless_and_the_run_goes_on(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, verb: str
) -> None:
    """A failure of the workflow task would be retried for ever, and nothing else would be answered meanwhile."""
    is_unresolved = verb == "execute_now"  # of a READY one, an empty object is carried out
    activity = await (unresolved(service, http, tenant) if is_unresolved else created(http))
    run, slots = await run_in_browser(service, tenant, activity), asyncio.Semaphore(8)

    async def send(arguments: tuple[Payload, ...]) -> None:
        async with slots, asyncio.timeout(60):
            try:
                await run.execute_update(verb, args=[RawValue(one) for one in arguments])
            except WorkflowUpdateFailedError:
                return

    await asyncio.gather(*map(send, odd_arguments(verb)))
    url = f"/api/activities/{activity['id']}"
    assert (await http.get(url)).json()["status"] == activity["status"]
    if is_unresolved:
        await activate(service, tenant, tenant.owner_id)
        assert (await http.patch(f"{url}/retry-resolution")).json()["status"] == "READY"
    moved = await http.patch(url, json={"scheduled_at": from_now(seconds=1)})
    assert moved.status_code == 200, moved.text
    await until(http, url, "DUE")


@pytest.mark.parametrize(
    "update_id", ["due", "created", "run:1", "wake-up:2", "restored:1", "ended:1", "a\0b", " ", "é", "x" * 201]
)
async def test_an_update_whose_id_would_harm_the_trail_is_rejected(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, update_id: str
) -> None:
    """An update is recorded under its id: under the id of the mark, the mark could never be recorded."""
    activity = await created(http)
    url, run = f"/api/activities/{activity['id']}", await run_in_browser(service, tenant, activity)
    with pytest.raises(WorkflowUpdateFailedError, match="update"):
        await run.execute_update("reschedule", {"score": 1}, id=update_id)
    assert (await http.patch(url, json={"scheduled_at": from_now(seconds=1)})).status_code == 200
    await until(http, url, "DUE")


async def test_the_trail_names_the_caller_of_the_api_and_never_the_actor_that_was_typed(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    run = await run_in_browser(service, tenant, activity)
    await run.execute_update("reschedule", {"score": 1, "actor": "the boss"})
    move = Reschedule(score=2)
    by_service = Apply(tenant_id=tenant.id, id=UUID(activity["id"]), key="by the service", actor="ana", change=move)
    changes = Changes(service.temporal, service.database, Lead(0))
    assert await changes.carry_out(by_service, activity["idempotencyKey"], ActivityStatus.READY, 20) == Applied()
    await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "x"}, headers={"actor": "the boss"})
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert [event["actor"] for event in events] == ["tester", "temporal-ui", "ana", "tester"]


@pytest.mark.parametrize("forged", [Payload(), Payload(metadata={"encoding": b"json/plain"}, data=b'{"a": "b"}')])
async def test_a_header_that_the_service_could_not_have_sent_names_no_actor(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, forged: Payload
) -> None:
    activity = await created(http)
    forging = Client(**service.temporal.config() | {"interceptors": [Forging(forged)]})
    run = forging.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    await run.execute_update("cancel", {"reason": "x"})
    events = (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
    assert (events[-1]["eventType"], events[-1]["actor"]) == ("CANCELED", "temporal-ui")


class Forging(Interceptor):
    """A client that sends a header of its own."""

    def __init__(self, header: Payload) -> None:
        self._header = header

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Replace the header of each update."""
        header = self._header

        class Forged(OutboundInterceptor):
            async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
                input.headers = {"actor": header}
                return await super().start_workflow_update(input)

        return Forged(next)


@pytest.mark.parametrize("lead_seconds", [-1e12, 1e300, 1e13, -1])
async def test_a_run_that_was_started_by_hand_with_an_odd_lead_marks_its_activity(
    service: Service, tenant: Tenant, lead_seconds: float
) -> None:
    body = contract_example(scheduled_at=from_now(seconds=2))
    request = ScheduledActivityCreate.model_validate_json(json.dumps(body)).as_request()
    typed = ScheduledActivityInput(id=uuid4(), tenant_id=tenant.id, request=request, lead_seconds=lead_seconds)
    await service.temporal.start_workflow(
        "ScheduledActivityWorkflow", typed, **start_options(typed, ActivityStatus.RESOLVING, request.scheduled_at)
    )
    async with service.client(tenant.id) as http:
        await until(http, f"/api/activities/{typed.id}", "DUE")


async def test_a_run_that_was_started_by_hand_names_no_actor(service: Service, tenant: Tenant) -> None:
    request = ScheduledActivityCreate.model_validate_json(json.dumps(contract_example(scheduled_at=from_now(hours=1))))
    typed = ScheduledActivityInput(id=uuid4(), tenant_id=tenant.id, request=request.as_request(), actor="the boss")
    await service.temporal.start_workflow(
        "ScheduledActivityWorkflow",
        typed,
        **start_options(typed, ActivityStatus.RESOLVING, typed.request.scheduled_at),
    )
    async with service.client(tenant.id) as http:
        await until(http, f"/api/activities/{typed.id}", "READY")
        (event,) = (await http.get(f"/api/activities/{typed.id}/status-events")).json()["data"]
    assert (event["eventType"], event["actor"]) == ("CREATED", "temporal-ui")


@pytest.mark.parametrize("typed", [[], [{}], [None, None]])
async def test_a_stop_stops_whatever_is_typed(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, typed: list[Any]
) -> None:
    await asyncio.gather(*(created(http) for _ in range(15)))  # more than are changed before the stop
    operation_id = uuid4()
    bulk = {"filter": {"channel": "WHATSAPP"}, "reason": "x", "operation_id": str(operation_id), "per_second": 1}
    (await http.post("/api/activities/cancel", json=bulk)).raise_for_status()
    browser = await browser_of(service.temporal)
    run = browser.get_workflow_handle(bulk_workflow_id(tenant.id, operation_id))
    async with asyncio.timeout(60):
        assert await run.execute_update("stop", args=typed) == "STOPPED"
    assert (await http.get(f"/api/operations/{operation_id}")).json()["actor"] == "tester"
