"""Random changes at the same moment, and the timer among them: row, events and run agree at the end."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update
from temporalio.client import WorkflowExecutionStatus

from db.models import CommerceUser, ScheduledActivity, StatusEvent
from runs.client import workflow_id
from tests.support.activities import created, marked_ahead
from tests.support.builders import Tenant, from_now
from tests.support.service import Service

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "72"))
"""More interleavings take longer: INTERLEAVINGS=5000 make test ARGS=tests/integration/activities/test_races.py."""
AT_ONCE = 12
SEED = int(os.environ.get("SEED", "0")) or random.randrange(2**32)

STATUS_UNCHANGED = {"RESCHEDULED", "RESOLUTION_RETRY_FAILED", "RUN_RESET", "RUN_RESUMED", "CHANGE_WITHDRAWN"}
OPEN = {"READY", "UNRESOLVED"}


@dataclass(frozen=True)
class World:
    """The service, a tenant with people, and a random source that a seed repeats."""

    service: Service
    tenant: Tenant
    http: httpx.AsyncClient
    chance: random.Random


Born = Callable[[World], Awaitable[dict[str, Any]]]
Verb = Callable[[World, str, str], Awaitable[httpx.Response]]


async def cancel(world: World, url: str, _: str) -> httpx.Response:
    return await world.http.post(f"{url}/cancel", json={"reason": "race"})


async def move_near(world: World, url: str, _: str) -> httpx.Response:
    return await world.http.patch(url, json={"scheduled_at": from_now(seconds=world.chance.uniform(0, 1.5))})


async def move_far(world: World, url: str, _: str) -> httpx.Response:
    return await world.http.patch(url, json={"scheduled_at": from_now(hours=1)}, headers={"If-Match": '"1"'})


async def execute_now(world: World, url: str, _: str) -> httpx.Response:
    return await world.http.post(f"{url}/execute-now")


async def retry(world: World, url: str, _: str) -> httpx.Response:
    return await world.http.patch(f"{url}/retry-resolution")


async def assign(world: World, url: str, target: str) -> httpx.Response:
    body = {"commerce_user_id": str(world.tenant.owner_id)}
    return await world.http.patch(f"{url}/target-users/{target}/resolve", json=body)


VERBS: tuple[Verb, ...] = (cancel, move_near, move_far, execute_now, retry, assign)


async def one_interleaving(world: World, activity: dict[str, Any]) -> list[httpx.Response]:
    """Two to five changes, each after a moment of its own; the timer is set to come in between."""
    url, target = f"/api/activities/{activity['id']}", activity["targetUsers"][0]["id"]

    async def after_a_moment(verb: Verb) -> httpx.Response:
        await asyncio.sleep(world.chance.choice((0, 0, world.chance.uniform(0, 0.8))))
        return await verb(world, url, target)

    verbs = world.chance.choices(VERBS, k=world.chance.randint(2, 5))
    return list(await asyncio.gather(*(after_a_moment(verb) for verb in verbs)))


async def ready(world: World) -> dict[str, Any]:
    """Due in the middle of it all, or much later."""
    soon = world.chance.random() < 0.5
    return await created(world.http, scheduled_at=from_now(seconds=world.chance.uniform(0.2, 1.5) if soon else 3600))


async def lacking(world: World) -> dict[str, Any]:
    """UNRESOLVED, for a commerce user who is active again when the changes come."""
    body = await ready(world)
    assert body["status"] == "UNRESOLVED"
    return body


async def marked(world: World) -> dict[str, Any]:
    """Wait until the run has ended with a mark ahead: from then on the row alone decides."""
    return await marked_ahead(world.service, world.tenant)


async def set_active(world: World, *, active: bool) -> None:
    async with world.service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser).where(CommerceUser.tenant_id == world.tenant.id).values(is_active=active)
        )


async def settled(world: World, activity: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The row, its events and its run, once nothing moves any more: no timer is due and no run is about to end."""
    run = world.service.temporal.get_workflow_handle(workflow_id(world.tenant.id, activity["idempotencyKey"]))
    mine = ScheduledActivity.id == UUID(activity["id"])
    due = (ScheduledActivity.status == "READY") & (ScheduledActivity.scheduled_at < func.now() + timedelta(minutes=10))
    give_up_at = time.monotonic() + 60
    while True:
        async with world.service.database.transactions.connect() as connection:
            row = (await connection.execute(select(ScheduledActivity.__table__, due.label("due")).where(mine))).one()
            status = (await run.describe()).status
            if not row.due and (status is WorkflowExecutionStatus.RUNNING) == (row.status in OPEN):
                events = await connection.execute(
                    select(StatusEvent)
                    .where(StatusEvent.activity_id == UUID(activity["id"]))
                    .order_by(StatusEvent.number)
                )
                return row, list(events)
        assert time.monotonic() < give_up_at, f"seed {SEED}: row {row.status} for {row.scheduled_at}, run {status}"
        await asyncio.sleep(0.1)


