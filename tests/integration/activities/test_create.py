"""POST /api/activities, and what becomes of it."""

import asyncio
import json
from uuid import uuid4

import httpx
import pytest

from api.activities.schemas import ScheduledActivityCreate
from runs.start import start_run
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.service import Service, until
from workflows.messages import RejectedError, ScheduledActivityInput


async def test_the_contracts_example_is_answered_to_the_letter(http: httpx.AsyncClient) -> None:
    """The contract's response, member by member; the rest comes after."""
    answer = await http.post("/api/activities", json=contract_example(idempotency_key="msg-2025-01-15-001"))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    expected = {
        "id": body["id"],
        "type": "MESSAGE",
        "reason": {"code": "monthly_promotion", "label": "Promocion Mensual"},
        "channel": "WHATSAPP",
        "status": "READY",
        "userStatus": None,
        "idempotencyKey": "msg-2025-01-15-001",
        "scheduledAt": "2025-01-16T09:00:00.000Z",
    }
    assert {name: body[name] for name in expected} == expected
    assert list(body)[:9] == [*expected, "commerceAssignment"]
    assert body["commerceAssignment"]["commerceId"] == str(COMMERCE_ID)
    assert answer.headers["Location"] == f"/api/activities/{body['id']}"
    assert answer.headers["ETag"] == '"1"'


async def test_an_activity_becomes_due_at_its_time_and_its_trail_says_so(http: httpx.AsyncClient) -> None:
    created = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(seconds=1)))
    location = created.headers["Location"]
    due = await until(http, location, "DUE")
    assert due["markedAt"] >= due["scheduledAt"]
    assert due["latenessMs"] >= 0
    trail = (await http.get(f"{location}/status-events")).json()["data"]
    assert [(event["eventType"], event["fromStatus"], event["toStatus"]) for event in trail] == [
        ("CREATED", None, "READY"),
        ("DUE", "READY", "DUE"),
    ]


async def test_the_trail_of_a_refused_creation_is_the_problem_that_refused_it(service: Service, tenant: Tenant) -> None:
    request = ScheduledActivityCreate.model_validate_json(json.dumps(contract_example(commerce_id=str(uuid4()))))
    scheduled = ScheduledActivityInput(id=uuid4(), tenant_id=tenant.id, request=request.as_request())
    with pytest.raises(RejectedError):
        await start_run(service.temporal, scheduled, 20)
    async with service.client(tenant.id) as http, asyncio.timeout(60):
        url = f"/api/activities/{scheduled.id}/status-events"
        while (answer := await http.get(url)).json()["code"] == "activity_not_found":
            await asyncio.sleep(0.05)  # the server's list of runs follows within moments
    assert (answer.status_code, answer.json()["code"]) == (404, "commerce_not_found")
