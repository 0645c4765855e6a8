"""Test the limits of what a tenant may have: the largest allowed works, and one more is refused and loses nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert

from db.models import AttributeKey, CommerceUser, Reason, Table, TargetConfig, UserStatus
from db.quotas import quota_statement
from tests.integration.configuration.test_target_configs import CONFIGS
from tests.support.builders import COMMERCE_ID, Tenant, contract_example
from tests.support.service import Service
from workflows.tenant_limits import (
    ATTRIBUTE_KEYS,
    CATALOGUE_ALIASES,
    CATALOGUE_ENTRIES,
    CONTACTS_OF_USER,
    QUOTAS,
    TARGET_CONFIGS,
    USERS_OF_COMMERCE,
    Limit,
    RowQuota,
)

REASONS, STATUSES = "/api/activity-config/reasons", "/api/user-retention-statuses"
KEYS, USERS = "/api/activity-config/attribute-keys", f"/api/commerces/{COMMERCE_ID}/users"
AT_ONCE = 4


class Limited(NamedTuple):
    """A resource with a limit: how many rows a new tenant has, one row of it, and the body that adds one."""

    limit: Limit
    table: type[Table]
    had: int
    row: Callable[[int], dict[str, Any]]
    url: str
    body: Callable[[int], dict[str, Any]]


LIMITED = [
    Limited(
        USERS_OF_COMMERCE.limit(),
        CommerceUser,
        3,
        lambda n: {"commerce_id": COMMERCE_ID, "external_id": f"u{n}", "name": "N"},
        USERS,
        lambda n: {"external_id": f"u{n}", "roles": ["OWNER"]},
    ),
    Limited(
        CATALOGUE_ENTRIES.limit(),
        Reason,
        1,
        lambda n: {"code": f"r{n}", "label": f"Label {n}"},
        REASONS,
        lambda n: {"code": f"r{n}", "label": f"Label {n}"},
    ),
    Limited(
        CATALOGUE_ENTRIES.limit(),
        UserStatus,
        0,
        lambda n: {"code": f"r{n}", "label": f"Label {n}"},
        STATUSES,
        lambda n: {"code": f"r{n}", "label": f"Label {n}"},
    ),
    Limited(
        ATTRIBUTE_KEYS.limit(),
        AttributeKey,
        2,
        lambda n: {"key": f"k{n}", "label": "K"},
        KEYS,
        lambda n: {"key": f"k{n}", "label": "K"},
    ),
    Limited(
        TARGET_CONFIGS.limit(),
        TargetConfig,
        0,
        lambda n: {
            "strategy": "ON_CREATION",
            "priority": n,
            "fallback_to_owner": True,
            "fallback_to_commerce_rep": True,
            "criteria": [],
            "is_active": False,
        },
        CONFIGS,
        lambda n: {"resolution_strategy": "ON_CREATION", "priority": n, "is_active": False},
    ),
]


async def fill(service: Service, tenant: Tenant, limited: Limited, left: int) -> None:
    """Add rows until only some are left."""
    number = limited.limit.most - limited.had - left
    rows = [{"tenant_id": tenant.id, **limited.row(n)} for n in range(number)]
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(limited.table), rows)


async def count(service: Service, tenant: Tenant, limited: Limited) -> int:
    """Count the tenant's rows."""
    async with service.database.transactions.connect() as connection:
        table = limited.table.__table__
        return len((await connection.execute(table.select().where(table.c.tenant_id == tenant.id))).all())


