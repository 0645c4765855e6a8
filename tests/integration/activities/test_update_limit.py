"""Keep an activity changeable after more updates than Temporal allows a run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper

from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.client import workflow_id
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import from_now
from tests.support.service import Service, browser_of, running_service, temporal_client, until
from tests.support.worlds import new_database

LIMIT = 20
NEVER_SUGGESTED = {"history.maxTotalUpdates.suggestContinueAsNewThreshold": "1000"}


@asynccontextmanager
async def limited_service(postgres: Postgres, **config: str) -> AsyncIterator[Service]:
    """Run the service beside a Temporal that allows a run 20 updates, the creation included."""
    with running_temporal(dynamic_config=DYNAMIC_CONFIG | {"history.maxTotalUpdates": str(LIMIT)} | config) as server:
        async with running_service(new_database(postgres), await temporal_client(server.address)) as service:
            yield service


async def test_changes_that_the_row_rejects_spend_no_update(postgres: Postgres) -> None:
    async with limited_service(postgres, **NEVER_SUGGESTED) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            activity = await created(http)
            url = f"/api/activities/{activity['id']}"
            target = activity["targetUsers"][0]["id"]
            user = {"commerce_user_id": str(tenant.owner_id)}
            for _ in range(LIMIT):
                stale = await http.patch(url, json={"score": 1}, headers={"If-Match": '"7"'})
                ready = await http.patch(f"{url}/retry-resolution")
                resolved = await http.patch(f"{url}/target-users/{target}/resolve", json=user)
                assert [stale.status_code, ready.status_code, resolved.status_code] == [412, 409, 409]
            paused = {"paused": True, "reason": "stocktaking"}
            (await http.put("/api/activity-config/pause", json=paused)).raise_for_status()
            for _ in range(LIMIT):
                assert (await http.post(f"{url}/execute-now")).status_code == 409
            (await http.put("/api/activity-config/pause", json=paused | {"paused": False})).raise_for_status()
            assert (await http.patch(url, json={"score": 1}, headers={"If-Match": '"1"'})).status_code == 200
            assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "RESCHEDULED"]


@pytest.mark.parametrize("is_unresolved", [False, True], ids=["asleep", "unresolved"])
async def test_a_run_continues_as_new_before_rejected_updates_reach_the_limit(
    postgres: Postgres, *, is_unresolved: bool
) -> None:
    """The web UI's updates are judged by the row only after the run has accepted them."""
    async with limited_service(postgres) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            activity = await (unresolved(service, http, tenant) if is_unresolved else created(http))
            url, verb = f"/api/activities/{activity['id']}", "execute_now" if is_unresolved else "retry_resolution"
            browser = await browser_of(service.temporal)
            run = browser.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
            first = (await run.describe()).run_id
            for _ in range(3 * LIMIT):
                with pytest.raises(WorkflowUpdateFailedError) as rejected:
                    await run.execute_update(verb)
                assert isinstance(rejected.value.cause, ApplicationError)
                assert rejected.value.cause.type == "wrong_status"
            assert (await run.describe()).run_id != first
            await activate(service, tenant, tenant.owner_id)
            if is_unresolved:
                assert (await http.patch(f"{url}/retry-resolution")).json()["status"] == "READY"
            assert (await http.patch(url, json={"scheduled_at": from_now(seconds=1)})).status_code == 200
            await until(http, url, "DUE")


async def test_a_run_that_takes_no_more_updates_can_be_canceled_and_other_changes_say_the_reason(
    postgres: Postgres,
) -> None:
    config = NEVER_SUGGESTED | {"frontend.WorkflowTimeSkippingEnabled": "true"}
    async with limited_service(postgres, **config) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            activity = await created(http)
            url = f"/api/activities/{activity['id']}"
            for score in range(LIMIT - 1):
                assert (await http.patch(url, json={"score": score})).status_code == 200
            refused = await http.patch(url, json={"score": LIMIT})
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
            assert "Nothing was changed, and nothing will be. Temporal refuses more changes" in refused.json()["detail"]
            canceled = await http.post(f"{url}/cancel", json={"reason": "x"})
            assert (canceled.status_code, canceled.json()["status"]) == (200, "CANCELED")
            run = service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
            await TimeSkipper(service.temporal).fast_forward(run)
            assert await run.result() == "CANCELED"
            events = [event[0] for event in await trail(http, activity["id"])]
            assert events == ["CREATED", *["RESCHEDULED"] * (LIMIT - 1), "CHANGE_WITHDRAWN", "CANCELED"]
