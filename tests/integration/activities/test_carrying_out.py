"""A change and its run: what is accepted is carried out, and a run that is gone is found out at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from embedded.postgres import Postgres
from runs.change import Accepted, Applied, Changes
from runs.client import workflow_id
from runs.lead import Lead
from tests.support.activities import created, marked_ahead, trail
from tests.support.builders import Tenant, from_now
from tests.support.intercepted import intercepted
from tests.support.locks import row_locked
from tests.support.service import Service, resources, running_api, until
from tests.support.worlds import idle_service, work
from workflows.messages import Apply, Cancel
from workflows.words import ActivityStatus


def losing_answers(temporal: Client) -> Client:
    """Return a client over which updates are accepted, but their outcome is never learned."""

    async def lose(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if rpc == "poll_workflow_execution_update":
            raise RPCError("the connection is gone", RPCStatusCode.UNAVAILABLE, b"")
        return await call()

    return intercepted(temporal, lose)


def run_of(service: Service, tenant: Tenant, activity: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    return service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))


async def until_accepted(run: WorkflowHandle[Any, Any]) -> None:
    """Return once the run's history has an accepted update besides the one that created it."""
    async with asyncio.timeout(60):
        while True:
            events = (await run.fetch_history()).events
            if sum(event.HasField("workflow_execution_update_accepted_event_attributes") for event in events) > 1:
                return
            await asyncio.sleep(0.1)


async def test_an_accepted_change_stays_accepted_when_the_connection_fails_afterwards(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    cancel = Cancel(reason="x")
    wanted = Apply(tenant_id=tenant.id, id=UUID(activity["id"]), key="cut off", actor="tester", change=cancel)
    changes = Changes(losing_answers(service.temporal), service.database, Lead(0))
    async with row_locked(service, activity):
        outcome = await changes.carry_out(wanted, activity["idempotencyKey"], ActivityStatus.READY, 20)
        assert outcome == Accepted()
    await until(http, f"/api/activities/{activity['id']}", "CANCELED")
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "CANCELED"]


async def test_a_change_that_is_accepted_but_not_known_to_be_written_is_202(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    url = f"/api/activities/{activity['id']}"
    async with running_api(resources(service.roles.api, losing_answers(service.temporal))) as api:
        hasty = service.at(api)
        async with hasty.client(tenant.id) as caller, row_locked(service, activity):
            answer = await caller.post(f"{url}/cancel", json={"reason": "x"})
    assert (answer.status_code, answer.json()["status"]) == (202, "READY"), answer.text
    await until(http, url, "CANCELED")


async def test_a_change_whose_run_is_ended_after_accepting_it_is_decided_by_the_row(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    cancel = Cancel(reason="x")
    wanted = Apply(tenant_id=tenant.id, id=UUID(activity["id"]), key="cut off", actor="tester", change=cancel)
    run = run_of(service, tenant, activity)
    changes = Changes(service.temporal, service.database, Lead(0))
    async with row_locked(service, activity):
        carrying = asyncio.create_task(changes.carry_out(wanted, activity["idempotencyKey"], ActivityStatus.READY, 20))
        await until_accepted(run)
        await run.terminate("by mistake")
    assert await carrying == Applied()
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "CANCELED"]


async def test_a_change_of_an_activity_whose_run_was_terminated_says_that_it_has_failed(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await created(http)
    await run_of(service, tenant, activity).terminate("wrong customer")
    answer = await http.patch(f"/api/activities/{activity['id']}", json={"score": 1})
    assert (answer.status_code, answer.json()["actualStatus"]) == (409, "FAILED")


async def test_a_cancellation_that_took_the_run_for_ended_ends_the_run_that_a_move_has_started_since(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    activity = await marked_ahead(service, tenant)
    moved = await http.patch(f"/api/activities/{activity['id']}", json={"scheduled_at": from_now(hours=1)})
    assert (moved.status_code, moved.json()["status"]) == (200, "READY")
    run = run_of(service, tenant, activity)
    await run.execute_update("refresh")  # it has read its row and sleeps
    cancel = Cancel(reason="x")
    wanted = Apply(
        tenant_id=tenant.id, id=UUID(activity["id"]), key="read before the move", actor="tester", change=cancel
    )
    changes = Changes(service.temporal, service.database, Lead(0))
    assert await changes.carry_out(wanted, activity["idempotencyKey"], ActivityStatus.DUE, 20) == Applied()
    async with asyncio.timeout(60):
        assert await run.result() == "CANCELED"


FOLLOWED_BY = """
    CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE scheduled_activities SET status = '{status}', due_at = NULL, marked_at = NULL, lateness_ms = NULL
            WHERE tenant_id = NEW.tenant_id AND id = NEW.activity_id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER follow AFTER INSERT ON status_events
        FOR EACH ROW WHEN (NEW.event_type = '{event}') EXECUTE FUNCTION follow();
"""
"""Another change that comes right after an event of this type, before the caller reads the activity again."""


@pytest.mark.parametrize(
    ("event", "status", "answered"),
    [("RESOLUTION_FAILED", "CANCELED", 409), ("DUE", "UNRESOLVED", 200)],
    ids=["not executed, then canceled", "executed, then unresolved"],
)
async def test_execute_now_is_judged_by_its_own_change_and_not_by_what_comes_after_it(
    postgres: Postgres, temporal: Client, event: str, status: str, answered: int
) -> None:
    async with idle_service(postgres, temporal) as service, work(service):
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            config = {"resolution_strategy": "ON_DISPATCH", "fallback_to_owner": event == "DUE", "criteria": []}
            config |= {"fallback_to_commerce_rep": False, "priority": 0}
            assert (await http.post("/api/activity-config/target-resolution", json=config)).status_code == 201
            activity = await created(http)
            with postgres.connect(str(service.database.url.database)) as connection:
                connection.execute(FOLLOWED_BY.format(status=status, event=event).encode())
            answer = await http.post(f"/api/activities/{activity['id']}/execute-now")
    told = answer.json()
    assert answer.status_code == answered, answer.text
    assert told["actualStatus" if answered == 409 else "status"] == status
