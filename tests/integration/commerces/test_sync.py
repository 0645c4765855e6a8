"""POST /api/commerces/sync: what another system knows, taken item by item."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event

from tests.support.builders import COMMERCE_ID
from tests.support.service import Service

PHONE = {"contact_type": "PHONE", "value": "+5491123456789"}


async def sync(http: httpx.AsyncClient, *items: Any) -> dict[str, Any]:
    answer = await http.post("/api/commerces/sync", json={"items": items})
    assert answer.status_code == 200, answer.text
    counts: dict[str, Any] = answer.json()
    return counts


async def commerce(http: httpx.AsyncClient, external_id: str) -> dict[str, Any]:
    found = (await http.get("/api/commerces", params={"external_id": external_id})).json()["data"]
    detail: dict[str, Any] = (await http.get(f"/api/commerces/{found[0]['id']}")).json()
    return detail


def counted(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["created"], answer["updated"], answer["unchanged"]


async def test_a_commerce_is_created_with_everything_that_was_sent(http: httpx.AsyncClient) -> None:
    answer = await sync(
        http,
        {
            "external_id": "store-9",
            "name": "Kiosco",
            "tax_id": "20-9",
            "global_external_id": "g-9",
            "metadata": {"tier": "gold"},
            "addresses": [{"street": "Calle 9", "city": "Lima", "is_primary": True, "latitude": -12.1}],
            "users": [{"external_id": "ana", "name": "Ana", "roles": ["OWNER", "ADMIN"], "contacts": [PHONE]}],
        },
    )

    assert counted(answer) == (1, 0, 0)
    stored = await commerce(http, "store-9")
    assert (stored["name"], stored["taxId"], stored["globalExternalId"]) == ("Kiosco", "20-9", "g-9")
    assert (stored["metadata"], stored["isActive"]) == ({"tier": "gold"}, True)
    assert (stored["addresses"][0]["street"], stored["addresses"][0]["latitude"]) == ("Calle 9", -12.1)
    (user,) = stored["users"]
    assert (user["externalId"], user["name"], user["roles"]) == ("ana", "Ana", ["ADMIN", "OWNER"])
    assert (user["contacts"][0]["contactType"], user["contacts"][0]["value"]) == ("PHONE", PHONE["value"])


async def test_the_same_items_again_change_nothing(http: httpx.AsyncClient) -> None:
    items = [
        {
            "external_id": "a",
            "name": "A",
            "addresses": [{"street": "x"}],
            "users": [{"external_id": "u", "roles": ["OWNER"]}],
        },
        {"external_id": "b", "name": "B", "metadata": {"k": [1, None, {"z": True}]}},
    ]
    assert counted(await sync(http, *items)) == (2, 0, 0)
    before = await commerce(http, "a")

    assert counted(await sync(http, *items)) == (0, 0, 2)
    assert await commerce(http, "a") == before


async def test_what_an_item_leaves_out_stays_as_it_is(http: httpx.AsyncClient) -> None:
    full = {
        "external_id": "a",
        "name": "A",
        "tax_id": "1",
        "metadata": {"k": 1},
        "addresses": [{"city": "Lima"}],
        "users": [{"external_id": "u", "name": "U", "roles": ["OWNER"], "contacts": [PHONE]}],
    }
    await sync(http, full)

    answer = await sync(http, {"external_id": "a", "name": "B", "metadata": {"l": 2}, "users": [{"external_id": "v"}]})

    stored = await commerce(http, "a")
    assert counted(answer) == (0, 1, 0)
    assert (stored["name"], stored["taxId"], stored["metadata"]) == ("B", "1", {"k": 1, "l": 2})
    assert stored["addresses"][0]["city"] == "Lima"
    assert [(one["externalId"], one["name"], one["roles"]) for one in stored["users"]] == [
        ("u", "U", ["OWNER"]),
        ("v", "v", []),
    ]


async def test_a_commerce_of_which_only_a_user_changes_counts_as_updated(http: httpx.AsyncClient) -> None:
    item = {"external_id": "a", "name": "A", "users": [{"external_id": "u", "contacts": [PHONE]}]}
    await sync(http, item, {"external_id": "b", "name": "B"})

    item["users"] = [{"external_id": "u", "contacts": []}]

    assert counted(await sync(http, item, {"external_id": "b", "name": "B"})) == (0, 1, 1)
    assert (await commerce(http, "a"))["users"][0]["contacts"] == []


async def test_a_deactivated_user_stays_deactivated(http: httpx.AsyncClient) -> None:
    item = {"external_id": "a", "name": "A", "users": [{"external_id": "u"}]}
    await sync(http, item)
    stored = await commerce(http, "a")
    await http.patch(f"/api/commerces/{stored['id']}/users/{stored['users'][0]['id']}", json={"is_active": False})

    await sync(http, item)

    assert (await commerce(http, "a"))["users"][0]["isActive"] is False


async def test_two_tenants_may_have_the_same_external_id(service: Service, http: httpx.AsyncClient) -> None:
    other = await service.tenant()
    await sync(http, {"external_id": "a", "name": "Ours"})
    async with service.client(other.id) as theirs:
        assert counted(await sync(theirs, {"external_id": "a", "name": "Theirs"})) == (1, 0, 0)

    assert (await commerce(http, "a"))["name"] == "Ours"


async def test_synchronizations_that_meet_write_everything_once(http: httpx.AsyncClient) -> None:
    def items(order: int) -> list[dict[str, Any]]:
        found = [{"external_id": f"s-{n}", "name": "S", "users": [{"external_id": "u"}]} for n in range(50)]
        return found if order % 2 else found[::-1]

    answers = await asyncio.gather(*(sync(http, *items(order)) for order in range(8)))

    assert sum(answer["created"] for answer in answers) == 50
    assert sum(answer["unchanged"] for answer in answers) == 350


@pytest.mark.parametrize(("count", "users", "takes"), [(1, 1, 4), (200, 1, 4), (20, 100, 4), (21, 100, 5)])
async def test_a_synchronization_takes_four_statements_and_one_more_for_each_two_thousand_users(
    service: Service, http: httpx.AsyncClient, count: int, users: int, takes: int
) -> None:
    named = [{"external_id": f"u{user}"} for user in range(users)]
    items = [{"external_id": str(uuid4()), "name": "S", "users": named} for _ in range(count)]
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "commerce" in statement or "advisory" in statement:
            statements.append(statement)

    event.listen(service.roles.api.transactions.sync_engine, "before_cursor_execute", note)
    try:
        assert counted(await sync(http, *items)) == (count, 0, 0)
    finally:
        event.remove(service.roles.api.transactions.sync_engine, "before_cursor_execute", note)

    assert len(statements) == takes


async def test_a_commerce_that_was_synchronized_takes_activities(http: httpx.AsyncClient) -> None:
    await sync(
        http,
        {"external_id": "a", "name": "A", "users": [{"external_id": "u", "roles": ["OWNER"], "contacts": [PHONE]}]},
    )
    stored = await commerce(http, "a")
    body = {
        "type": "TASK",
        "reason": "Monthly promotion",
        "channel": "SMS",
        "commerce_id": stored["id"],
        "idempotency_key": str(uuid4()),
        "scheduled_at": "2030-01-16T09:00:00.000Z",
    }

    created = await http.post("/api/activities", json=body)

    assert created.json()["status"] == "READY", created.text
    assert created.json()["targetUsers"][0]["commerceUserId"] == stored["users"][0]["id"]
    assert stored["id"] != str(COMMERCE_ID)
