"""Test that rows and runs that differ agree again after a round, for every cause."""

import asyncio
import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text, update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.schedule.v1 import Schedule as WrittenSchedule
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import CreateScheduleRequest, PollWorkflowExecutionUpdateRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities_impl.reconciliation import Reconciliation
from db import changes
from db.across_tenants import open_rows_statement
from db.models import ScheduledActivity
from embedded.postgres import Postgres
from embedded.temporal_server import running_temporal
from runs.client import TASK_QUEUE
from runs.lead import Lead
from runs.schedule import SCHEDULE_ID, SCHEDULE_IDS, ensure_schedule
from tests.support.activities import activate, created, reset, trail, unresolved
from tests.support.builders import contract_example, from_now
from tests.support.hand_off import claim, run_out
from tests.support.locks import locked_before_mark
from tests.support.operate import operate
from tests.support.reconciliation import forget, reconciled, round_of, run_of, until_asleep, until_found
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import idle_service, new_database, work
from worker import keep_scheduled
from workflows import search_attributes
from workflows.findings import Compared, Finding, Listing, Page, Part, Reconcile
from workflows.messages import Apply, AssignTarget, Cancel, ExecuteNow, Reschedule
from workflows.reconciliation import ReconciliationWorkflow

ROOT = Path(__file__).parents[3]
FIRST_TASK = 4
"""The event that ends the first workflow task of a run: before it are its start, the task and its begin."""
NO_LEAD = Lead(0)