def is_cancel(answer: httpx.Response) -> bool:
    return answer.request.url.path.endswith("/cancel")


def is_execution(answer: httpx.Response) -> bool:
    return answer.request.url.path.endswith("/execute-now")


def is_move(answer: httpx.Response) -> bool:
    return answer.request.method == "PATCH" and answer.request.url.path.count("/") == 3


def check(activity: dict[str, Any], answers: list[httpx.Response], row: Any, events: list[Any]) -> None:
    """Assert the laws that hold for every order of the changes."""
    said = [(a.request.method, str(a.request.url.path)[52:], a.json().get("detail", a.status_code)) for a in answers]
    events = [event for event in events if event.event_type != "CHANGE_REFUSED"]
    chain = [(event.event_type, event.from_status, event.to_status) for event in events]
    context = f"seed {SEED}: {chain} {said}"
    assert {answer.status_code for answer in answers} <= {200, 409, 412, 503}, context
    unheard = [answer for answer in answers if answer.status_code == 503 and "Nothing was changed" not in answer.text]
    assert all("may have been carried out or not" in answer.text for answer in unheard), context
    for (_, _, before), (_, origin, _) in pairwise(chain):
        assert origin == before, context
    assert all(to == origin for kind, origin, to in chain if kind in STATUS_UNCHANGED), context
    assert chain[-1][2] == row.status, context
    kinds = [kind for kind, *_ in chain]
    assert kinds.count("CREATED") == 1, context
    assert kinds.count("DUE") <= 1, context
    assert kinds.count("CANCELED") <= 1, context
    if "CANCELED" in kinds:
        assert kinds[-1] == "CANCELED", context
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["actualStatus"] in {activity["status"], *(to for _, _, to in chain)}, context
    winners = [answer for answer in answers if answer.status_code == 200]
    canceled, executed, moved = (sum(map(kind, winners)) for kind in (is_cancel, is_execution, is_move))
    for is_of_kind, won, written in (
        (is_cancel, min(canceled, 1), kinds.count("CANCELED")),  # a repeated cancel is 200 as well
        (is_execution, executed, sum((event.details or {}).get("executeNow", False) for event in events)),
        (is_move, moved, kinds.count("RESCHEDULED")),
    ):
        assert won <= written <= won + sum(map(is_of_kind, unheard)), context
    assert row.version >= len(events) - kinds.count("CHANGE_WITHDRAWN"), context


@pytest.mark.parametrize("born", [ready, lacking, marked])
async def test_every_race_has_one_winner_and_row_events_and_run_agree_in_the_end(service: Service, born: Born) -> None:
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        world = World(service, tenant, http, random.Random(SEED))
        for first in range(0, INTERLEAVINGS, 3 * AT_ONCE):
            some = range(min(AT_ONCE, -(-(INTERLEAVINGS - first) // 3)))
            await set_active(world, active=born is not lacking)
            activities = await asyncio.gather(*(born(world) for _ in some))
            await set_active(world, active=True)
            answers = await asyncio.gather(*(one_interleaving(world, activity) for activity in activities))
            for activity, heard in zip(activities, answers, strict=True):
                row, events = await settled(world, activity)
                check(activity, heard, row, events)
