"""POST /api/commerces/sync: what is not taken, by its place, while the rest is."""

import json
from typing import Any

import httpx
import pytest

from api.commerces.sync import ITEM_BYTES
from api.http.auth import Permission
from tests.integration.activities.test_batch import BAD_ITEMS
from tests.integration.commerces.test_sync import commerce, counted, sync
from tests.support.builders import Tenant
from tests.support.service import Service
from workflows.tenant_limits import SYNC_FAULTS


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ("text", ""),
        ({"name": "X"}, "/external_id"),
        ({"external_id": "x", "name": " "}, "/name"),
        ({"external_id": "x", "name": "X", "vip": True}, "/vip"),
        ({"external_id": "x", "name": "X\0"}, "/name"),
        ({"external_id": "x", "name": "X", "tax_id": 5}, "/tax_id"),
        ({"external_id": "x", "name": "X", "addresses": [{"latitude": 91}]}, "/addresses/0/latitude"),
        ({"external_id": "x", "name": "X", "users": [{"external_id": "u", "roles": ["BOSS"]}]}, "/users/0/roles/0"),
        ({"external_id": "x", "name": "X", "users": [{"external_id": "u"}, {"external_id": "u"}]}, "/users"),
    ],
)
async def test_a_bad_item_is_refused_by_its_place_and_the_others_are_written(
    http: httpx.AsyncClient, item: Any, pointer: str
) -> None:
    answer = await sync(
        http, {"external_id": "good", "name": "Good"}, item, {"external_id": "better", "name": "Better"}
    )

    assert counted(answer) == (2, 0, 0)
    (refused,) = answer["refused"]
    assert refused["index"] == 1
    assert [error["pointer"] for error in refused["errors"]] == [f"/items/1{pointer}"]