@pytest.mark.parametrize("reason", ["a\0b", "\0", "x" * 100_000])
async def test_a_termination_for_a_reason_that_can_not_be_stored_is_found(
    own: tuple[str, Service], reason: str
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await run_of(service, tenant, activity).terminate(reason=reason)
        await until_found(service.temporal, Finding.TERMINATED, activity["id"])
        failed = (await http.get(f"/api/activities/{activity['id']}")).json()
        assert (failed["status"], failed["statusReason"]) == (
            "FAILED",
            f"The run was ended in Temporal: {reason[:500]}".replace("\0", "\ufffd"),
        )


@pytest.mark.parametrize("reason", ["a\0b", "x" * 100_000])
async def test_a_run_that_is_cancelled_for_a_reason_that_can_not_be_stored_cancels_its_row(
    own: tuple[str, Service], reason: str
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        run = run_of(service, tenant, activity)
        await run.cancel(reason=reason)
        with pytest.raises(WorkflowFailureError):
            await run.result()
        canceled = (await http.get(f"/api/activities/{activity['id']}")).json()
        assert (canceled["status"], canceled["statusReason"]) == (
            "CANCELED",
            f"The run was cancelled in Temporal: {reason[:500]}".replace("\0", "\ufffd"),
        )


async def test_where_rows_and_runs_agree_a_round_changes_nothing(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activities = [await created(http) for _ in range(5)]
        await until_asleep(service.temporal, 5)
        found = await reconciled(service.temporal, size=2)
        assert (found.rows, {finding for finding, count in found.counts.items() if count}) == (5, set())
        for activity in activities:
            assert (await http.get(f"/api/activities/{activity['id']}")).headers["ETag"] == '"1"'


async def test_a_termination_is_found_told_and_undone_by_one_command(
    own: tuple[str, Service],
) -> None:
    url, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await run_of(service, tenant, activity).terminate(reason="wrong customer")
        await until_found(service.temporal, Finding.TERMINATED, activity["id"])
        failed = (await http.get(f"/api/activities/{activity['id']}")).json()
        assert (failed["status"], failed["statusReason"]) == (
            "FAILED",
            "The run was ended in Temporal: wrong customer",
        )
        back = operate(
            service.temporal, url, "bring-back", activity["id"], "--tenant", str(tenant.id), "--reason", "a mistake"
        )
        assert (back.returncode, " is READY again" in back.stdout) == (0, True), back
        again = operate(service.temporal, url, "bring-back", activity["id"], "--tenant", str(tenant.id))
        assert (again.returncode, "Nothing was changed: The activity is READY" in again.stderr) == (1, True)
        await become_due(http, activity)
        assert await trail(http, activity["id"]) == [
            ("CREATED", None, "READY"),
            ("TERMINATED_BY_OPERATOR", "READY", "FAILED"),
            ("BROUGHT_BACK", "FAILED", "READY"),
            ("RESCHEDULED", "READY", "READY"),
            ("DUE", "READY", "DUE"),
        ]


async def become_due(http: httpx.AsyncClient, activity: dict[str, Any]) -> None:
    """Move the activity, so that its run sleeps a moment more, and wait until it is marked."""
    url = f"/api/activities/{activity['id']}"
    async with asyncio.timeout(60):
        while (moved := await http.patch(url, json={"scheduled_at": from_now(seconds=1)})).status_code == 503:
            assert "Nothing was changed, and nothing will be." in moved.text  # no worker took it in time
    assert moved.status_code == 200, moved.text
    await until(http, url, "DUE")


async def test_an_unresolved_activity_comes_back_unresolved_with_its_reason(
    own: tuple[str, Service],
) -> None:
    url, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await unresolved(service, http, tenant)
        await run_of(service, tenant, activity).terminate()
        await until_found(service.temporal, Finding.TERMINATED, activity["id"])
        operate(service.temporal, url, "bring-back", activity["id"], "--tenant", str(tenant.id))
        back = (await http.get(f"/api/activities/{activity['id']}")).json()
        assert (back["status"], back["statusReason"]) == ("UNRESOLVED", activity["statusReason"])


async def test_an_activity_whose_terminated_run_was_reset_can_still_be_brought_back(own: tuple[str, Service]) -> None:
    url, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        run = run_of(service, tenant, activity)
        await run.terminate()
        await until_found(service.temporal, Finding.TERMINATED, activity["id"])
        await reset(service, run, FIRST_TASK)
        assert await run_of(service, tenant, activity).result() == "FAILED"
        back = operate(service.temporal, url, "bring-back", activity["id"], "--tenant", str(tenant.id))
        assert (back.returncode, " is READY again" in back.stdout) == (0, True), back
        assert await trail(http, activity["id"]) == [
            ("CREATED", None, "READY"),
            ("TERMINATED_BY_OPERATOR", "READY", "FAILED"),
            ("RUN_RESET", "FAILED", "FAILED"),
            ("BROUGHT_BACK", "FAILED", "READY"),
        ]


async def test_a_run_that_is_reset_after_it_was_resumed_and_moved_back_is_listed_under_its_time(
    own: tuple[str, Service],
) -> None:
    """A resumed run starts under the row's time, a reset one again: its request has the first time."""
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        path = f"/api/activities/{activity['id']}"
        assert (await http.patch(path, json={"scheduled_at": from_now(hours=5)})).status_code == 200
        run = run_of(service, tenant, activity)
        await forget(service, run)
        await until_found(service.temporal, Finding.RESUMED, activity["id"])
        assert (await http.patch(path, json={"scheduled_at": activity["scheduledAt"]})).status_code == 200
        await until_found_or_noted(service, http, activity["id"], await reset(service, run, FIRST_TASK))
        await run.query("__temporal_workflow_metadata")  # its first task is done
        listed = (await run.describe()).typed_search_attributes.get(search_attributes.SCHEDULED_AT)
        assert listed == datetime.fromisoformat(activity["scheduledAt"])
        assert Finding.MOVED not in (await reconciled(service.temporal)).counts


async def test_a_reset_is_told_after_the_end_of_a_lease_that_has_run_out(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http, scheduled_at=from_now(seconds=1))
        await until(http, f"/api/activities/{activity['id']}", "DUE")
        run = run_of(service, tenant, activity)
        await run.result()
        await claim(http)
        await run_out(service.database, tenant)
        await reset(service, run, FIRST_TASK)
        assert await run_of(service, tenant, activity).result() == "DUE"
        assert (await trail(http, activity["id"]))[-2:] == [
            ("LEASE_EXPIRED", "DISPATCHED", "DUE"),
            ("RUN_RESET", "DUE", "DUE"),
        ]


async def test_a_run_that_temporal_has_forgotten_is_started_again(own: tuple[str, Service]) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await forget(service, run_of(service, tenant, activity))
        await until_found(service.temporal, Finding.RESUMED, activity["id"])
        await become_due(http, activity)
        assert await trail(http, activity["id"]) == [
            ("CREATED", None, "READY"),
            ("RUN_RESUMED", "READY", "READY"),
            ("RESCHEDULED", "READY", "READY"),
            ("DUE", "READY", "DUE"),
        ]


async def test_a_change_of_an_activity_whose_run_is_forgotten_starts_a_run_and_is_carried_out(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await forget(service, run_of(service, tenant, activity))
        answer = await http.post(f"/api/activities/{activity['id']}/execute-now")
        assert (answer.status_code, answer.json()["status"]) == (200, "DUE"), answer.text
        assert await trail(http, activity["id"]) == [
            ("CREATED", None, "READY"),
            ("RUN_RESUMED", "READY", "READY"),
            ("DUE", "READY", "DUE"),
        ]


async def test_a_run_that_sleeps_towards_another_time_is_told_the_rows(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        async with service.database.transactions.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE scheduled_activities SET scheduled_at = now() - interval '1 min',"
                    " created_at = now() - interval '1 h' WHERE id = :id"
                ),
                {"id": UUID(activity["id"])},
            )
        await until_found(service.temporal, Finding.MOVED, activity["id"])
        due = await until(http, f"/api/activities/{activity['id']}", "DUE")
        assert due["latenessMs"] >= 60_000
        assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "DUE"]
        answer = await http.get(f"/api/activities/{activity['id']}")
        assert answer.headers["ETag"] == '"2"'  # the mark's version, and none for what the run was told


async def test_a_run_that_believes_in_another_status_is_told_the_rows(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await unresolved(service, http, tenant)
        await http.patch(f"/api/activities/{activity['id']}", json={"scheduled_at": from_now(seconds=5)})
        await activate(service, tenant, tenant.owner_id)
        assign = AssignTarget(target_user_id=activity["targetUsers"][0]["id"], commerce_user_id=tenant.owner_id)
        unheard = Apply(tenant_id=tenant.id, id=activity["id"], key="unheard", actor="tester", change=assign)
        async with service.database.transactions.begin() as connection:
            stands = await changes.apply_change(connection, unheard)
            assert stands.status == "READY"
        await until_found(service.temporal, Finding.MOVED, activity["id"])
        await until(http, f"/api/activities/{activity['id']}", "DUE")
        assert [event[0] for event in await trail(http, activity["id"])] == [
            "CREATED",
            "RESCHEDULED",
            "TARGET_ASSIGNED",
            "DUE",
        ]
        answer = await http.get(f"/api/activities/{activity['id']}")
        assert answer.headers["ETag"] == f'"{stands.version + 1}"'


async def test_a_run_that_has_missed_a_move_is_sent_the_lead_of_its_new_time(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http, scheduled_at=from_now(days=1))
        move = Reschedule(scheduled_at=datetime.fromisoformat(from_now(minutes=20)))
        unheard = Apply(tenant_id=tenant.id, id=activity["id"], key="unheard", actor="tester", change=move)
        async with service.database.transactions.begin() as connection:
            await changes.apply_change(connection, unheard)
        assert (await compared(service, lead=Lead(600))).counts == {Finding.MOVED: 1}
        (refresh,) = await updates_of(run_of(service, tenant, activity), "refresh")
        assert 540 < refresh["lead_seconds"] <= 600
        assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "RESCHEDULED"]


async def test_a_reset_run_is_left_alone_until_its_first_task_is_done(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                activity = await created(http)
            run = run_of(service, tenant, activity)
            await reset(service, run, 4)
            assert (await compared(service)).counts == {Finding.RESET: 1}
            comparing = asyncio.create_task(compared(service))
            await asyncio.sleep(0.5)
            async with work(service):
                assert (await comparing).counts == {}
                await run.query("__temporal_workflow_metadata")
            assert await updates_of(run, "refresh") == []
            assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "RUN_RESET"]


async def test_a_change_that_comes_with_the_first_task_of_a_run_whose_row_has_ended_is_answered(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                activity = await created(http)
            run = run_of(service, tenant, activity)
            await reset(service, run, 4)
            canceled = Apply(tenant_id=tenant.id, id=activity["id"], key="unheard", actor="tester", change=Cancel())
            async with service.database.transactions.begin() as connection:
                await changes.apply_change(connection, canceled)
            asking = asyncio.create_task(run.execute_update("execute_now", ExecuteNow(), id="comes first"))
            await until_admitted(service, run, "comes first")
            async with work(service):
                with pytest.raises(WorkflowUpdateFailedError) as refused:
                    await asking
                assert isinstance(refused.value.cause, ApplicationError)
                assert refused.value.cause.type == "wrong_status"
                assert await run.result() == "CANCELED"


async def until_admitted(service: Service, run: WorkflowHandle[Any, Any], update_id: str) -> None:
    """Return once Temporal holds the update, which waits for a worker."""
    wanted = PollWorkflowExecutionUpdateRequest(
        namespace=service.temporal.namespace,
        update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=run.id), update_id=update_id),
    )
    async with asyncio.timeout(60):
        while True:
            with suppress(RPCError):
                await service.temporal.workflow_service.poll_workflow_execution_update(wanted)
                return
            await asyncio.sleep(0.05)


async def compared(service: Service, lead: Lead = NO_LEAD) -> Compared:
    """Compare the first page of rows without a worker."""
    step = Reconciliation(service.temporal, service.roles.worker, service.roles.across_tenants, lead).compare_page
    found: Compared = await ActivityEnvironment().run(step, Page(grace_seconds=0))
    return found


async def updates_of(run: WorkflowHandle[Any, Any], name: str) -> list[dict[str, Any]]:
    """Return the arguments of the updates of this name that the run has accepted."""
    accepted = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        async for event in run.fetch_history_events()
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    return [json.loads(one.args.payloads[0].data) for one in accepted if one.name == name]


async def test_what_is_due_first_is_looked_at_first_however_many_stay_unresolved(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        ready = await created(http, scheduled_at=from_now(days=1))
        await unresolved(service, http, tenant)
        async with service.database.transactions.connect() as connection:
            for ready_only, ids in ((False, 2), (True, 1)):
                rows = (await connection.execute(open_rows_statement(Page(ready_only=ready_only)))).all()
                assert len(rows) == ids
            assert str(rows[0].id) == ready["id"]


async def test_a_reset_from_the_web_ui_shows_in_the_trail_and_changes_nothing_else(
    own: tuple[str, Service],
) -> None:
    """A reset hands a rejected change in again; it stays rejected although its cause has gone."""
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activity = await created(http)
        await http.put("/api/activity-config/pause", json={"paused": True, "reason": "stocktaking"})
        refused = await http.post(f"/api/activities/{activity['id']}/execute-now")
        assert (refused.status_code, "paused" in refused.json()["detail"]) == (409, True)
        await http.put("/api/activity-config/pause", json={"paused": False, "reason": "done"})
        run = run_of(service, tenant, activity)
        for finish_event in (FIRST_TASK, None):
            run_id = await reset(service, run, finish_event or await last_task(run))
            await until_found_or_noted(service, http, activity["id"], run_id)
            await run.query("__temporal_workflow_metadata")  # it has done what the reset has handed in again
        assert await trail(http, activity["id"]) == [
            ("CREATED", None, "READY"),
            ("RUN_RESET", "READY", "READY"),
            ("RUN_RESET", "READY", "READY"),
        ]
        assert (await http.get(f"/api/activities/{activity['id']}")).headers["ETag"] == '"1"'


async def last_task(run: WorkflowHandle[Any, Any]) -> int:
    """Return the last completed workflow task, which the web UI offers first for a reset."""
    events = [event async for event in run.fetch_history_events()]
    return [e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes")][-1]


async def until_found_or_noted(service: Service, http: httpx.AsyncClient, activity_id: str, run_id: str) -> None:
    """Wait until the row names the new run, by the run's first step or by a round."""
    async with asyncio.timeout(60):
        while (await http.get(f"/api/activities/{activity_id}")).json()["workflow"]["runId"] != run_id:
            await reconciled(service.temporal)
            await asyncio.sleep(0.2)


async def test_a_lost_temporal_is_rebuilt_from_postgresql_by_one_command_on_time_and_without_duplicates(
    postgres: Postgres,
) -> None:
    url = new_database(postgres)
    with running_temporal() as server:
        async with running_service(url, await temporal_client(server.address)) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                later, soon, passed = [[await created(http) for _ in range(number)] for number in (10, 10, 5)]
        server.process.kill()
        server.process.wait()
    with running_temporal() as server:
        client = await temporal_client(server.address)
        async with running_service(url, client) as service, service.client(tenant.id) as http:
            for activities, seconds in ((passed, -8), (soon, 12)):
                moved = update(ScheduledActivity).values(scheduled_at=datetime.fromisoformat(from_now(seconds=seconds)))
                ids = [UUID(activity["id"]) for activity in activities]
                async with service.database.transactions.begin() as connection:
                    await connection.execute(moved.where(ScheduledActivity.id.in_(ids)))
            rebuilt = operate(client, url, "rebuild")
            assert rebuilt.stdout == "25 runs started, 0 were open already\n", rebuilt
            repeated = operate(client, url, "rebuild")
            assert repeated.returncode == 0, repeated
            assert "0 runs started" in repeated.stdout
            for activity in soon + passed:
                due = await until(http, f"/api/activities/{activity['id']}", "DUE")
                assert due["markedAt"] >= due["scheduledAt"]
                assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "DUE"]
            for activity in later:
                described = await run_of(service, tenant, activity).describe()
                assert described.status is WorkflowExecutionStatus.RUNNING


async def test_what_is_overdue_beside_an_open_run_and_what_is_stuck_before_its_row_is_reported_and_left_alone(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        stuck = str(uuid4())
        await service.temporal.start_workflow(
            "ScheduledActivityWorkflow",
            id=stuck,
            task_queue="without-workers",
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(search_attributes.ACTIVITY_ID, stuck),
                    SearchAttributePair(search_attributes.ACTIVITY_STATUS, "RESOLVING"),
                ]
            ),
        )
        async with locked_before_mark(service, http) as (activity, _):
            found = await until_found(service.temporal, Finding.OVERDUE, activity["id"])
            assert found.counts[Finding.OVERDUE] == 1
        found = await until_found(service.temporal, Finding.STUCK, stuck)
        assert found.counts[Finding.STUCK] == 1
        await until(http, f"/api/activities/{activity['id']}", "DUE")
        assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "DUE"]


