"""Test what happens to a row while a transaction that has locked it asks Temporal."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client
from temporalio.service import RPCError

from db import changes
from db.marks import mark_due_statement
from db.models import ScheduledActivity, TenantPause
from db.rows import address
from db.tenant import acting_for
from runs.change import Changes, decide_again
from runs.client import workflow_id
from runs.lead import Lead
from runs.locked import LockedCalls
from runs.recovery import Recovery
from runs.restoration import MissingRow, Restoration
from tests.support.activities import created, marked_ahead, trail
from tests.support.builders import Tenant, from_now
from tests.support.hand_off import insert_rows
from tests.support.intercepted import intercepted
from tests.support.restoration import lose_row
from tests.support.service import Service, resources, running_api
from workflows.messages import ActivityRef, Apply, BringBack, Cancel, Change, MarkDue, Reschedule, Snapshot, Terminate
from workflows.words import ActivityStatus

PAUSE = "/api/activity-config/pause"


async def held(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> dict[str, Any]:
    """Return an activity whose mark a pause keeps invisible."""
    assert (await http.put(PAUSE, json={"paused": True, "reason": "stocktaking"})).status_code == 200
    activity = await created(http, scheduled_at="2025-01-16T09:00:00.000Z")
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    assert await run.result() == "DUE"
    return activity


async def end_pause(service: Service, tenant: Tenant) -> None:
    """Make a held mark visible, although its row is locked."""
    async with service.database.autocommit.connect() as connection:
        await connection.execute(delete(TenantPause).where(TenantPause.tenant_id == tenant.id))


def build_apply(tenant: Tenant, activity: dict[str, Any], change: Change) -> Apply:
    return Apply.model_validate(
        {"tenant_id": tenant.id, "id": activity["id"], "key": str(uuid4()), "actor": "tester", "change": change}
    )


async def test_a_move_is_refused_if_the_mark_becomes_visible_while_a_run_is_started(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await held(service, tenant, http)
    url = f"/api/activities/{activity['id']}"
    seen = []

    async def become_visible(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
        answer = await call()
        if rpc == "start_workflow_execution":
            await end_pause(service, tenant)
            seen.append((await http.get(url)).json()["status"])
        return answer

    client = intercepted(service.temporal, become_visible)
    async with running_api(resources(service.roles.api, client)) as api:
        caller = service.at(api).client(tenant.id)
        async with caller:
            answer = await caller.patch(url, json={"scheduled_at": from_now(hours=1)})
    assert (answer.status_code, answer.json()["actualStatus"]) == (409, "DUE"), answer.text
    assert seen == ["DUE"]
    assert (await http.get(url)).json()["status"] == "DUE"
    assert await trail(http, activity["id"]) == [("CREATED", None, "READY"), ("DUE", "READY", "DUE")]
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    async with asyncio.timeout(60):
        assert await run.result() == "DUE"


CHANGES = [Reschedule(scheduled_at=datetime(2031, 1, 1, tzinfo=UTC)), Reschedule(score=3), Cancel()]


@pytest.mark.parametrize("change", CHANGES, ids=["move", "score", "cancel"])
async def test_a_change_that_a_mark_overtakes_is_rolled_back(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, change: Change
) -> None:
    activity = await held(service, tenant, http)
    wanted = build_apply(tenant, activity, change)

    async def apply() -> None:
        async with service.database.transactions.begin() as connection:
            seen = await changes.lock_activity(connection, wanted)
            async with changes.unseen_mark(connection, wanted, seen):
                await changes.apply_change(connection, wanted)
                await end_pause(service, tenant)

    with pytest.raises(changes.MarkIsVisibleError):
        await apply()
    assert await trail(http, activity["id"]) == [("CREATED", None, "READY"), ("DUE", "READY", "DUE")]


async def test_a_change_is_rolled_back_if_the_time_of_the_mark_comes_before_its_end(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await marked_ahead(service, tenant)
    wanted = build_apply(tenant, activity, Cancel())
    this = update(ScheduledActivity).where(address(wanted.tenant_id, wanted.id))

    async def lock_shortly_before(connection: AsyncConnection) -> Snapshot:
        """Set the time of the mark, and lock the activity before it; on a busy machine it may come first."""
        while True:
            soon = (await connection.execute(select(func.clock_timestamp() + timedelta(seconds=3)))).scalar_one()
            await connection.execute(this.values(scheduled_at=soon, due_at=soon, marked_at=soon))
            await connection.commit()
            seen = await changes.lock_activity(connection, wanted)
            if seen.status is ActivityStatus.READY:
                return seen

    async def change_slowly() -> None:
        async with service.database.transactions.connect() as connection:
            seen = await lock_shortly_before(connection)
            async with changes.unseen_mark(connection, wanted, seen):
                await connection.execute(text("SELECT pg_sleep_for('3.1 seconds')"))

    with pytest.raises(changes.MarkIsVisibleError):
        await change_slowly()
    assert (await http.get(f"/api/activities/{activity['id']}")).json()["status"] == "DUE"


async def test_a_cancellation_that_a_mark_overtakes_is_decided_again(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await held(service, tenant, http)
    wanted = build_apply(tenant, activity, Cancel())
    overtaken = []

    @decide_again
    async def cancel() -> None:
        async with service.database.transactions.begin() as connection:
            seen = await changes.lock_activity(connection, wanted)
            async with changes.unseen_mark(connection, wanted, seen):
                await changes.apply_change(connection, wanted)
                overtaken.append(seen.status)
                await end_pause(service, tenant)

    await cancel()
    assert overtaken == ["READY", "DUE"]
    assert (await trail(http, activity["id"]))[1:] == [("DUE", "READY", "DUE"), ("CANCELED", "DUE", "CANCELED")]


async def settle(client: Client, service: Service, ref: ActivityRef) -> Any:
    return await Recovery(client, service.database, Lead(0)).settle(ref)


async def bring_back(client: Client, service: Service, ref: ActivityRef) -> Any:
    async with service.database.transactions.begin() as connection:
        terminate = {"tenant_id": ref.tenant_id, "id": ref.id, "key": "t", "actor": "tester"}
        await changes.apply_change(connection, Apply(**terminate, change=Terminate(reason="by mistake")))
    return await Recovery(client, service.database, Lead(0)).bring_back(ref, "tester", BringBack(reason="x"))


async def cancel_without_run(client: Client, service: Service, ref: ActivityRef) -> Any:
    wanted = Apply(tenant_id=ref.tenant_id, id=ref.id, key="c", actor="tester", change=Cancel())
    return await Changes(client, service.database, Lead(0))._write_to_row(wanted)


async def move_mark_ahead(client: Client, service: Service, ref: ActivityRef) -> Any:
    async with service.database.autocommit.connect() as connection:
        await connection.execute(*mark_due_statement(MarkDue(tenant_id=ref.tenant_id, id=ref.id, version=1)))
    change = Reschedule(scheduled_at=datetime(2031, 1, 1, tzinfo=UTC))
    wanted = Apply(tenant_id=ref.tenant_id, id=ref.id, key="m", actor="tester", change=change)
    return await Changes(client, service.database, Lead(0))._write_to_row(wanted)


@pytest.mark.parametrize("write", [settle, bring_back, cancel_without_run, move_mark_ahead])
async def test_a_row_is_free_before_others_give_up_if_temporal_does_not_answer(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, write: Callable[..., Coroutine[Any, Any, Any]]
) -> None:
    activity = await created(http)
    ref = ActivityRef(tenant_id=tenant.id, id=UUID(activity["id"]))
    asked = asyncio.Event()

    async def keep_silent(_: str, __: Callable[[], Awaitable[Any]]) -> Any:
        asked.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(write(intercepted(service.temporal, keep_silent), service, ref))
    async with asyncio.timeout(60):
        await asked.wait()
    async with service.database.transactions.begin() as connection:  # it waits for a lock as long as every request does
        assert (await changes.lock_activity(connection, ref)).status is not None
    with pytest.raises(RPCError):
        await writing


async def test_a_key_is_free_before_others_give_up_if_temporal_does_not_answer_a_restoration(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity = await created(http, idempotency_key="restored-1", scheduled_at="2025-01-16T09:00:00.000Z")
    run = workflow_id(tenant.id, activity["idempotencyKey"])
    assert await service.temporal.get_workflow_handle(run).result() == "DUE"
    await lose_row(service, activity)
    asked = asyncio.Event()

    async def start_nothing(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if rpc != "start_workflow_execution":
            return await call()
        asked.set()
        return await asyncio.Event().wait()

    restoration = Restoration(intercepted(service.temporal, start_nothing), service.roles.worker, Lead(0))
    with acting_for(tenant.id):
        restoring = asyncio.create_task(restoration.restore(MissingRow(tenant.id, UUID(activity["id"]), run)))
    async with asyncio.timeout(60):
        await asked.wait()
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="restored-")
    with pytest.raises(RPCError):
        await restoring


async def test_the_calls_of_a_transaction_share_one_limit() -> None:
    calls = LockedCalls(timedelta(milliseconds=50))
    for _ in range(2):
        with pytest.raises(RPCError):
            await calls.limit(asyncio.Event().wait())
    assert await LockedCalls().limit(asyncio.sleep(0, "answer")) == "answer"