@pytest.mark.parametrize("bad", BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
async def test_an_item_that_is_no_json_is_refused_and_the_others_are_written(
    http: httpx.AsyncClient, bad: bytes
) -> None:
    good = (b'{"external_id": "good", "name": "Good"}', b'{"external_id": "better", "name": "Better"}')
    content = b'{"items": [' + b",".join((good[0], bad, good[1])) + b"]}"

    answer = await http.post("/api/commerces/sync", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, counted(answer.json())) == (200, (2, 0, 0))
    (refused,) = answer.json()["refused"]
    assert refused["index"] == 1
    assert all(error["pointer"].startswith("/items/1") for error in refused["errors"])


@pytest.mark.parametrize(
    ("kind", "value", "is_right"),
    [
        ("PHONE", "+5491123456789", True),
        ("WHATSAPP", "+525555550101", True),
        ("EMAIL", "ana@example.com", True),
        ("OTHER", "second door on the left", True),
        ("PHONE", "+54 9 11 2345-6789", False),
        ("PHONE", "5491123456789", False),
        ("WHATSAPP", "+54911", False),
        ("PHONE", "+999123456789", False),
        ("EMAIL", "ana@", False),
        ("EMAIL", "+5491123456789", False),
    ],
)
async def test_only_contacts_that_could_reach_a_person_are_accepted(
    http: httpx.AsyncClient,
    kind: str,
    value: str,
    is_right: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    contact = {"contact_type": kind, "value": value}
    item = {"external_id": "x", "name": "X", "users": [{"external_id": "u", "contacts": [contact]}]}

    answer = await sync(http, item)

    pointers = [error["pointer"] for warning in answer["warnings"] for error in warning["errors"]]
    assert (counted(answer), answer["refused"]) == ((1, 0, 0), [])
    assert pointers == ([] if is_right else ["/items/0/users/0/contacts/0/value"])
    (user,) = (await commerce(http, "x"))["users"]
    assert [one["value"] for one in user["contacts"]] == ([value] if is_right else [])


async def test_a_refused_contact_is_left_out_and_the_rest_of_its_store_is_written(http: httpx.AsyncClient) -> None:
    right = {"contact_type": "EMAIL", "value": "ana@example.com"}
    contacts = [
        {"contact_type": "PHONE", "value": "+52 1 55 1234 5678"},
        right,
        {"contact_type": "WHATSAPP", "value": "+5215512345678", "is_primary": True},
        "text",
        {"contact_type": "WHATSAPP", "value": "+525512345678"},
        {"contact_type": "WHATSAPP", "value": "+5491123456789", "is_primary": True},
        {"contact_type": "PHONE", "value": "+5491123456789", "vip": True},
        {"contact_type": "PIGEON", "value": "x"},
        {"contact_type": "OTHER", "value": "a\0"},
    ]
    users = [{"external_id": "ana", "name": "Ana", "contacts": contacts}, {"external_id": "eva", "contacts": [right]}]
    item = {"external_id": "x", "name": "X", "users": users, "metadata": {"tier": "gold"}}

    answer = await sync(http, {"external_id": "y", "name": "Y"}, item)

    assert (counted(answer), answer["refused"]) == ((2, 0, 0), [])
    (warning,) = answer["warnings"]
    assert (warning["index"], warning["externalId"]) == (1, "x")
    told: dict[str, str] = {error["pointer"]: error["detail"] for error in warning["errors"]}
    of_ana = "/items/1/users/0/contacts"
    assert told == {
        f"{of_ana}/0/value": "This must be written in E.164: +525512345678.",
        f"{of_ana}/3": told[f"{of_ana}/3"],
        f"{of_ana}/4": "An earlier contact is the same: name it once.",
        f"{of_ana}/5": "An earlier contact is the primary one of this type: send it as not primary.",
        f"{of_ana}/6/vip": "This field is unknown: remove it.",
        f"{of_ana}/7/contact_type": told[f"{of_ana}/7/contact_type"],
        f"{of_ana}/8/value": told[f"{of_ana}/8/value"],
    }
    stored = await commerce(http, "x")
    ana, eva = stored["users"]
    assert (stored["metadata"], ana["name"]) == ({"tier": "gold"}, "Ana")
    assert [one["value"] for one in ana["contacts"]] == ["ana@example.com", "+525512345678"]
    assert [one["value"] for one in eva["contacts"]] == ["ana@example.com"]
    again = await sync(http, item)
    assert (counted(again), again["warnings"][0]["errors"]) == (
        (0, 0, 1),
        [error | {"pointer": error["pointer"].replace("/items/1", "/items/0")} for error in warning["errors"]],
    )


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"name": " "}, ["/name", "/users/0/contacts/0/value"]),
        ({"users": [{"external_id": "u", "contacts": [{}] * 101}]}, ["/users/0/contacts"]),
        ({"users": [{"external_id": "u", "contacts": {}}]}, ["/users/0/contacts"]),
    ],
)
async def test_an_item_with_other_faults_is_refused_with_all_of_them(
    http: httpx.AsyncClient, changes: dict[str, Any], pointers: list[str]
) -> None:
    user = {"external_id": "u", "contacts": [{"contact_type": "PHONE", "value": "1"}]}
    answer = await sync(http, {"external_id": "x", "name": "X", "users": [user]} | changes)

    assert (counted(answer), answer["warnings"]) == ((0, 0, 0), [])
    assert [error["pointer"] for error in answer["refused"][0]["errors"]] == [f"/items/0{one}" for one in pointers]


async def test_users_who_are_named_twice_are_refused_although_a_contact_is_left_out(http: httpx.AsyncClient) -> None:
    user = {"external_id": "u", "contacts": [{"contact_type": "PHONE", "value": "1"}]}
    answer = await sync(http, {"external_id": "x", "name": "X", "users": [user, user]})

    pointers = [error["pointer"] for error in answer["refused"][0]["errors"]]
    assert pointers == ["/items/0/users/0/contacts/0/value", "/items/0/users/1/contacts/0/value", "/items/0/users"]


@pytest.mark.parametrize("end", ["\r", "\n", " ", "\u00a0", "\u200b"], ids=ascii)
async def test_an_external_id_with_an_invisible_end_makes_no_second_store_and_no_second_user(
    http: httpx.AsyncClient, end: str
) -> None:
    await sync(http, {"external_id": "x", "name": "X", "users": [{"external_id": "u"}]})

    stores = await sync(http, {"external_id": f"x{end}", "name": "X"})
    users = await sync(http, {"external_id": "x", "name": "X", "users": [{"external_id": f"{end}u"}]})
    user = await http.post(f"/api/commerces/{(await commerce(http, 'x'))['id']}/users", json={"external_id": f"u{end}"})

    assert stores["refused"][0]["errors"][0]["pointer"] == "/items/0/external_id"
    assert users["refused"][0]["errors"][0]["pointer"] == "/items/0/users/0/external_id"
    assert (user.status_code, user.json()["errors"][0]["pointer"]) == (400, "/external_id")
    assert (await http.get("/api/commerces", params={"search": "x"})).json()["meta"]["total"] == 1
    assert [one["externalId"] for one in (await commerce(http, "x"))["users"]] == ["u"]


