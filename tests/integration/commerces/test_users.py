"""The people at a commerce, and when they were contacted."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.builders import COMMERCE_ID, Tenant
from workflows.tenant_limits import LISTED_USERS

COMMERCE = f"/api/commerces/{COMMERCE_ID}"


async def test_a_user_is_added_changed_and_deactivated(http: httpx.AsyncClient) -> None:
    contact = {"contact_type": "EMAIL", "value": "eva@example.com"}
    added = await http.post(
        f"{COMMERCE}/users", json={"external_id": "eva", "name": "Eva", "roles": ["ORDERS"], "contacts": [contact]}
    )
    assert added.status_code == 201, added.text
    user = f"{COMMERCE}/users/{added.json()['id']}"

    changed = (await http.patch(user, json={"name": "Eva María", "is_active": False, "roles": ["ADMIN"]})).json()

    assert (changed["name"], changed["isActive"], changed["roles"]) == ("Eva María", False, ["ADMIN"])
    assert changed["contacts"] == added.json()["contacts"]
    assert changed in (await http.get(COMMERCE)).json()["users"]


async def test_a_users_external_id_is_taken_once_per_commerce(http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{COMMERCE}/users", json={"external_id": "owner"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


async def test_roles_come_and_go_one_by_one(http: httpx.AsyncClient, tenant: Tenant) -> None:
    roles = f"{COMMERCE}/users/{tenant.owner_id}/roles"

    added = await http.post(roles, json={"role": "FINANCE"})
    again = await http.post(roles, json={"role": "FINANCE"})
    removed = await http.delete(f"{roles}/OWNER")

    assert (added.status_code, added.json()["roles"]) == (201, ["FINANCE", "OWNER"])
    assert again.json() == added.json()
    assert removed.status_code == 204
    assert (await user_of(http, tenant.owner_id))["roles"] == ["FINANCE"]


async def test_a_new_primary_contact_takes_the_place_of_the_one_before(http: httpx.AsyncClient, tenant: Tenant) -> None:
    contacts = f"{COMMERCE}/users/{tenant.owner_id}/contacts"
    new = {"contact_type": "PHONE", "value": "+5491123456789", "is_primary": True}

    added = await http.post(contacts, json=new)

    phones = [one for one in added.json()["contacts"] if one["contactType"] == "PHONE"]
    assert [one["isPrimary"] for one in phones] == [False, True]
    assert (await http.post(contacts, json=new)).status_code == 409
    assert (await http.delete(f"{contacts}/{phones[0]['id']}")).status_code == 204
    assert (await http.delete(f"{contacts}/{phones[0]['id']}")).status_code == 404
    left = [one["value"] for one in (await user_of(http, tenant.owner_id))["contacts"] if one["contactType"] == "PHONE"]
    assert left == ["+5491123456789"]


async def user_of(http: httpx.AsyncClient, user_id: Any) -> dict[str, Any]:
    users = (await http.get(COMMERCE)).json()["users"]
    return next(user for user in users if user["id"] == str(user_id))


async def test_the_contact_log_is_what_was_put_there_last(http: httpx.AsyncClient, tenant: Tenant) -> None:
    log = f"{COMMERCE}/contact-log"
    first = {"user_external_id": "owner", "channel": "SMS", "contacted_at": "2025-01-10T10:00:00Z"}
    second = {
        "commerce_user_id": str(tenant.representative_id),
        "channel": "EMAIL",
        "contacted_at": "2025-01-11T10:00:00Z",
    }

    put = await http.put(log, json={"entries": [first, second, first]})
    again = await http.put(log, json={"entries": [second, first]})
    less = await http.put(log, json={"entries": [second]})

    assert [one.json() for one in (put, again, less)] == [
        {"added": 2, "removed": 0},
        {"added": 0, "removed": 0},
        {"added": 0, "removed": 1},
    ]
    (entry,) = (await http.get(log)).json()["data"]
    assert (entry["userExternalId"], entry["channel"], entry["contactedAt"]) == (
        "commerce_rep",
        "EMAIL",
        "2025-01-11T10:00:00.000Z",
    )


async def test_the_contact_log_is_read_latest_first_and_by_half_open_periods(http: httpx.AsyncClient) -> None:
    log = f"{COMMERCE}/contact-log"
    entries = [
        {"user_external_id": "owner", "channel": "SMS", "contacted_at": f"2025-01-1{day}T00:00:00Z"} for day in range(4)
    ]
    await http.put(log, json={"entries": entries})

    period = {"contacted_from": "2025-01-11T00:00:00Z", "contacted_to": "2025-01-13T00:00:00Z"}
    days = [entry["contactedAt"][:10] for entry in (await http.get(log, params=period)).json()["data"]]

    assert days == ["2025-01-12", "2025-01-11"]


@pytest.mark.parametrize(
    ("entry", "pointer"),
    [
        ({"user_external_id": "nobody", "channel": "SMS", "contacted_at": "2025-01-10T10:00:00Z"}, "/user_external_id"),
        ({"user_external_id": "owner", "channel": "FAX", "contacted_at": "2025-01-10T10:00:00Z"}, "/channel"),
        ({"user_external_id": "owner", "channel": "SMS", "contacted_at": "2035-01-10T10:00:00Z"}, "/contacted_at"),
        ({"channel": "SMS", "contacted_at": "2025-01-10T10:00:00Z"}, ""),
    ],
)
async def test_a_contact_log_with_a_wrong_entry_is_refused_whole(
    http: httpx.AsyncClient, entry: dict[str, str], pointer: str
) -> None:
    right = {"user_external_id": "owner", "channel": "SMS", "contacted_at": "2025-01-10T10:00:00Z"}

    answer = await http.put(f"{COMMERCE}/contact-log", json={"entries": [right, entry]})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/entries/1{pointer}")
    assert (await http.get(f"{COMMERCE}/contact-log")).json()["meta"]["total"] == 0


SPELLINGS = [
    ("+5215512345678", "+525512345678", "+525512345678"),
    ("+5491123456789", "+541123456789", "+5491123456789"),
]


@pytest.mark.parametrize(("one", "other", "stored"), SPELLINGS)
async def test_both_spellings_of_a_whatsapp_number_are_one_contact(
    http: httpx.AsyncClient, tenant: Tenant, one: str, other: str, stored: str
) -> None:
    user = f"{COMMERCE}/users/{tenant.contactless_id}"
    first, second = ({"contact_type": "WHATSAPP", "value": number} for number in (one, other))

    added = await http.post(f"{user}/contacts", json=first)
    again = await http.post(f"{user}/contacts", json=second)
    both = await http.patch(user, json={"contacts": [first, second]})
    replaced = await http.patch(user, json={"contacts": [second]})

    assert (added.status_code, [contact["value"] for contact in added.json()["contacts"]]) == (201, [stored])
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert (both.status_code, both.json()["errors"][0]["detail"]) == (400, "This must name every contact once.")
    assert replaced.json()["contacts"] == added.json()["contacts"]
    assert (await http.delete(f"{user}/contacts/{added.json()['contacts'][0]['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("kind", "number", "right"),
    [
        ("PHONE", "+5215512345678", "+525512345678"),
        ("PHONE", "+52 1 55 1234 5678", "+525512345678"),
        ("WHATSAPP", "+52 1 55 1234 5678", "+525512345678"),
        ("PHONE", "+54 11 15 2345 6789", "+5491123456789"),
        ("WHATSAPP", "+54 9 11 2345-6789", "+5491123456789"),
        ("PHONE", "+52155123456", None),
        ("WHATSAPP", "+52155123456", None),
        ("WHATSAPP", "+54911234567", None),
        ("WHATSAPP", "+521551234567\u0668", "+525512345678"),
        ("PHONE", "5512345678", None),
        ("PHONE", "+54 9 11 2345" + " " * 40 + "6789", None),
        ("WHATSAPP", "+1" + " " * 230 + "1", None),
    ],
)
async def test_a_number_that_is_written_otherwise_is_refused_with_its_right_spelling(
    http: httpx.AsyncClient, tenant: Tenant, kind: str, number: str, right: str | None
) -> None:
    contact = {"contact_type": kind, "value": number}
    answer = await http.post(f"{COMMERCE}/users/{tenant.owner_id}/contacts", json=contact)

    (fault,) = answer.json()["errors"]
    said = f"written in E.164: {right}" if right else "a telephone number in E.164, as in +5491123456789"
    assert (answer.status_code, fault) == (400, {"pointer": "/value", "detail": f"This must be {said}."})


async def test_an_argentine_number_without_the_9_is_another_telephone(http: httpx.AsyncClient, tenant: Tenant) -> None:
    """It is the number of a fixed line."""
    contacts = [{"contact_type": "PHONE", "value": number} for number in ("+5491123456789", "+541123456789")]
    answer = await http.patch(f"{COMMERCE}/users/{tenant.owner_id}", json={"contacts": contacts})
    assert [one["value"] for one in answer.json()["contacts"]] == ["+5491123456789", "+541123456789"]


async def test_a_commerce_shows_a_hundred_users_and_its_list_has_all(http: httpx.AsyncClient) -> None:
    for start in (0, 60):
        users = [{"external_id": f"user-{number:03}"} for number in range(start, start + 60)]
        await http.post("/api/commerces/sync", json={"items": [{"external_id": "a", "name": "A", "users": users}]})
    (found,) = (await http.get("/api/commerces", params={"external_id": "a"})).json()["data"]
    shown = (await http.get(f"/api/commerces/{found['id']}")).json()
    assert ([one["externalId"] for one in shown["users"]], shown["usersTotal"]) == (
        [f"user-{number:03}" for number in range(LISTED_USERS)],
        120,
    )
    listed: list[dict[str, Any]] = []
    query: dict[str, Any] = {"per_page": 50}
    while query.get("cursor", "") is not None:
        page = (await http.get(f"/api/commerces/{found['id']}/users", params=query)).json()
        listed += page["data"]
        query["cursor"] = page["meta"]["nextCursor"]
    assert [one["externalId"] for one in listed] == [f"user-{number:03}" for number in range(120)]
    assert listed[:LISTED_USERS] == shown["users"]
    assert (await http.get(f"/api/commerces/{uuid4()}/users")).status_code == 404


async def test_users_with_the_longest_external_ids_are_listed_by_cursor(http: httpx.AsyncClient) -> None:
    for number in range(2):
        body = {"external_id": "\N{GRINNING FACE}" * 199 + str(number)}
        assert (await http.post(f"{COMMERCE}/users", json=body)).status_code == 201
    parameters = {"per_page": 4}
    first = (await http.get(f"{COMMERCE}/users", params=parameters)).json()
    second = await http.get(f"{COMMERCE}/users", params=parameters | {"cursor": first["meta"]["nextCursor"]})
    assert second.status_code == 200, second.text
    assert [one["externalId"][-1] for one in second.json()["data"]] == ["1"]
