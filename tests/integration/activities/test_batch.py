"""POST /api/activities/batch: many creations in one call."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from limits.aio.storage import MemoryStorage
from sqlalchemy import func, select
from temporalio.client import Client

from db.models import ScheduledActivity
from embedded.postgres import Postgres
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service
from tests.support.worlds import idle_service

LINES = {"Content-Type": "application/x-ndjson"}


async def batch(http: httpx.AsyncClient, items: list[Any]) -> list[dict[str, Any]]:
    """The results of a batch that was taken."""
    answer = await http.post("/api/activities/batch", json={"activities": items})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(items)))
    return results


async def rows_of(service: Service, tenant: Tenant) -> int:
    """Count the activities of a tenant."""
    async with service.database.transactions.connect() as connection:
        counted = await connection.execute(
            select(func.count()).select_from(ScheduledActivity).where(ScheduledActivity.tenant_id == tenant.id)
        )
        return int(counted.scalar_one())


async def test_each_item_is_answered_as_the_single_call_would_answer_it(http: httpx.AsyncClient) -> None:
    items = [contract_example(scheduled_at=from_now(hours=1)) for _ in range(3)]
    results = await batch(http, items)
    assert [result["status"] for result in results] == [201] * 3
    assert [result["body"]["idempotencyKey"] for result in results] == [item["idempotency_key"] for item in items]
    read = await http.get(f"/api/activities/{results[1]['body']['id']}")
    assert read.json() == results[1]["body"]


async def test_bad_items_do_not_sink_the_others(http: httpx.AsyncClient) -> None:
    good = contract_example(scheduled_at=from_now(hours=1))
    nobody = contract_example(commerce_id="00000000-0000-4000-8000-000000000000")
    items = [
        good,
        contract_example(channel="PIGEON"),
        nobody,
        contract_example(reason="No such reason"),
        "not an object",
        contract_example(reason="\0"),
        contract_example(attributes=[{"key": "promotions", "value": "x" * 1000}] * 300),
    ]
    results = await batch(http, [*items, contract_example(scheduled_at=from_now(hours=1))])
    assert [result["status"] for result in results] == [201, 400, 404, 400, 400, 400, 413, 201]
    codes = [result["body"]["code"] for result in results[1:7]]
    assert codes == [
        *("validation_failed", "commerce_not_found", "unknown_reason"),
        *("validation_failed", "validation_failed", "body_too_large"),
    ]
    assert results[1]["body"]["errors"][0]["pointer"] == "/channel"
    assert results[5]["body"]["errors"][0]["pointer"] == "/reason"


async def test_a_repeated_batch_names_what_exists_and_starts_nothing_twice(
    http: httpx.AsyncClient, service: Service, tenant: Tenant
) -> None:
    items = [contract_example(scheduled_at=from_now(hours=1)) for _ in range(5)]
    first = await batch(http, items[:3])
    second = await batch(http, items)
    assert [result["status"] for result in second] == [409, 409, 409, 201, 201]
    for before, after in zip(first, second, strict=False):
        assert after["body"]["sameRequest"] is True
        assert after["body"]["activity"]["id"] == before["body"]["id"]
    assert await rows_of(service, tenant) == 5


async def test_a_key_given_twice_in_one_batch_creates_once(
    http: httpx.AsyncClient, service: Service, tenant: Tenant
) -> None:
    results = await batch(http, [contract_example(idempotency_key="twice", scheduled_at=from_now(hours=1))] * 2)
    assert sorted(result["status"] for result in results) == [201, 409]
    assert await rows_of(service, tenant) == 1


BAD_ITEMS = {
    "half a surrogate pair": rb'{"reason": "\ud83d"}',
    "NaN": b'{"score": NaN}',
    "a number without end": b'{"score": 1e999}',
    "a member named twice": b'{"type": "TASK", "type": "MESSAGE"}',
    "5,000 digits": b'{"score": ' + b"9" * 5_000 + b"}",
    "250 levels": b'{"attributes": ' + b"[" * 250 + b"]" * 250 + b"}",
    "5,000 levels": b'{"attributes": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "100,000 levels": b'{"attributes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "bytes that are no text": b'{"reason": "\xff"}',
    "a word that is none": b'{"score": nul}',
    "no object": b"null",
}


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("bad", BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
async def test_an_item_that_is_no_json_is_answered_alone(http: httpx.AsyncClient, bad: bytes, media_type: str) -> None:
    good = [json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode() for _ in range(2)]
    items = [good[0], bad, good[1]]
    lines = media_type == "application/x-ndjson"
    content = b"\n".join(items) if lines else b'{"activities":[' + b",".join(items) + b"]}"
    answer = await http.post("/api/activities/batch", content=content, headers={"Content-Type": media_type})
    results = [json.loads(line) for line in answer.text.splitlines()] if lines else answer.json()["results"]
    assert [(result["index"], result["status"]) for result in results] == [(0, 201), (1, 400), (2, 201)]
    assert results[1]["body"]["code"] == "validation_failed"


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
async def test_items_of_one_key_are_tried_in_order_until_one_is_accepted(
    http: httpx.AsyncClient, media_type: str
) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    per_key: tuple[dict[str, Any], ...] = ({"commerce_id": nobody}, {"reason": "No such reason"}, {}, {"score": 1}, {})
    items = [
        contract_example(idempotency_key=f"key-{number}", scheduled_at="2035-01-16T09:00:00Z") | changes
        for number in range(10)
        for changes in per_key
    ]
    if media_type == "application/json":
        results = await batch(http, items)
    else:
        content = "\n".join(json.dumps(item) for item in items)
        answer = await http.post("/api/activities/batch", content=content, headers=LINES)
        results = [json.loads(line) for line in answer.text.splitlines()]
    assert [result["status"] for result in results] == [404, 400, 201, 409, 409] * 10
    repeated = [result["body"]["sameRequest"] for result in results if result["status"] == 409]
    assert repeated == [False, True] * 10


async def test_the_first_of_two_items_with_one_key_is_created(http: httpx.AsyncClient) -> None:
    items = [
        contract_example(idempotency_key=f"key-{number}", scheduled_at="2035-01-16T09:00:00Z", score=score)
        for number in range(30)
        for score in (1, 2)
    ]
    results = await batch(http, items)
    assert [result["status"] for result in results] == [201, 409] * 30
    assert {result["body"]["score"] for result in results[::2]} == {1}


async def test_a_long_item_comes_before_a_short_one_with_its_key(http: httpx.AsyncClient) -> None:
    """Long items wait until others are parsed; short ones don't."""
    value = [["x" * 1_000] * 90] * 2
    items = [
        contract_example(idempotency_key=f"key-{number}", scheduled_at="2035-01-16T09:00:00Z") | changes
        for number in range(10)
        for changes in ({"attributes": [{"key": "promotions", "value": value}], "attribute_keys": []}, {"score": 2})
    ]
    results = await batch(http, items)
    assert [result["status"] for result in results] == [201, 409] * 10
    assert [result["body"]["sameRequest"] for result in results[1::2]] == [False] * 10


