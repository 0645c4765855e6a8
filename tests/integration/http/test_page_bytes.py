"""Answers of many bytes: a page ends early, says that more follows, and loses nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.builders import contract_example, from_now
from tests.support.service import until
from workflows.tenant_limits import BATCH_ANSWER_BYTES, PAGE_BYTES

LARGE = [["x" * 1_000] * 100] * 2
"""A free value of 200 KB."""
MOST_BYTES = 2 * PAGE_BYTES
"""More than a page with the JSON around its items."""
REASONS = "/api/activity-config/reasons"


async def walk(http: httpx.AsyncClient, url: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
    """Yield the pages of a list by their cursors."""
    while True:
        answer = await http.get(url, params={"per_page": 100} | parameters)
        assert (answer.status_code, len(answer.content) < MOST_BYTES) == (200, True), answer.text[:500]
        page = answer.json()
        yield page
        if "nextCursor" not in page["meta"] or page["meta"]["nextCursor"] is None:
            return
        parameters["cursor"] = page["meta"]["nextCursor"]


async def require_pages(http: httpx.AsyncClient, url: str, key: str, wanted: list[str], **parameters: Any) -> None:
    """Check that the first page says that it is shortened, and that the pages together have each item once."""
    pages = [page async for page in walk(http, url, **parameters)]
    assert len(pages) > 1
    assert [page["meta"]["isShortened"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert sorted(one[key] for page in pages for one in page["data"]) == sorted(wanted)


async def test_commerces_and_users(http: httpx.AsyncClient) -> None:
    items = [{"external_id": f"a{n}", "name": "A", "metadata": {"a": LARGE}} for n in range(5)]
    assert (await http.post("/api/commerces/sync", json={"items": items})).json()["created"] == 5
    await require_pages(http, "/api/commerces", "externalId", [*(f"a{n}" for n in range(5)), "store-1"])
    contacts = [{"contact_type": "OTHER", "value": f"{n} ".ljust(319, "x") + "."} for n in range(100)]
    names = [f"u{n:02}" for n in range(20)]
    users = [{"external_id": name, "contacts": contacts} for name in names]
    item = {"external_id": "crowded", "name": "C", "users": users}
    assert (await http.post("/api/commerces/sync", json={"items": [item]})).json()["created"] == 1
    (crowded,) = (await http.get("/api/commerces", params={"external_id": "crowded"})).json()["data"]
    url = f"/api/commerces/{crowded['id']}"
    await require_pages(http, f"{url}/users", "externalId", names)
    detail = await http.get(url)
    assert len(detail.content) < MOST_BYTES
    assert (0 < len(detail.json()["users"]) < 20, detail.json()["usersTotal"]) == (True, 20)


async def create_large(http: httpx.AsyncClient, number: int, **members: Any) -> list[dict[str, Any]]:
    """Create activities whose values have 200 KB each."""
    attributes = [{"key": "promotions", "value": LARGE}]
    bodies = [contract_example(attributes=attributes, attribute_keys=[], **members) for _ in range(number)]
    answers = await asyncio.gather(*(http.post("/api/activities", json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json() for answer in answers]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_activities(http: httpx.AsyncClient, order: str) -> None:
    made = await create_large(http, 5, scheduled_at=from_now(hours=1))
    await require_pages(http, "/api/activities", "id", [one["id"] for one in made], order=order)
    sample = {"filter": {"status": ["READY"]}, "reason": "x", "dry_run": True}
    rehearsed = await http.post("/api/activities/cancel", json=sample)
    assert (rehearsed.json()["total"], len(rehearsed.content) < MOST_BYTES) == (5, True)


async def test_claims_end_at_so_many_bytes_and_the_next_one_goes_on(http: httpx.AsyncClient) -> None:
    made = await create_large(http, 5)
    for one in made:
        await until(http, f"/api/activities/{one['id']}", "DUE")
    claimed: list[str] = []
    for _ in range(5):
        answer = await http.post(
            "/api/executions/claim", json={"channels": ["WHATSAPP"], "executor": "e", "limit": 100}
        )
        assert len(answer.content) < MOST_BYTES
        assert len(answer.json()["data"]) < 5
        claimed += [one["id"] for one in answer.json()["data"]]
    assert sorted(claimed) == sorted(one["id"] for one in made)


async def test_results(http: httpx.AsyncClient) -> None:
    (one,) = await create_large(http, 1)
    await until(http, f"/api/activities/{one['id']}", "DUE")
    await http.post("/api/executions/claim", json={"channels": ["WHATSAPP"], "executor": "e"})
    for number in range(12):
        result = {
            "activity_id": one["id"],
            "occurred_at": from_now(),
            "status": "PENDING",
            "external_status": f"step {number}",
            "raw_payload": "x" * 60_000,
        }
        assert (await http.post("/api/activity-results/tasks", json=result)).status_code == 201
    url, steps, pages = f"/api/activities/{one['id']}/results?per_page=100", list[str](), 0
    while url:
        page = await http.get(url)
        assert len(page.content) < MOST_BYTES
        steps += [result["externalStatus"] for result in page.json()]
        pages += 1
        url = page.links.get("next", {}).get("url", "")
    assert (steps, pages) == ([f"step {number}" for number in range(12)], 2)


async def test_catalogues(http: httpx.AsyncClient) -> None:
    aliases = [f"{n} ".ljust(1_000, "x") for n in range(100)]
    for number in range(6):
        entry = {"code": f"r{number}", "label": "L", "aliases": [f"{number}{one}"[:1_000] for one in aliases]}
        assert (await http.post(REASONS, json=entry)).status_code == 201
    await require_pages(http, REASONS, "code", [*(f"r{number}" for number in range(6)), "monthly_promotion"])


async def test_the_audit(http: httpx.AsyncClient) -> None:
    first = (await http.post(REASONS, json={"code": "long", "label": "L", "aliases": []})).json()
    for number in range(8):
        aliases = [f"{number} {one} ".ljust(1_000, "x") for one in range(100)]
        assert (await http.patch(f"{REASONS}/{first['code']}", json={"aliases": aliases})).status_code == 200
    pages = [page async for page in walk(http, "/api/audit", resource="REASON", resource_key="long")]
    assert len(pages) > 1
    assert [page["meta"]["isShortened"] for page in pages] == [True] * (len(pages) - 1) + [False]
    entries = [entry for page in pages for entry in page["data"]]
    assert [entry["after"]["aliases"][:1] for entry in entries] == [
        *([f"{number} 0 ".ljust(1_000, "x")] for number in reversed(range(8))),
        [],
    ]


async def test_repetitions_of_a_large_activity_fill_a_batch_no_further_than_its_answer_may_grow(
    http: httpx.AsyncClient,
) -> None:
    (stored,) = await create_large(http, 1)
    small = contract_example(idempotency_key=stored["idempotencyKey"])
    answer = await http.post("/api/activities/batch", json={"activities": [small] * 100})
    assert BATCH_ANSWER_BYTES < len(answer.content) < BATCH_ANSWER_BYTES + 1024 * 1024  # one result, and refusals
    results = answer.json()["results"]
    assert {one["status"] for one in results} == {409, 429}
    full = next(one["body"] for one in results if one["status"] == 429)
    assert full["code"] == "rate_limited"
    assert "8,388,608 bytes, as many as an answer may have" in full["detail"]
    assert "send this item again" in full["detail"]
    lines = "\n".join([json.dumps(small)] * 40)
    streamed = await http.post("/api/activities/batch", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["status"] for line in streamed.text.splitlines()] == [409] * 40
