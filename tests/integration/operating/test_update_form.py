"""Test that input of the web UI's update form is validated as strictly as a request over REST."""

from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from runs.client import workflow_id
from tests.support.activities import created, trail
from tests.support.builders import Tenant
from tests.support.service import Service


@pytest.mark.parametrize(
    ("verb", "typed"),
    [
        ("reschedule", {"scheduledAt": "2027-05-05T00:00:00Z"}),
        ("reschedule", {"scheduled_at": "9999-01-01T00:00:00Z"}),
        ("reschedule", {"score": 99_999_999_999}),
        ("reschedule", {"score": 1, "reason": "a\0b"}),
        ("cancel", {"reason": "a\0b"}),
        ("cancel", {"reason": "x" * 1001}),
    ],
)
async def test_what_can_not_be_carried_out_is_refused_at_once_and_changes_nothing(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, verb: str, typed: dict[str, Any]
) -> None:
    activity = await created(http)
    browser = await Client.connect(service.temporal.service_client.config.target_host)
    run = browser.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update(verb, typed)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "validation_failed"
    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED"]
