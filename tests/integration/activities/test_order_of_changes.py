"""Carry out changes and the mark in the order of acceptance, also while PostgreSQL refuses to write either."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from temporalio.client import WorkflowHandle

from runs.client import workflow_id
from tests.support.activities import trail
from tests.support.builders import Tenant, from_now
from tests.support.locks import locked_before_mark
from tests.support.service import Service

STEPS = {"cancel": "cancel", "move": "reschedule", "score": "reschedule", "execute now": "execute_now"}
EVENTS = {
    "cancel": ["CREATED", "CANCELED"],
    "move": ["CREATED", "RESCHEDULED"],
    "score": ["CREATED", "RESCHEDULED", "DUE"],
    "execute now": ["CREATED", "DUE"],
}

Run = WorkflowHandle[Any, Any]


async def send(http: httpx.AsyncClient, url: str, change: str) -> httpx.Response:
    """Send one of the changes."""
    if change == "cancel":
        return await http.post(f"{url}/cancel", json={"reason": "x"})
    if change == "execute now":
        return await http.post(f"{url}/execute-now")
    return await http.patch(url, json={"score": 3} if change == "score" else {"scheduled_at": from_now(hours=9)})


async def pending_steps(run: Run) -> set[str]:
    """Return the names of the steps that the web UI shows as pending."""
    pending = (await run.describe()).raw_description.pending_activities
    return {one.activity_id.split(":")[0] for one in pending}


async def until_pending(run: Run, step: str) -> None:
    """Return once this step is pending, and no other."""
    async with asyncio.timeout(90):
        while await pending_steps(run) != {step}:
            await asyncio.sleep(0.1)


async def until_woken(run: Run) -> None:
    """Return once the run's timer has fired."""
    async with asyncio.timeout(90):
        while "TIMER_FIRED" not in (await run.fetch_history()).to_json():
            await asyncio.sleep(0.1)


async def until_changed(http: httpx.AsyncClient, activity_id: str, change: str) -> list[str]:
    """Return the types of the activity's events once there are as many as the change and the mark leave."""
    async with asyncio.timeout(90):
        while len(events := await trail(http, activity_id)) < len(EVENTS[change]):
            await asyncio.sleep(0.1)
    page = (await http.get(f"/api/activities/{activity_id}/status-events")).json()["data"]
    assert page[-1]["details"] == {"executeNow": True} or change != "execute now"
    return [event[0] for event in events]


async def test_each_change_that_is_accepted_before_the_time_goes_before_the_mark(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    async def events_after(change: str) -> list[str]:
        async with locked_before_mark(service, http, seconds=3) as (activity, _):
            url, run = f"/api/activities/{activity['id']}", run_of(service, tenant, activity)
            changing = asyncio.create_task(send(http, url, change))
            await until_pending(run, STEPS[change])
            await until_woken(run)
            await run.query("__temporal_workflow_metadata")  # the run has been told of its time
            assert await pending_steps(run) == {STEPS[change]}
        assert (await changing).status_code in {200, 202}
        return await until_changed(http, activity["id"], change)

    assert await of_each(events_after) == EVENTS


async def test_each_change_that_is_accepted_while_the_mark_is_retried_goes_first(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    async def events_after(change: str) -> list[str]:
        async with locked_before_mark(service, http, seconds=1) as (activity, _):
            url, run = f"/api/activities/{activity['id']}", run_of(service, tenant, activity)
            await until_pending(run, "mark_due")
            changing = asyncio.create_task(send(http, url, change))
            await until_pending(run, STEPS[change])
        assert (await changing).status_code in {200, 202}
        return await until_changed(http, activity["id"], change)

    assert await of_each(events_after) == EVENTS


async def of_each(events_after: Callable[[str], Coroutine[Any, Any, list[str]]]) -> dict[str, list[str]]:
    """Return the events that each change leaves; all are tried at once, since each waits for seconds."""
    async with asyncio.TaskGroup() as group:
        tasks = {change: group.create_task(events_after(change)) for change in STEPS}
    return {change: task.result() for change, task in tasks.items()}


def run_of(service: Service, tenant: Tenant, activity: dict[str, Any]) -> Run:
    return service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
