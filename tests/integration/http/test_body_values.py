"""The bound of values in a body, or in an item of a list, which is checked before anything is parsed."""

import json
from typing import Any

import httpx
import pytest

from tests.support.builders import contract_example
from workflows.tenant_limits import BODY_VALUES, CONTACT_LOG_VALUES, SYNC_ITEM_VALUES

JSON = {"Content-Type": "application/json"}
TEXT = "[{," * 333
"""A text with many of the characters that are counted outside of texts."""
LINES = {"Content-Type": "application/x-ndjson"}


def count(text: str) -> int:
    """Count the characters that begin a value or stand before one."""
    return sum(text.count(sign) for sign in "[{,")


def fill(around: dict[str, Any], values: int) -> str:
    """Write the object in JSON, with as many members in place of HERE as make up so many values."""
    text = json.dumps(around)
    rest = values - count(text.replace(TEXT, ""))
    return text.replace('"HERE"', json.dumps({f"{number:x}": 0 for number in range(rest)}))


def activity(values: int, key: str = "key") -> str:
    attribute = {"key": "promotions", "value": "HERE", "fallback": TEXT}
    return fill(contract_example(idempotency_key=key, attributes=[attribute]), values)


def store(values: int, external_id: str = "store") -> str:
    return fill({"external_id": external_id, "name": "Store", "metadata": {"a": "HERE"}}, values)


async def post(http: httpx.AsyncClient, url: str, content: str, headers: dict[str, str] = JSON) -> httpx.Response:
    return await http.post(url, content=content, headers=headers)


def require_refusal(errors: list[dict[str, Any]], pointer: str, most: int) -> None:
    """Check that the only fault names the rule and says what to do."""
    (error,) = errors
    assert error["pointer"] == pointer
    assert error["detail"].startswith(f"This has {most + 1:,} of `[`, `{{` and `,` outside of texts; at most {most:,}")
    assert "Send fewer values, or nested values as one text." in error["detail"]


async def test_a_body_may_have_so_many_values_and_no_more(http: httpx.AsyncClient) -> None:
    most, more = activity(BODY_VALUES), activity(BODY_VALUES + 1, key="other")
    assert count(most.replace(TEXT, "")) == BODY_VALUES
    taken = await post(http, "/api/activities", most)
    refused = await post(http, "/api/activities", more)
    assert (taken.status_code, refused.status_code) == (201, 400)
    stored = {one["key"]: one["value"] for one in taken.json()["attributes"]}
    assert stored["promotions"] == json.loads(most)["attributes"][0]["value"]
    require_refusal(refused.json()["errors"], "", BODY_VALUES)


async def test_an_item_of_a_batch_with_more_values_is_refused_alone(http: httpx.AsyncClient) -> None:
    items = [activity(BODY_VALUES, "a"), activity(BODY_VALUES + 1, "b"), activity(100, "c")]
    listed = await post(http, "/api/activities/batch", f'{{"activities": [{",".join(items)}]}}')
    lines = await post(http, "/api/activities/batch", "\n".join(items), LINES)
    results = [listed.json()["results"], [json.loads(line) for line in lines.text.splitlines()]]
    assert [[one["status"] for one in those] for those in results] == [[201, 400, 201], [409, 400, 409]]
    for those in results:
        require_refusal(those[1]["body"]["errors"], "", BODY_VALUES)


async def test_an_item_of_a_synchronization_with_more_values_is_refused_alone(http: httpx.AsyncClient) -> None:
    items = [store(SYNC_ITEM_VALUES), store(SYNC_ITEM_VALUES + 1, "other")]
    answer = (await post(http, "/api/commerces/sync", f'{{"items": [{",".join(items)}]}}')).json()
    assert answer["created"] == 1
    require_refusal(answer["refused"][0]["errors"], "/items/1", SYNC_ITEM_VALUES)


async def test_the_largest_commerce_is_written_whole(http: httpx.AsyncClient) -> None:
    def contact(number: int) -> dict[str, Any]:
        return {"contact_type": "OTHER", "value": f"contact {number}", "is_primary": number == 0}

    users = [
        {"external_id": f"user {one}", "name": "Ana", "roles": ["OWNER"], "contacts": [contact(n) for n in range(100)]}
        for one in range(100)
    ]
    item = {"external_id": "a", "name": "A", "users": users, "metadata": {f"k{n}": n for n in range(100)}}
    answer = (await http.post("/api/commerces/sync", json={"items": [item]})).json()
    assert (answer["created"], answer["refused"], answer["warnings"]) == (1, [], [])


@pytest.mark.parametrize("extra", [0, 1])
async def test_a_contact_log_may_have_so_many_values_and_no_more(http: httpx.AsyncClient, extra: int) -> None:
    body = {"entries": [], "x": [0] * (CONTACT_LOG_VALUES - 3 + extra)}
    answer = await http.put(
        f"/api/commerces/{contract_example()['commerce_id']}/contact-log", content=json.dumps(body), headers=JSON
    )
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["" if extra else "/x"]


@pytest.mark.parametrize("url", ["/api/activities/batch", "/api/commerces/sync"])
async def test_values_around_the_items_are_bounded_too(http: httpx.AsyncClient, url: str) -> None:
    name = "items" if "sync" in url else "activities"
    many = await post(http, url, f'{{"{name}": [], "x": [{",".join(["0"] * BODY_VALUES)}]}}')
    long = await post(http, url, f'{{"{name}": []{" " * 300_000}}}')
    open_list = await post(http, url, f'{{"{name}": ["{"[]," * 100_000}')
    assert [answer.status_code for answer in (many, long, open_list)] == [400, 413, 400]
    assert "outside of texts; at most 20,000" in many.json()["errors"][0]["detail"]
    assert "Without its items, the body may have at most 262,144 bytes." in long.json()["detail"]
    assert "brackets don't match" in open_list.json()["detail"]
