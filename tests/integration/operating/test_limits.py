"""Test that a limit of Temporal is answered 429 at once, by every endpoint, and is no outage."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from embedded import temporal_server
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, running_temporal
from runs.ids import draw_id
from tests.support.activities import created, trail, unresolved
from tests.support.builders import contract_example
from tests.support.service import running_service, temporal_client, until_ready
from tests.support.worlds import new_database

URL = "/api/activities"
NOTHING = {"frontend.namespaceRPS": "0", "frontend.namespaceRPS.visibility": "0"}
"""A namespace in which Temporal refuses every call."""
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
async def limited(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any], dict[str, Any]]]:
    """A caller, a READY and an UNRESOLVED activity, on a Temporal that has come to its limits since."""
    place: Path = tmp_path_factory.mktemp("limits") / "temporal.sqlite"
    url = new_database(postgres)
    with running_temporal(database=place) as server:
        async with running_service(url, await temporal_client(server.address)) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                ready, open_one = await created(http), await unresolved(service, http, tenant)
    with pytest.MonkeyPatch.context() as patched:
        # The start asks for the search attributes, which are there, until it is answered. The server answers once.
        patched.setattr(temporal_server, "_knows_search_attributes", lambda _: True)
        with running_temporal(database=place, dynamic_config=DYNAMIC_CONFIG | NOTHING) as server:
            client = await connected(server.address)
            async with running_service(url, client, work=False) as service, service.client(tenant.id) as http:
                async with asyncio.timeout(60):
                    while (await http.get(f"{URL}/{draw_id()}")).status_code != 429:
                        await asyncio.sleep(0.05)
                yield http, ready, open_one


async def connected(address: str) -> Client:
    """Connect once the server answers."""
    async with asyncio.timeout(60):
        while True:
            with suppress(RuntimeError):
                return await temporal_client(address)
            await asyncio.sleep(0.05)


def is_limit(answer: httpx.Response) -> bool:
    """Return whether the answer is the 429 of a limit."""
    return (answer.status_code, answer.json()["code"], int(answer.headers["Retry-After"]) > 0) == (
        429,
        "rate_limited",
        True,
    )


async def test_a_creation_above_a_limit_is_429_and_says_how_to_repeat_it(limited: Any) -> None:
    http, *_ = limited
    answer = await http.post(URL, json=contract_example())
    assert is_limit(answer), answer.text
    assert "same idempotency key" in answer.json()["detail"]


async def test_items_of_a_batch_above_a_limit_are_429(limited: Any) -> None:
    http, *_ = limited
    items = [contract_example() for _ in range(3)]
    results = (await http.post(f"{URL}/batch", json={"activities": items})).json()["results"]
    lines = "\n".join(json.dumps(item) for item in items)
    answered = await http.post(f"{URL}/batch", content=lines, headers=LINES)
    results += [json.loads(line) for line in answered.text.splitlines()]
    assert [(one["status"], one["body"]["code"]) for one in results] == [(429, "rate_limited")] * 6


async def test_reading_an_activity_without_a_row_above_a_limit_is_429(limited: Any) -> None:
    http, *_ = limited
    for path in ("", "/status-events", "/explanation"):
        answer = await http.get(f"{URL}/{draw_id()}{path}")
        assert is_limit(answer), answer.text


async def test_changes_above_a_limit_are_429_and_nothing_is_changed(limited: Any) -> None:
    http, ready, open_one = limited
    calls: list[tuple[dict[str, Any], str, str, Any]] = [
        (ready, "PATCH", "", {"score": 1}),
        (ready, "POST", "/execute-now", None),
        (open_one, "PATCH", "/retry-resolution", None),
        (ready, "POST", "/cancel", {"reason": "x"}),
    ]
    for activity, method, path, body in calls:
        answer = await http.request(method, f"{URL}/{activity['id']}{path}", json=body)
        assert is_limit(answer), answer.text
        assert "Nothing was changed, and nothing will be." in answer.json()["detail"]
    for activity, written in ((ready, 3), (open_one, 1)):
        assert (await http.get(f"{URL}/{activity['id']}")).json()["status"] == activity["status"]
        assert [event[0] for event in await trail(http, activity["id"])][1:] == ["CHANGE_WITHDRAWN"] * written


async def test_a_bulk_operation_above_a_limit_is_429_with_the_id_that_makes_a_repetition_safe(limited: Any) -> None:
    http, *_ = limited
    body = {"filter": {"channel": "WHATSAPP"}, "reason": "x"}
    answer = await http.post(f"{URL}/cancel", json=body)
    assert is_limit(answer), answer.text
    operation = answer.json()["operationId"]
    assert answer.headers["Location"] == f"/api/operations/{operation}"
    assert operation[14] == "7"
    again = await http.post(f"{URL}/cancel", json=body | {"operation_id": operation})
    assert is_limit(again), again.text
    assert (await http.get(answer.headers["Location"])).json()["state"] == "COLLECTING"
    stopped = await http.post(f"{answer.headers['Location']}/stop")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "STOPPED")


async def test_the_service_stays_ready_at_a_limit(limited: Any) -> None:
    http, *_ = limited
    await until_ready(http)