def assert_refused(answer: httpx.Response, limit: Limit) -> None:
    """The problem names the limit, and says what to do."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "limit_reached"), answer.text
    assert problem["limit"] == {"name": limit.name, "most": limit.most}
    assert f"{limit.most:,}" in problem["detail"]
    assert limit.way_out in problem["detail"]


@pytest.mark.parametrize("limited", LIMITED, ids=lambda limited: limited.table.__tablename__)
async def test_the_last_one_works_and_one_more_is_refused_however_many_are_added_at_once(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, limited: Limited
) -> None:
    await fill(service, tenant, limited, left=1)

    bodies = [limited.body(1_000_000 + n) for n in range(AT_ONCE)]
    answers = await asyncio.gather(*(http.post(limited.url, json=body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (AT_ONCE - 1), answers
    for answer in answers:
        if answer.status_code != 201:
            assert_refused(answer, limited.limit)
    assert await count(service, tenant, limited) == limited.limit.most
    assert (await http.post("/api/activities", json=contract_example())).status_code == 201


async def test_what_exists_is_still_named_and_changed_in_a_full_catalogue(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    await fill(service, tenant, LIMITED[1], left=0)

    again = await http.post(REASONS, json={"code": "r1", "label": "L"})
    changed = await http.patch(f"{REASONS}/r1", json={"label": "Another name", "aliases": ["a third"]})
    created = await http.post("/api/activities", json=contract_example(reason="A THIRD"))

    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert changed.status_code == 200
    assert created.json()["reason"] == {"code": "r1", "label": "Another name"}


async def test_the_aliases_of_a_catalogue_are_limited_together(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    aliases = [f"alias {n}" for n in range(100)]
    rows = [
        {"tenant_id": tenant.id, "code": f"r{n}", "label": "L", "aliases": aliases}
        for n in range(CATALOGUE_ALIASES.default // len(aliases) - 1)
    ]
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(Reason), rows)

    allowed = await http.post(REASONS, json={"code": "last", "label": "L", "aliases": aliases[:99]})
    refused = await http.post(REASONS, json={"code": "more", "label": "L", "aliases": ["x"]})
    longer = await http.patch(f"{REASONS}/last", json={"aliases": [*aliases[:99], "x"]})
    others = await http.patch(f"{REASONS}/last", json={"aliases": [*aliases[:98], "x"]})
    without = await http.post(REASONS, json={"code": "more", "label": "L"})

    assert (allowed.status_code, others.status_code, without.status_code) == (201, 200, 201)
    assert_refused(refused, CATALOGUE_ALIASES.limit())
    assert_refused(longer, CATALOGUE_ALIASES.limit())


async def test_the_contacts_of_a_user_are_limited(http: httpx.AsyncClient) -> None:
    contacts = [{"contact_type": "OTHER", "value": f"c{n}"} for n in range(CONTACTS_OF_USER.most - 1)]
    user = (await http.post(USERS, json={"contacts": contacts})).json()
    url = f"{USERS}/{user['id']}/contacts"

    last, more = [await http.post(url, json={"contact_type": "OTHER", "value": value}) for value in ("last", "more")]
    removed = await http.delete(f"{url}/{last.json()['contacts'][0]['id']}")
    again = await http.post(url, json={"contact_type": "OTHER", "value": "more"})

    assert (last.status_code, removed.status_code, again.status_code) == (201, 204, 201)
    assert_refused(more, CONTACTS_OF_USER)
    assert len(again.json()["contacts"]) == CONTACTS_OF_USER.most


async def test_a_synchronization_refuses_the_items_with_too_many_users_and_writes_the_others(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    users = LIMITED[0]
    await fill(service, tenant, users, left=1)
    known = [{"external_id": f"u{n}", "name": "Changed"} for n in range(99)]
    full = {"external_id": "store-1", "name": "Changed too", "users": [*known[:98], {"external_id": "x"}]}
    other = {"external_id": str(uuid4()), "name": "Other", "users": known}

    filled = await http.post("/api/commerces/sync", json={"items": [full]})
    crossed = {"external_id": "store-1", "name": "Never", "users": [{"external_id": "y"}, *known]}
    refused = await http.post("/api/commerces/sync", json={"items": [crossed, other]})
    changed = await http.post("/api/commerces/sync", json={"items": [full | {"name": "Again"}]})

    assert filled.json() | {"updated": 1, "refused": []} == filled.json()
    answer = refused.json()
    assert (answer["created"], answer["updated"]) == (1, 0)
    (item,) = answer["refused"]
    assert (item["index"], item["externalId"]) == (0, "store-1")
    assert item["errors"][0]["pointer"] == "/items/0/users"
    assert USERS_OF_COMMERCE.way_out in item["errors"][0]["detail"]
    assert changed.json()["updated"] == 1
    stored = (await http.get(f"/api/commerces/{COMMERCE_ID}")).json()
    assert stored["name"] == "Again"
    assert stored["usersTotal"] == USERS_OF_COMMERCE.default


async def test_synchronizations_and_calls_that_meet_never_exceed_the_limit(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    await fill(service, tenant, LIMITED[0], left=3)
    items = [{"external_id": "store-1", "name": "S", "users": [{"external_id": f"s{n}"}]} for n in range(AT_ONCE)]

    syncs = [http.post("/api/commerces/sync", json={"items": [item]}) for item in items]
    calls = [http.post(USERS, json={"external_id": f"c{n}"}) for n in range(AT_ONCE)]
    answers = await asyncio.gather(*syncs, *calls)

    written = [
        answer.status_code == 201 or (answer.status_code == 200 and not answer.json()["refused"]) for answer in answers
    ]
    assert sum(written) == 3
    assert await count(service, tenant, LIMITED[0]) == USERS_OF_COMMERCE.default


async def set_quota(service: Service, tenant: Tenant, quota: RowQuota, value: int) -> None:
    """Set a tenant's own number as `operate.py` does."""
    async with service.database.autocommit.connect() as connection:
        await connection.execute(quota_statement(tenant.id, quota.name, value))