async def test_the_schedule_is_made_once_follows_the_setting_and_respects_a_pause(
    own: tuple[str, Service],
) -> None:
    _, service = own
    await asyncio.gather(*(ensure_schedule(service.temporal, Part.ROWS, timedelta(seconds=60)) for _ in range(3)))
    handle = service.temporal.get_schedule_handle(SCHEDULE_ID)
    written = (await handle.describe()).raw_description.conflict_token
    await handle.pause(note="maintenance")
    async with asyncio.timeout(60):
        while not (paused := await handle.describe()).schedule.state.paused:  # Temporal answers before it is done
            await asyncio.sleep(0.05)
    # An update that is carried out after the pause would undo it: only the pause has changed the schedule.
    assert int.from_bytes(paused.raw_description.conflict_token) == int.from_bytes(written) + 1 == 2
    await ensure_schedule(service.temporal, Part.ROWS, timedelta(seconds=1))
    seen = await handle.describe()
    assert (seen.schedule.state.paused, seen.schedule.spec.intervals[0].every) == (True, timedelta(seconds=1))
    await handle.unpause()
    async with asyncio.timeout(60):
        while not (await handle.describe()).info.recent_actions:
            await asyncio.sleep(0.2)


async def until_scheduled(client: Client, schedule_id: str) -> None:
    """Return once Temporal has this schedule, and it can be read."""
    async with asyncio.timeout(60):
        while True:
            with suppress(RPCError):
                await client.get_schedule_handle(schedule_id).describe()
                return
            await asyncio.sleep(0.05)


