"""Each thing that a caller replaces, or adds to, written by many callers at the same time."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.builders import COMMERCE_ID, Tenant

CALLERS = 36
CONFIG = "/api/activity-config"
COMMERCE = f"/api/commerces/{COMMERCE_ID}"

Write = Callable[[int], dict[str, Any]]
"""Returns the request of the caller of that number."""


async def answers(http: httpx.AsyncClient, method: str, url: str, write: Write) -> list[httpx.Response]:
    """Send all calls at once and return their answers."""
    return await asyncio.gather(*(http.request(method, url, json=write(number)) for number in range(CALLERS)))


def statuses(given: list[httpx.Response]) -> Counter[int]:
    """Count the answers by status."""
    return Counter(answer.status_code for answer in given)


def result_types(number: int) -> dict[str, Any]:
    """A set that shares two codes with the others, in another order each time, and has one of its own."""
    codes = ["sold", "visited", f"of_caller_{number}"]
    turned = codes[number % 3 :] + codes[: number % 3]
    return {"types": [{"code": code, "label": f"as {number} says"} for code in turned]}


def contact_log(time: str, tenant: Tenant) -> Write:
    """A log that shares one contact with the others, and has one of its own."""
    shared = {"commerce_user_id": str(tenant.owner_id), "channel": "EMAIL", "contacted_at": time}
    return lambda number: {"entries": [shared, shared | {"contacted_at": f"2025-01-16T09:00:{number:02}Z"}]}


def config(number: int) -> dict[str, Any]:
    """Criteria of one caller."""
    return {"criteria": [{"type": "LAST_CONTACTED_ALL_CHANNELS", "config": {"within_days": number + 1}}]}


def contacts(number: int) -> list[dict[str, Any]]:
    """Contacts of which one is the same for all callers."""
    shared = {"contact_type": "EMAIL", "value": "shared@example.com", "is_primary": number % 2 == 0}
    return [shared, {"contact_type": "EMAIL", "value": f"{number}@example.com", "is_primary": number % 2 == 1}]


async def test_task_result_types_are_replaced_as_a_whole_by_the_last_of_many(http: httpx.AsyncClient) -> None:
    url = f"{CONFIG}/task-result-types"
    given = await answers(http, "PUT", url, result_types)
    assert statuses(given) == {200: CALLERS}
    assert (await http.get(url)).json() in [answer.json() for answer in given]
    for number, answer in enumerate(given):
        labels = {one["label"] for one in answer.json()["data"]}
        assert (len(answer.json()["data"]), labels) == (3, {f"as {number} says"})


async def test_a_contact_log_is_replaced_as_a_whole_by_the_last_of_many(
    http: httpx.AsyncClient, tenant: Tenant
) -> None:
    url = f"{COMMERCE}/contact-log"
    given = await answers(http, "PUT", url, contact_log("2025-01-15T09:00:00Z", tenant))
    assert statuses(given) == {200: CALLERS}
    added, removed = (sum(answer.json()[name] for answer in given) for name in ("added", "removed"))
    assert (await http.get(url)).json()["meta"]["total"] == added - removed == 2


async def test_criteria_of_a_target_config_are_replaced_by_the_last_of_many(http: httpx.AsyncClient) -> None:
    created = await http.post(f"{CONFIG}/target-resolution", json={"strategy": "ON_CREATION"})
    url = f"{CONFIG}/target-resolution/{created.json()['id']}"
    given = await answers(http, "PATCH", url, config)
    assert statuses(given) == {200: CALLERS}
    assert sorted(answer.json()["version"] for answer in given) == list(range(2, CALLERS + 2))
    last = max(given, key=lambda answer: answer.json()["version"])
    assert (await http.get(url)).json() == last.json()


async def test_of_many_configs_with_one_priority_one_is_created(http: httpx.AsyncClient) -> None:
    given = await answers(
        http, "POST", f"{CONFIG}/target-resolution", lambda _: {"strategy": "ON_CREATION", "priority": 7}
    )
    assert statuses(given) == {201: 1, 409: CALLERS - 1}


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (f"{CONFIG}/reasons", {"code": "new", "label": "New"}),
        ("/api/user-retention-statuses", {"code": "new", "label": "New"}),
        (f"{CONFIG}/attribute-keys", {"key": "new", "label": "New"}),
        (f"{COMMERCE}/users", {"external_id": "new"}),
    ],
)
async def test_what_many_create_under_one_name_is_created_once(
    http: httpx.AsyncClient, url: str, body: dict[str, Any]
) -> None:
    assert statuses(await answers(http, "POST", url, lambda _: body)) == {201: 1, 409: CALLERS - 1}


async def test_aliases_are_replaced_by_the_last_of_many(http: httpx.AsyncClient) -> None:
    url = f"{CONFIG}/reasons/monthly_promotion"
    given = await answers(http, "PATCH", url, lambda number: {"aliases": ["all", f"{number}"]})
    assert statuses(given) == {200: CALLERS}
    listed = (await http.get(f"{CONFIG}/reasons", params={"search": "monthly_promotion"})).json()
    assert listed["data"][0] in [answer.json() for answer in given]


async def test_the_policy_of_a_key_counts_each_change_of_many(http: httpx.AsyncClient) -> None:
    strategies = ("UPFRONT", "ON_DISPATCH")
    given = await answers(
        http,
        "POST",
        f"{CONFIG}/attribute-policies",
        lambda number: {
            "key": "commerce_info",
            "strategy": strategies[number % 2],
            "resolver_type": "INTERNAL_SERVICE",
        },
    )
    assert statuses(given) == {200: CALLERS}
    listed = (await http.get(f"{CONFIG}/attribute-policies")).json()["data"]
    assert [one["attributeKey"]["key"] for one in listed] == ["commerce_info"]
    assert listed[0]["version"] == max(answer.json()["version"] for answer in given)


async def test_dispatch_settings_are_replaced_by_the_last_of_many(http: httpx.AsyncClient) -> None:
    given = await answers(http, "PUT", f"{CONFIG}/dispatch", lambda number: {"max_attempts": number + 1})
    assert statuses(given) == {200: CALLERS}
    assert (await http.get(f"{CONFIG}/dispatch")).json()["maxAttempts"] in range(1, CALLERS + 1)


async def test_a_tenant_is_paused_and_resumed_by_many(http: httpx.AsyncClient) -> None:
    url = f"{CONFIG}/pause"
    given = await answers(http, "PUT", url, lambda number: {"paused": number % 2 == 0, "reason": f"{number}"})
    assert statuses(given) == {200: CALLERS}
    assert (await http.put(url, json={"paused": False})).json()["paused"] is False


@pytest.mark.parametrize("method", ["PATCH", "sync"])
async def test_roles_and_contacts_of_a_user_are_replaced_together_by_the_last_of_many(
    http: httpx.AsyncClient, tenant: Tenant, method: str
) -> None:
    roles = ("ADMIN", "ORDERS", "OWNER")

    def changed(number: int) -> dict[str, Any]:
        return {"roles": [roles[number % 3]], "contacts": contacts(number)}

    def synchronized(number: int) -> dict[str, Any]:
        users = [{"external_id": "owner", **changed(number)}]
        return {"items": [{"external_id": "store-1", "name": f"of {number}", "users": users}]}

    url = f"{COMMERCE}/users/{tenant.owner_id}"
    given = (
        await answers(http, "PATCH", url, changed)
        if method == "PATCH"
        else await answers(http, "POST", "/api/commerces/sync", synchronized)
    )
    assert statuses(given) == {200: CALLERS}
    users = (await http.get(COMMERCE)).json()["users"]
    owner = next(user for user in users if user["externalId"] == "owner")
    assert {contact["value"] for contact in owner["contacts"]} in [
        {contact["value"] for contact in contacts(number)} for number in range(CALLERS)
    ]
    number = int(next(one["value"] for one in owner["contacts"] if "shared" not in one["value"]).partition("@")[0])
    assert owner["roles"] == changed(number)["roles"]


async def test_what_many_add_to_a_user_is_all_there(http: httpx.AsyncClient, tenant: Tenant) -> None:
    user = f"{COMMERCE}/users/{tenant.owner_id}"
    roles = ["ADMIN", "ORDERS", "FINANCE", "ATTENTION"]
    given = await asyncio.gather(
        answers(http, "POST", f"{user}/roles", lambda number: {"role": roles[number % 4]}),
        answers(http, "POST", f"{user}/contacts", lambda number: contacts(number)[1]),
        answers(http, "POST", f"{user}/contacts", lambda number: contacts(number)[0]),
    )
    assert [statuses(one) for one in given] == [{201: CALLERS}, {201: CALLERS}, {201: 1, 409: CALLERS - 1}]
    owner = next(one for one in (await http.get(COMMERCE)).json()["users"] if one["id"] == str(tenant.owner_id))
    assert set(owner["roles"]) >= set(roles)
    values = Counter(one["value"] for one in owner["contacts"] if one["contactType"] == "EMAIL")
    assert values["shared@example.com"] == 1
    assert all(values[f"{number}@example.com"] == 1 for number in range(CALLERS))
    assert len([one for one in owner["contacts"] if one["contactType"] == "EMAIL" and one["isPrimary"]]) == 1


async def test_metadata_of_a_commerce_is_merged_by_many(http: httpx.AsyncClient) -> None:
    given = await asyncio.gather(
        answers(http, "PATCH", COMMERCE, lambda number: {"metadata": {f"patched_{number}": number}}),
        answers(
            http,
            "POST",
            "/api/commerces/sync",
            lambda number: {
                "items": [{"external_id": "store-1", "name": "Tienda Uno", "metadata": {f"synced_{number}": number}}]
            },
        ),
    )
    assert [statuses(one) for one in given] == [{200: CALLERS}] * 2
    metadata = (await http.get(COMMERCE)).json()["metadata"]
    assert set(metadata) == {f"{way}_{number}" for way in ("patched", "synced") for number in range(CALLERS)}