@pytest.mark.parametrize("limited", LIMITED, ids=lambda limited: limited.table.__tablename__)
async def test_a_tenant_may_have_as_many_rows_as_its_own_quota_says(
    service: Service, tenant: Tenant, limited: Limited
) -> None:
    quota = QUOTAS[limited.limit.name]
    assert isinstance(quota, RowQuota)
    await set_quota(service, tenant, quota, limited.had + 1)
    async with service.beside() as api, api.client(tenant.id) as http:
        last, more = [await http.post(limited.url, json=limited.body(n)) for n in range(2)]
    assert last.status_code == 201
    assert_refused(more, limited.limit._replace(most=limited.had + 1))
    assert await count(service, tenant, limited) == limited.had + 1


async def test_a_quota_of_users_holds_for_new_and_stored_commerces_of_a_synchronization(
    service: Service, tenant: Tenant
) -> None:
    await set_quota(service, tenant, USERS_OF_COMMERCE, 2)
    users = [{"external_id": f"u{number}"} for number in range(3)]
    items = [
        {"external_id": "store-1", "name": "S", "users": users[:1]},
        {"external_id": "full", "name": "F", "users": users},
        {"external_id": "fits", "name": "F", "users": users[:2]},
    ]
    async with service.beside() as api, api.client(tenant.id) as http:
        answer = (await http.post("/api/commerces/sync", json={"items": items})).json()
        again = (await http.post("/api/commerces/sync", json={"items": [items[2] | {"users": users[1:]}]})).json()
    assert (answer["created"], [one["externalId"] for one in answer["refused"]]) == (1, ["store-1", "full"])
    assert all("has the 2 users" in one["errors"][0]["detail"] for one in answer["refused"])
    assert [one["externalId"] for one in again["refused"]] == ["fits"]


async def test_a_quota_of_aliases_holds_for_the_whole_catalogue(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant, CATALOGUE_ALIASES, 2)
    async with service.beside() as api, api.client(tenant.id) as http:
        first = await http.post(STATUSES, json={"code": "a", "label": "A", "aliases": ["b", "c"]})
        more = await http.post(STATUSES, json={"code": "d", "label": "D", "aliases": ["e"]})
        without = await http.post(STATUSES, json={"code": "d", "label": "D"})
    assert (first.status_code, without.status_code) == (201, 201)
    assert_refused(more, CATALOGUE_ALIASES.limit(2))