async def test_a_schedule_that_can_not_be_read_holds_up_no_other_and_is_made_again_once_it_is_deleted(
    own: tuple[str, Service],
) -> None:
    client = own[1].temporal
    without_action = CreateScheduleRequest(
        namespace=client.namespace, schedule_id=SCHEDULE_ID, schedule=WrittenSchedule(), request_id=str(uuid4())
    )
    await client.workflow_service.create_schedule(without_action)
    keeping = [asyncio.create_task(keep_scheduled(client, part, timedelta(hours=1), 0.1)) for part in Part]
    await until_scheduled(client, SCHEDULE_IDS[Part.LISTS])
    await client.get_schedule_handle(SCHEDULE_ID).delete()
    await until_scheduled(client, SCHEDULE_ID)
    for task in keeping:
        task.cancel()


async def test_what_was_ended_by_hand_is_found_however_little_of_the_rows_a_round_looks_at(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        _, other, last = [await created(http, scheduled_at=from_now(days=days)) for days in (1, 2, 3)]
        for activity in (last, other):
            await run_of(service, tenant, activity).terminate("by mistake")
        lists_only = Reconcile(listing=Listing(size=1), parts=(Part.LISTS,))
        found = Compared()
        async with asyncio.timeout(60):
            while found.counts.get(Finding.TERMINATED, 0) < 2:
                found = found.merge(await round_of(service.temporal, lists_only))
                await asyncio.sleep(0.2)
        assert set(found.examples[Finding.TERMINATED]) == {last["id"], other["id"]}
        assert (await http.get(f"/api/activities/{last['id']}")).json()["status"] == "FAILED"


async def test_scheduled_rounds_go_on_where_the_one_before_has_stopped(
    own: tuple[str, Service],
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        activities = [await created(http, scheduled_at=from_now(days=days)) for days in (1, 2, 3)]
    action = ScheduleActionStartWorkflow(
        ReconciliationWorkflow.run,
        Reconcile(page=Page(size=1, grace_seconds=0), pages=1),
        id="slices",
        task_queue=TASK_QUEUE,
    )
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
    await service.temporal.create_schedule("slices", Schedule(action=action, spec=spec))
    query = "WorkflowType = 'ReconciliationWorkflow' AND ExecutionStatus = 'Completed'"
    async with asyncio.timeout(60):
        while (await service.temporal.count_workflows(query)).count < 5:
            await asyncio.sleep(0.2)
    rounds = [run async for run in service.temporal.list_workflows(query)]
    rounds.sort(key=lambda run: run.start_time)
    stopped = []
    for run in rounds[:5]:
        handle = service.temporal.get_workflow_handle(run.id, run_id=run.run_id, result_type=Compared)
        result: Compared = await handle.result()
        stopped.append(str(result.after.id) if result.after else None)
    ids = [activity["id"] for activity in activities]
    assert stopped == [*ids, None, ids[0]]


async def test_a_follow_up_that_was_cut_off_before_its_creation_is_created_once_and_a_refused_one_says_why(
    own: tuple[str, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, service = own
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        types = [{"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}]
        assert (await http.put("/api/activity-config/task-result-types", json={"types": types})).is_success
        first, second = await due(http), await due(http)
        with monkeypatch.context() as cut:
            cut.setattr("api.executions.results.create_follow_up", _killed)
            for activity in (first, second):
                assert (await _called_back(http, activity)).status_code == 500
        async with service.database.transactions.begin() as connection:
            request = contract_example(reason="gone")
            this = update(ScheduledActivity).where(ScheduledActivity.id == UUID(second["id"]))
            await connection.execute(this.values(request=request))

        found = await reconciled(service.temporal)
        (kept,) = (await http.get(f"/api/activities/{first['id']}/results")).json()
        assert found.examples[Finding.FOLLOWED_UP] == (kept["id"],)
        follow_up = (await http.get(f"/api/activities/{kept['followUpId']}")).json()
        assert (follow_up["idempotencyKey"], follow_up["scheduledAt"]) == (f"follow-up:{kept['id']}", CALL_BACK_AT)
        (refused,) = (await http.get(f"/api/activities/{second['id']}/results")).json()
        assert refused["followUpId"] is None
        assert "gone" in refused["followUpError"]

        again = await _called_back(http, first)
        assert (again.status_code, again.json()["followUpId"]) == (200, kept["followUpId"])
        assert Finding.FOLLOWED_UP not in (await reconciled(service.temporal)).counts


CALL_BACK_AT = "2031-05-06T07:08:09.000Z"


async def due(http: httpx.AsyncClient) -> dict[str, Any]:
    """Create an activity that an executor has claimed."""
    activity: dict[str, Any] = (await http.post("/api/activities", json=contract_example())).json()
    await until(http, f"/api/activities/{activity['id']}", "DUE")
    (taken,) = await claim(http)
    assert taken["id"] == activity["id"]
    return activity


async def _killed(*_: Any) -> None:
    raise AssertionError("the process ends between the result and its follow-up")


async def _called_back(http: httpx.AsyncClient, activity: dict[str, Any]) -> httpx.Response:
    told = {"result": "call_back", "future_scheduled_at": CALL_BACK_AT}
    body = {
        "activity_id": activity["id"],
        "status": "COMPLETED",
        "occurred_at": "2026-01-01T00:00:00Z",
        "task_result": told,
    }
    return await http.post("/api/activity-results/tasks", json=body)
