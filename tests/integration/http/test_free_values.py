"""Free JSON values: what is stored of them and answered is no longer than a body may be."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from api.http.bodies import BODY_BYTES
from tests.support.builders import COMMERCE_ID, Tenant, contract_example
from tests.support.hand_off import claim, insert_rows
from tests.support.service import Service

JSON = {"Content-Type": "application/json"}
COMMERCE = f"/api/commerces/{COMMERCE_ID}"
NUMBERS = [["NUMBER"] * 100] * 10


def written(body: dict[str, Any], number: str) -> str:
    """The body in JSON, with that number, spelled so, in each place."""
    return json.dumps(body).replace('"NUMBER"', number)


def activity(**attribute: Any) -> dict[str, Any]:
    return contract_example(attributes=[{"key": "promotions", **attribute}], scheduled_at="2035-01-16T09:00:00Z")


def reported(activity_id: str, **members: Any) -> dict[str, Any]:
    return {"activity_id": activity_id, "status": "COMPLETED", "occurred_at": "2025-01-16T09:00:00Z", **members}


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/activities", activity(value=NUMBERS)),
    ("POST", "/api/activities", activity(fallback={"a": NUMBERS})),
    ("POST", "/api/activities/explain", activity(value=NUMBERS)),
    ("PATCH", COMMERCE, {"metadata": {"a": NUMBERS}}),
    ("POST", "/api/activity-results/tasks", reported(str(uuid4()), raw_payload=NUMBERS)),
    ("POST", "/api/activity-results/tasks", reported(str(uuid4()), task_result={"payload": NUMBERS})),
]


@pytest.mark.parametrize(("method", "url", "body"), BODIES)
@pytest.mark.parametrize("number", ["1e308", "-1E-300", "1.5e+299"])
async def test_numbers_that_are_too_long_written_out_are_refused(
    http: httpx.AsyncClient, method: str, url: str, body: dict[str, Any], number: str
) -> None:
    answer = await http.request(method, url, content=written(body, number), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == ""
    assert error["detail"].startswith("With its numbers written out, as 1e3 is 1000, this has ")


async def test_items_with_such_numbers_are_refused_alone(http: httpx.AsyncClient) -> None:
    good = activity(value="short")
    content = written({"activities": [good, activity(value=NUMBERS)]}, "1e308")
    batch = await http.post("/api/activities/batch", content=content, headers=JSON)
    lines = written(activity(value=NUMBERS), "1e308") + "\n" + json.dumps(good)
    streamed = await http.post("/api/activities/batch", content=lines, headers={"Content-Type": "application/x-ndjson"})
    stores = [{"external_id": "a", "name": "A", "metadata": {"a": NUMBERS}}, {"external_id": "b", "name": "B"}]
    synchronized = await http.post("/api/commerces/sync", content=written({"items": stores}, "1e308"), headers=JSON)
    assert [result["status"] for result in batch.json()["results"]] == [201, 400]
    assert [json.loads(line)["status"] for line in streamed.text.splitlines()] == [400, 409]
    assert (synchronized.json()["created"], synchronized.json()["refused"][0]["errors"][0]["pointer"]) == (
        1,
        "/items/0",
    )


async def test_what_is_stored_is_as_long_as_a_body_may_be_and_what_is_answered_as_short_as_it_was_sent(
    http: httpx.AsyncClient, service: Service, tenant: Tenant
) -> None:
    values = [[1e308] * 100, [1e308] * 100, [-1e-300] * 100]
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    created = await http.post("/api/activities", json=activity(value=values))
    patched = await http.patch(COMMERCE, json={"metadata": {"a": values}})
    result = await http.post(
        "/api/activity-results/tasks", json=reported(taken["id"], raw_payload=values, task_result={"payload": values})
    )
    assert created.json()["attributes"][-1]["value"] == values
    assert patched.json()["metadata"]["a"] == values
    assert (result.json()["rawPayload"], result.json()["taskResult"]["payload"]) == (values, values)
    assert max(len(answer.content) for answer in (created, patched, result)) < 10_000
    sizes = text(
        """
        SELECT octet_length(request::text) FROM scheduled_activities WHERE tenant_id = :tenant_id
        UNION ALL SELECT octet_length(value::text) FROM activity_attributes WHERE tenant_id = :tenant_id
        UNION ALL SELECT octet_length(metadata::text) FROM commerces WHERE tenant_id = :tenant_id
        UNION ALL SELECT octet_length(task_result::text) FROM activity_results WHERE tenant_id = :tenant_id
        """
    )
    async with service.database.autocommit.connect() as connection:
        stored = [row[0] for row in await connection.execute(sizes, {"tenant_id": tenant.id}) if row[0] is not None]
    assert 90_000 < max(stored) <= BODY_BYTES


async def test_times_in_the_answer_to_a_result_have_milliseconds(
    http: httpx.AsyncClient, service: Service, tenant: Tenant
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    body = reported(taken["id"], task_result={"future_scheduled_at": "2035-01-16T06:00:00-03:00"})
    answer = await http.post("/api/activity-results/tasks", json=body)
    listed = await http.get(f"/api/activities/{taken['id']}/results")
    assert answer.json()["taskResult"]["futureScheduledAt"] == "2035-01-16T09:00:00.000Z"
    assert listed.json()[0]["taskResult"]["futureScheduledAt"] == "2035-01-16T09:00:00.000Z"


async def test_times_in_the_filter_of_an_operation_have_milliseconds(http: httpx.AsyncClient) -> None:
    conditions = {"scheduled_from": "2035-01-16T09:00:00Z", "scheduled_to": "2035-01-17T06:00:00-03:00"}
    begun = await http.post("/api/activities/cancel", json={"filter": conditions, "reason": "a mistake"})
    for answer in (begun, await http.get(begun.headers["Location"])):
        shown = answer.json()["filter"]
        assert shown["scheduled_from"] == "2035-01-16T09:00:00.000Z"
        assert shown["scheduled_to"] == "2035-01-17T09:00:00.000Z"


NUMBERS_SENT = "12345678901234567890123, -0.0, -0, 1.0, 1E5, 0.10, 0.1234567890123456789, 1e-400"
RAW = f'{{"b": 1, "a": [{NUMBERS_SENT}], "c": "\\u00e9\\/"}}'
KEPT = '{"b":1,"a":[12345678901234567890123,-0.0,0,1.0,100000.0,0.1,0.12345678901234568,0.0],"c":"é/"}'


async def test_a_raw_payload_is_normalized_as_the_document_says_and_a_string_keeps_the_bytes(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    body = reported(taken["id"], status="PENDING", raw_payload="PAYLOAD")
    results = f"/api/activities/{taken['id']}/results"
    for number, (sent, expected) in enumerate(((RAW, KEPT), (json.dumps(RAW), json.dumps(RAW, ensure_ascii=False)))):
        later = body | {"occurred_at": f"2025-01-16T09:00:0{number}Z"}
        content = json.dumps(later).replace('"PAYLOAD"', sent)
        accepted = await http.post("/api/activity-results/tasks", content=content, headers=JSON)
        assert accepted.status_code == 201, accepted.text
        read = (await http.get(results)).text
        assert f'"rawPayload":{expected}' in accepted.text
        assert f'"rawPayload":{expected}' in read
    for refused in ("1e400", "-1e400", '{"a": 1, "a": 2}'):
        content = json.dumps(body).replace('"PAYLOAD"', refused)
        answer = await http.post("/api/activity-results/tasks", content=content, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
