"""Test what an operator sees of a creation that was rejected."""

from typing import Any

import httpx
import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowExecutionStatus

from embedded.views import VIEWS, link_views
from runs.client import workflow_id
from tests.integration.operating.test_runbook import RUNBOOK
from tests.support.builders import Tenant, contract_example
from tests.support.service import Service
from workflows.search_attributes import ACTIVITY_STATUS


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"commerce_id": "00000000-0000-4000-8000-000000000000"}, 404),
        ({"reason": "no such reason"}, 400),
    ],
    ids=["commerce", "reason"],
)
async def test_it_closes_as_failed_and_rejected_with_one_sentence_and_no_stack_trace(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, wrong: dict[str, Any], status: int
) -> None:
    body = contract_example(**wrong)
    answer = await http.post("/api/activities", json=body)
    assert answer.status_code == status
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
    closed = await run.describe()
    assert closed.status is WorkflowExecutionStatus.FAILED
    assert closed.typed_search_attributes.get(ACTIVITY_STATUS) == "REJECTED"
    events = (await run.fetch_history()).events
    failures = [
        *(event.marker_recorded_event_attributes.failure for event in events),
        *(event.workflow_execution_update_completed_event_attributes.outcome.failure for event in events),
        *(event.workflow_execution_failed_event_attributes.failure for event in events),
    ]
    said = [failure for failure in failures if failure != Failure()]
    assert len(said) == 3
    assert {failure.message for failure in said} == {answer.json()["detail"]}
    assert {(failure.stack_trace, failure.HasField("cause")) for failure in said} == {("", False)}


def test_the_printed_views_leave_it_out_show_reported_problems_and_are_in_the_runbook() -> None:
    for query in VIEWS.values():
        assert f"`{query}`" in RUNBOOK
    everything, *_, problems = link_views("http://ui").values()
    assert everything.endswith("ActivityStatus%21%3D%27REJECTED%27")
    assert "TemporalReportedProblems" in problems