async def test_an_index_counts_the_lines_that_are_not_blank(http: httpx.AsyncClient) -> None:
    line = json.dumps(contract_example(scheduled_at=from_now(hours=1)))
    answer = await http.post("/api/activities/batch", content=f"\n \r\n{line}\n\t\nnull\n\n", headers=LINES)
    results = [json.loads(result) for result in answer.text.splitlines()]
    assert [(result["index"], result["status"]) for result in results] == [(0, 201), (1, 400)]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {}, 400, "validation_failed"),
        (b"[]", {}, 400, "validation_failed"),
        (b'{"activities":[{}', {}, 400, "validation_failed"),
        (b'{"activities":[{},]}', {}, 400, "validation_failed"),
        (b'{"activities":[{"a":[1}]}', {}, 400, "validation_failed"),
        (b'{"activities":[{} {}]}', {}, 400, "validation_failed"),
        (b'{"activities":[{"a":"]}', {}, 400, "validation_failed"),
        (b'{"activities":[{}],"activities":[{}]}', {}, 400, "validation_failed"),
        (b'{"activities":[{}]}{', {}, 400, "validation_failed"),
        (b'{"activities":[],"more":1}', {}, 400, "validation_failed"),
        (json.dumps({"activities": [{}] * 1001}).encode(), {}, 400, "validation_failed"),
        (b" " * (8 * 1024 * 1024 + 1), {}, 413, "body_too_large"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    ],
)
async def test_a_batch_that_is_none_is_refused_as_a_whole(
    http: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"} | headers
    answer = await http.post("/api/activities/batch", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_empty_batch_has_no_results(http: httpx.AsyncClient) -> None:
    assert await batch(http, []) == []


async def test_each_item_has_its_own_deadline(postgres: Postgres, temporal: Client) -> None:
    """Without a worker every item waits in vain; the last begin when the deadline of the first has long passed."""
    async with idle_service(postgres, temporal, answer_deadline_seconds=2) as idle:
        tenant = await idle.tenant()
        async with idle.client(tenant.id) as http:
            results = await batch(http, [contract_example() for _ in range(66)])
    assert [result["status"] for result in results[64:]] == [202, 202]
    assert [result["body"]["status"] for result in results[64:]] == ["RESOLVING", "RESOLVING"]


async def test_lines_are_answered_by_lines(service: Service, tenant: Tenant) -> None:
    items = [contract_example(scheduled_at=from_now(hours=1)) for _ in range(100)]
    lines = [json.dumps(item).encode() for item in items]
    lines[50] = b"not JSON"
    async with service.beside(answer_deadline_seconds=50.0) as patient, patient.client(tenant.id) as http:
        answer = await http.post("/api/activities/batch", content=b"\n\n".join(lines), headers=LINES)
    assert answer.headers["content-type"] == "application/x-ndjson"
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [result["status"] for result in results] == [201] * 50 + [400] + [201] * 49
    assert [result["index"] for result in results] == list(range(100))
    assert results[99]["body"]["idempotencyKey"] == items[99]["idempotency_key"]


class LateStorage(MemoryStorage):
    """A store of rate limits that answers a later line first."""

    STORAGE_SCHEME = ["async+late"]  # noqa: RUF012 - as the library has it
    is_late = True

    async def get(self, key: str) -> int:
        """Wait once, for the first item."""
        if "/items/" in key and self.is_late:
            self.is_late = False
            await asyncio.sleep(0.3)
        return await super().get(key)


async def test_the_first_of_two_lines_with_one_key_is_created_although_it_is_counted_late(
    service: Service, tenant: Tenant
) -> None:
    items = [contract_example(idempotency_key="twice", scheduled_at="2035-01-16T09:00:00Z", score=n) for n in (1, 2)]
    async with service.beside(rate_limit_storage_uri="async+late://") as other, other.client(tenant.id) as http:
        answer = await http.post("/api/activities/batch", content="\n".join(map(json.dumps, items)), headers=LINES)
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert {result["index"]: result["status"] == 409 for result in results} == {0: False, 1: True}, answer.text


async def test_results_come_while_the_request_is_still_being_sent(http: httpx.AsyncClient) -> None:
    """A caller who waits for each answer before it sends the next line is served."""
    address = urlsplit(str(http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    headers = {**http.headers, **LINES, "host": address.netloc, "transfer-encoding": "chunked"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /api/activities/batch HTTP/1.1\r\n{head}\r\n".encode())
    statuses = []
    for _ in range(3):
        line = json.dumps(contract_example(scheduled_at=from_now(hours=1))) + "\n"
        writer.write(f"{len(line):x}\r\n{line}\r\n".encode())
        statuses.append((await next_result(reader))["status"])
    writer.write(b"0\r\n\r\n")
    assert b"\r\n0\r\n\r\n" in b"\r\n" + await reader.readuntil(b"0\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert statuses == [201, 201, 201]


async def next_result(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next line of a chunked answer that is a result."""
    while not (line := await reader.readline()).startswith(b'{"index"'):
        assert line, "the answer ended too early"
    result: dict[str, Any] = json.loads(line)
    return result


async def test_a_batch_asks_for_the_permission_of_the_single_call(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, *()) as http:
        http.headers["Authorization"] = "Bearer nonsense"
        answer = await http.post("/api/activities/batch", content=b"{}", headers=LINES)
    assert answer.status_code == 401