async def test_an_external_id_counts_once_in_a_request(http: httpx.AsyncClient) -> None:
    answer = await sync(http, {"external_id": "a", "name": "First"}, {"external_id": "a", "name": "Second"})

    assert counted(answer) == (1, 0, 0)
    assert answer["refused"][0]["errors"][0]["pointer"] == "/items/1/external_id"
    assert (await commerce(http, "a"))["name"] == "First"


async def test_after_an_item_that_would_be_too_large_the_next_of_its_external_id_is_written(
    http: httpx.AsyncClient,
) -> None:
    def filled(number: int) -> dict[str, str]:
        return {f"{number}-{key}": "x" * 1000 for key in range(90)}

    for number in range(5):
        await sync(http, {"external_id": "a", "name": "A", "metadata": filled(number)})
    too_large = {"external_id": "a", "name": "Too large", "metadata": filled(5)}
    last = {"external_id": "a", "name": "Last"}
    answer = await sync(http, too_large, {"external_id": "b", "name": "B"}, too_large, last, last)

    assert counted(answer) == (1, 1, 0)
    pointers = [error["pointer"] for item in answer["refused"] for error in item["errors"]]
    assert pointers == ["/items/0/metadata", "/items/2/metadata", "/items/4/external_id"]
    assert (await commerce(http, "a"))["name"] == "Last"


async def test_more_than_a_thousand_items_are_refused_and_a_thousand_are_not(http: httpx.AsyncClient) -> None:
    items = [{"external_id": f"s-{number:04}", "name": "S"} for number in range(1001)]

    too_many = await http.post("/api/commerces/sync", json={"items": items})

    assert (too_many.status_code, too_many.json()["errors"][0]["pointer"]) == (400, "/items")
    assert counted(await sync(http, *items[:1000])) == (1000, 0, 0)


@pytest.mark.parametrize(
    "body", ["{}", "[]", '{"items": {}}', '{"items": [], "more": 1}', "null", "{", '{"items": [{}, {]}']
)
async def test_a_body_without_items_is_refused_whole(http: httpx.AsyncClient, body: str) -> None:
    answer = await http.post("/api/commerces/sync", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_an_item_above_one_mebibyte_is_refused_alone(http: httpx.AsyncClient) -> None:
    def padded(external_id: str, size: int) -> str:
        text = json.dumps({"external_id": external_id, "name": "X"})
        return f"{text[:-1]}{' ' * (size - len(text))}}}"

    items = [padded("a", ITEM_BYTES), padded("b", ITEM_BYTES + 1), padded("c", 100)]
    content = f'{{"items": [{",".join(items)}]}}'
    answer = await http.post("/api/commerces/sync", content=content, headers={"Content-Type": "application/json"})

    assert counted(answer.json()) == (2, 0, 0)
    (refused,) = answer.json()["refused"]
    assert [error["pointer"] for error in refused["errors"]] == ["/items/1"]


async def test_a_body_above_eight_mebibytes_is_refused_by_its_size(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/commerces/sync", json={"items": ["x" * (8 * 1024 * 1024)]})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_only_who_may_synchronize_can(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, Permission.MANAGE_COMMERCES) as http:
        answer = await http.post("/api/commerces/sync", json={"items": []})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_of_very_many_faults_each_item_keeps_the_first(http: httpx.AsyncClient) -> None:
    users = [{"external_id": "u", "contacts": [{"contact_type": "PHONE", "value": "1"}] * 100}]
    count = SYNC_FAULTS // 100 + 5
    answer = await sync(http, *({"external_id": f"{n}", "name": "A", "users": users} for n in range(count)))
    assert counted(answer) == (count, 0, 0)
    assert [len(item["errors"]) for item in answer["warnings"]] == [100] * (count - 5) + [1] * 5
