"""GET /api/activities: pages that don't shift, filters that mean what they say, faults that are named."""

import json
from typing import Any

import httpx
import pytest

from api.http.auth import Permission
from api.http.pages import format_cursor, parse_cursor
from tests.support.activities import created
from tests.support.builders import COMMERCE_ID, from_now
from tests.support.service import Service

LIST = "/api/activities"


async def page(http: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    """The answer to a list."""
    answer = await http.get(LIST, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_page_says_where_it_is_and_shows_whole_activities(http: httpx.AsyncClient) -> None:
    activities = [await created(http) for _ in range(3)]
    first = await page(http, per_page=2)
    assert [one["id"] for one in first["data"]] == [activities[2]["id"], activities[1]["id"]]
    assert first["data"][0] == (await http.get(f"{LIST}/{activities[2]['id']}")).json()
    cursor = first["meta"].pop("nextCursor")
    place = {"page": 1, "limit": 2, "total": 3, "totalPages": 2, "isShortened": False}
    assert first["meta"] == place | {"totalIsExact": True, "updatedUntil": None}
    for second in (await page(http, per_page=2, page=2), await page(http, per_page=2, cursor=cursor)):
        assert [one["id"] for one in second["data"]] == [activities[0]["id"]]
        assert second["meta"] == first["meta"] | {"page": 2, "nextCursor": None}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["scheduled_at", "created_at"])
async def test_a_cursor_shows_each_activity_once_while_others_arrive(
    http: httpx.AsyncClient, sort: str, order: str
) -> None:
    there = {(await created(http, scheduled_at=from_now(hours=hours % 3 + 1)))["id"] for hours in range(7)}
    parameters = {"sort": sort, "order": order, "per_page": 2}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        now = await page(http, **parameters, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in now["data"]]
        cursor = now["meta"]["nextCursor"]
        if len(seen) < 6:
            await created(http, scheduled_at=from_now(hours=len(seen) % 4))
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


async def test_a_search_finds_the_beginning_of_a_key_and_of_a_commerces_external_id(http: httpx.AsyncClient) -> None:
    one = await created(http, idempotency_key="campaign_7%-a")
    await created(http, idempotency_key="campaignX7")
    assert [found["id"] for found in (await page(http, search="campaign_7%"))["data"]] == [one["id"]]
    assert (await page(http, search="store-1"))["meta"]["total"] == 2
    assert (await page(http, search="ampaign"))["meta"]["total"] == 0
    assert [found["id"] for found in (await page(http, idempotency_key="campaign_7%-a"))["data"]] == [one["id"]]


async def test_statuses_can_be_named_together(http: httpx.AsyncClient) -> None:
    ready, canceled = await created(http), await created(http)
    await http.post(f"{LIST}/{canceled['id']}/cancel", json={"reason": "x"})
    assert {one["id"] for one in (await page(http, status=["READY", "CANCELED"]))["data"]} == {
        ready["id"],
        canceled["id"],
    }
    assert [one["id"] for one in (await page(http, status="READY"))["data"]] == [ready["id"]]


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"state": "READY"}, "/query/state"),
        ({"per_page": 101}, "/query/per_page"),
        ({"page": 0}, "/query/page"),
        ({"status": "RESOLVING"}, "/query/status/0"),
        ({"late": "sometimes"}, "/query/late"),
        ({"scheduled_from": "2025-01-16T09:00:00"}, "/query/scheduled_from"),
        ({"cursor": "eyJvZiI6IjEifQ"}, "/query/cursor"),
        ({"cursor": "?"}, "/query/cursor"),
        ({"sort": "status"}, "/query/sort"),
    ],
)
async def test_a_wrong_parameter_is_refused_and_named(
    http: httpx.AsyncClient, parameters: dict[str, Any], pointer: str
) -> None:
    answer = await http.get(LIST, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_a_cursor_of_another_list_is_refused(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await created(http)
    cursor = (await page(http, per_page=1))["meta"]["nextCursor"]
    for other in ({"order": "asc"}, {"status": "READY"}, {"page": 2}):
        answer = await http.get(LIST, params={"cursor": cursor, **other})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert len((await page(http, per_page=5, cursor=cursor))["data"]) == 1


@pytest.mark.parametrize("sort", ["created_at", "scheduled_at", "updated_at", "score"])
async def test_a_cursor_that_no_page_returned_is_refused(http: httpx.AsyncClient, sort: str) -> None:
    for _ in range(2):
        await created(http)
    parameters: dict[str, Any] = {"sort": sort, "per_page": 1}
    content = json.loads(parse_cursor((await page(http, **parameters))["meta"]["nextCursor"]))
    time, numbers = "2025-01-16T09:00:00Z", [5, -(2**31) - 1]
    taken, refused = (numbers, [time, 2**31]) if sort == "score" else ([time], [*numbers, 2**31])
    refused += [10**30, -(2**31) - 2, 5.5, "2025-01-16T09:00:00", "0001-01-01T00:00:00+14:00", f"{time[:-1]}+23:59"]
    wrong = [{"at": at} for at in (*refused, None, "x", True)]
    wrong += [{"page": 0}, {"page": -5}, {"total": -1}, {"total": "1"}, {"id": 1}, {"id": "\0"}, {"until": "x"}]
    for changes in [*({"at": at} for at in taken), *wrong]:
        cursor = format_cursor(json.dumps(content | changes))
        answer = await http.get(LIST, params=parameters | {"cursor": cursor})
        assert answer.status_code == (400 if changes in wrong else 200), (changes, answer.text)
        if changes in wrong:
            (fault,) = answer.json()["errors"]
            assert fault == {"pointer": "/query/cursor", "detail": "This is not a cursor that a page returned."}


async def test_a_list_shows_the_tenants_own_to_those_who_may_see_them(
    service: Service, http: httpx.AsyncClient
) -> None:
    await created(http)
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        assert (await page(theirs, commerce_id=str(COMMERCE_ID)))["data"] == []
    others = [permission for permission in Permission if permission is not Permission.VIEW_ACTIVITIES]
    async with service.client(other.id, *others) as blind:
        assert (await blind.get(LIST)).status_code == 403
