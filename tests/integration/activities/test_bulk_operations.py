"""Many at once: each activity is changed as if it alone had been meant, and nothing else is."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.client import WorkflowExecutionStatus

from api.http.auth import Permission
from db import bulk_operations as statements
from db import changes
from db.models import BulkOperationItem, StatusEvent
from db.rows import parts_of
from runs.change import Applied, Changes, Withdrawn
from runs.client import workflow_id
from runs.lead import Lead
from runs.recovery import Recovery
from tests.support.activities import created, trail
from tests.support.builders import LONG_AGO, Tenant, from_now
from tests.support.bulk import ACTIVITIES, begun, campaign, chosen, ended, outcomes, statuses, stopped
from tests.support.locks import row_locked
from tests.support.service import Service, until
from workflows.bulk import Chunk, bulk_workflow_id
from workflows.messages import ActivityRef, Apply, BringBack, Cancel
from workflows.words import ActivityStatus


async def test_a_dry_run_counts_and_shows_and_changes_nothing(http: httpx.AsyncClient) -> None:
    activities = await campaign(http, 3)
    await created(http)
    for verb, how in (("cancel", {}), ("reschedule", {"shift_seconds": 60})):
        body = {"filter": {"channel": "SMS"}, "reason": "a mistake", "dry_run": True, **how}
        answer = await http.post(f"{ACTIVITIES}/{verb}", json=body)
        assert answer.status_code == 200
        told = answer.json()
        assert (told["dryRun"], told["total"], [one["id"] for one in told["sample"]]) == (
            True,
            3,
            [one["id"] for one in activities],
        )
    assert await statuses(http, activities) == ["READY"] * 3


async def test_cancelling_many_cancels_all_that_are_meant_and_says_who_and_why(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    due = await created(http, channel="SMS", scheduled_at=LONG_AGO)
    await until(http, f"{ACTIVITIES}/{due['id']}", "DUE")
    meant, other = [due, *await campaign(http, 3)], await created(http)
    operation = await ended(http, await begun(http, "cancel", per_second=100))
    assert (operation["state"], operation["total"], operation["actor"]) == ("COMPLETED", 4, "tester")
    assert operation["counts"] == {"pending": 0, "applied": 4, "accepted": 0, "refused": 0, "failed": 0}
    assert outcomes(operation) == [(one["id"], "APPLIED") for one in meant]
    assert await statuses(http, [*meant, other]) == ["CANCELED"] * 4 + ["READY"]
    for one in meant:
        event = (await http.get(f"{ACTIVITIES}/{one['id']}/status-events")).json()["data"][-1]
        assert (event["eventType"], event["actor"], event["details"]["reason"]) == ("CANCELED", "tester", "a mistake")
        assert event["operationId"] == operation["id"]
    assert (await http.get(f"{ACTIVITIES}/{other['id']}/status-events")).json()["data"][0]["operationId"] is None
    runs = [service.temporal.get_workflow_handle(workflow_id(tenant.id, one["idempotencyKey"])) for one in meant[1:]]
    assert [await run.result() for run in runs] == ["CANCELED"] * 3


async def test_moving_many_moves_each_by_as_much_and_its_timer_with_it(http: httpx.AsyncClient) -> None:
    activities = await campaign(http, 3)
    operation = await ended(http, await begun(http, "reschedule", per_second=100, shift_seconds=-86400))
    assert operation["counts"]["applied"] == 3
    for one in activities:
        moved = await until(http, f"{ACTIVITIES}/{one['id']}", "DUE")
        shift = datetime.fromisoformat(moved["scheduledAt"]) - datetime.fromisoformat(one["scheduledAt"])
        assert shift == timedelta(days=-1)


async def test_moving_many_to_one_time_starts_runs_again_for_what_is_held_by_a_pause(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await http.put("/api/activity-config/pause", json={"paused": True, "reason": "a wrong price"})
    held = await created(http, channel="SMS", scheduled_at=LONG_AGO)
    assert await service.temporal.get_workflow_handle(workflow_id(tenant.id, held["idempotencyKey"])).result() == "DUE"
    await campaign(http, 1)
    operation = await ended(http, await begun(http, "reschedule", scheduled_at=from_now(days=90)))
    assert operation["counts"]["applied"] == 2
    found = (await http.get(ACTIVITIES, params={"channel": "SMS"})).json()["data"]
    assert [(one["status"], one["heldSince"]) for one in found] == [("READY", None)] * 2
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, held["idempotencyKey"]))
    assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_who_came_too_late_for_one_is_told_so_and_the_others_are_changed(
    service: Service, http: httpx.AsyncClient
) -> None:
    activities = await campaign(http, 6)
    operation = await begun(http, "reschedule", per_second=1, shift_seconds=3600)
    await chosen(http, operation)
    async with row_locked(service, activities[-1], BulkOperationItem.activity_id):  # its turn comes afterwards
        await http.post(f"{ACTIVITIES}/{activities[-1]['id']}/cancel", json={"reason": "first"})
    told = await ended(http, operation)
    assert outcomes(told) == [
        *((one["id"], "APPLIED") for one in activities[:-1]),
        (activities[-1]["id"], "REFUSED"),
    ]
    refused = (await http.get(operation, params={"outcome": "REFUSED"})).json()["items"]
    assert refused["meta"]["total"] == 1
    assert refused["data"][0]["code"] == "wrong_status"
    assert "CANCELED" in refused["data"][0]["detail"]


async def test_what_lost_its_run_is_tried_again_once_that_is_known(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """And it can be brought back, although a change of it was withdrawn after its end."""
    ended_by_hand, other = await campaign(http, 2)
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, ended_by_hand["idempotencyKey"]))
    await run.terminate("by mistake")
    told = await ended(http, await begun(http, "reschedule", shift_seconds=3600))
    assert outcomes(told) == [(ended_by_hand["id"], "REFUSED"), (other["id"], "APPLIED")]
    assert await statuses(http, [ended_by_hand, other]) == ["FAILED", "READY"]
    recovery = Recovery(service.temporal, service.database, Lead(0))
    await recovery.bring_back(ActivityRef(tenant_id=tenant.id, id=UUID(ended_by_hand["id"])), "tester", BringBack())
    assert await statuses(http, [ended_by_hand]) == ["READY"]


async def test_a_stopped_operation_leaves_the_rest_as_it_was(http: httpx.AsyncClient) -> None:
    activities = await campaign(http, 12)
    operation = await begun(http, "cancel", per_second=1)
    answer = await stopped(http, operation)
    assert answer["state"] == "STOPPED"
    applied = answer["counts"]["applied"]
    assert answer["counts"] | {"pending": 12 - applied} == answer["counts"]
    assert applied < 12
    assert await statuses(http, activities) == ["CANCELED"] * applied + ["READY"] * (12 - applied)
    again = await http.post(f"{operation}/stop")
    assert (again.status_code, again.json()) == (200, answer)


async def test_an_operation_is_started_once_however_often_it_is_asked_for(http: httpx.AsyncClient) -> None:
    (activity,) = await campaign(http, 1)
    mine = str(uuid4())
    first = await begun(http, "reschedule", shift_seconds=60, operation_id=mine)
    assert first == f"/api/operations/{mine}"
    await ended(http, first)
    assert await begun(http, "reschedule", shift_seconds=60, operation_id=mine) == first
    moved = (await http.get(f"{ACTIVITIES}/{activity['id']}")).json()["scheduledAt"]
    assert datetime.fromisoformat(moved) - datetime.fromisoformat(activity["scheduledAt"]) == timedelta(seconds=60)


async def test_a_change_that_is_carried_out_twice_writes_once(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http)
    changing = Changes(service.temporal, service.database, Lead(0))
    cancel = Cancel(reason="x")
    wanted = Apply(tenant_id=tenant.id, id=UUID(activity["id"]), key="bulk-operation:1", actor="tester", change=cancel)
    for status in (ActivityStatus.READY, ActivityStatus.READY, ActivityStatus.CANCELED):
        assert await changing.carry_out(wanted, activity["idempotencyKey"], status, 20) == Applied()
    events = select(func.count()).where(
        parts_of(StatusEvent, tenant.id, wanted.id), StatusEvent.event_type == "CANCELED"
    )
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(events)).scalar_one() == 1


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("cancel", {"filter": {}}, "/filter"),
        ("cancel", {"filter": {"status": ["COMPLETED"]}}, "/filter/status"),
        ("reschedule", {"filter": {"status": "DUE"}, "shift_seconds": 1}, "/filter/status"),
        ("cancel", {"filter": {"state": "READY"}}, "/filter/state"),
        ("cancel", {"filter": {"late": False}}, "/filter"),
        ("cancel", {"filter": {"status": [], "commerce_id": None, "late": False}}, "/filter"),
        ("cancel", {"filter": {"late": True}, "per_second": 101}, "/per_second"),
        ("reschedule", {"filter": {"late": True}}, ""),
        ("reschedule", {"filter": {"late": True}, "shift_seconds": 1, "scheduled_at": LONG_AGO}, ""),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    http: httpx.AsyncClient, verb: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await http.post(f"{ACTIVITIES}/{verb}", json={"reason": "x"} | body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_an_operation_whose_run_was_ended_in_temporal_can_be_stopped_and_does_not_go_on(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await campaign(http, 15)
    operation = await begun(http, "cancel", per_second=1)
    operation_id = UUID(operation.rsplit("/", 1)[-1])
    async with asyncio.timeout(60):
        while (await http.get(operation)).json()["state"] != "RUNNING":
            await asyncio.sleep(0.05)
    await service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, operation_id)).terminate()
    answer = await http.post(f"{operation}/stop")
    # A change that was begun when the run was ended may have no outcome: reconciliation ends such an operation.
    assert (answer.status_code, answer.json()["state"]) in {(200, "STOPPED"), (202, "STOPPING")}
    chunk = Chunk(tenant_id=tenant.id, id=operation_id, after=0, size=10, per_second=10)
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(statements.next_items_statement(chunk))).all() == []


@pytest.mark.parametrize("status", [ActivityStatus.READY, ActivityStatus.CANCELED])
async def test_a_withdrawn_change_is_carried_out_by_nobody_and_can_be_tried_under_another_key(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, status: ActivityStatus
) -> None:
    """By the run, or by the row as if the run had ended."""
    activity = await created(http)
    cancel = Cancel(reason="x")
    wanted = Apply(tenant_id=tenant.id, id=UUID(activity["id"]), key="first try", actor="tester", change=cancel)
    async with service.database.transactions.begin() as connection:
        assert await changes.withdraw_change(connection, wanted)
    changing = Changes(service.temporal, service.database, Lead(0))
    outcome = await changing.carry_out(wanted, activity["idempotencyKey"], status, 20)
    assert isinstance(outcome, Withdrawn)
    assert (await http.get(f"{ACTIVITIES}/{activity['id']}")).json()["status"] == "READY"
    again = wanted.model_copy(update={"key": "second try"})
    assert await changing.carry_out(again, activity["idempotencyKey"], status, 20) == Applied()
    async with service.database.transactions.begin() as connection:
        assert not await changes.withdraw_change(connection, again)
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "CHANGE_WITHDRAWN", "CANCELED"]


async def test_an_operation_is_its_tenants_and_stopping_it_takes_what_starting_it_took(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await campaign(http, 1)
    operation = await begun(http, "cancel")
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        assert (await theirs.get(operation)).status_code == 404
        assert (await theirs.post(f"{operation}/stop")).status_code == 404
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES, Permission.CREATE_ACTIVITY) as viewer:
        assert (await viewer.get(operation)).status_code == 200
        assert (await viewer.post(f"{operation}/stop")).status_code == 403
        assert (
            await viewer.post(f"{ACTIVITIES}/cancel", json={"filter": {"late": True}, "reason": "x"})
        ).status_code == 403
