"""API keys: which ones the API accepts, in which tenant and with which permissions, and who may create them."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, insert, select, text, update

from api.http.api_keys import KNOWN_SECONDS, ApiKeys, draw_key, hash_key
from api.http.auth import NEVER_OF_KEYS, Permission
from api.http.errors import Unauthenticated
from db.engine import open_database
from db.models import ApiKey
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service, http_client, resources, running_api

URL = "/api/api-keys"
QUOTAS = "/api/quotas"
GIVABLE = [permission for permission in Permission if permission not in NEVER_OF_KEYS]


async def new_key(http: httpx.AsyncClient, *permissions: Permission, **changes: Any) -> dict[str, Any]:
    """Create a key; with every permission that a key may have if none is named."""
    body = {"name": "A machine", "permissions": [*(permissions or GIVABLE)]} | changes
    answer = await http.post(URL, json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def machine(service: Service, key: str, *more: tuple[str, str]) -> httpx.AsyncClient:
    """A caller that sends the key, and no tenant unless it is named."""
    return service.caller([("x-api-key", key), *more])


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_key_acts_in_its_tenant_with_its_permissions_under_its_own_name(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    created = await new_key(http, Permission.CREATE_ACTIVITY, Permission.VIEW_ACTIVITIES)
    for headers in ([], [("x-tenant-id", str(tenant.id))], [("x-tenant-id", str(tenant.id).upper())]):
        async with machine(service, created["plaintextKey"], *headers) as client:
            activity = await client.post("/api/activities", json=contract_example())
            assert activity.status_code == 201, activity.text
            events = (await client.get(f"{activity.headers['Location']}/status-events")).json()["data"]
            assert events[0]["actor"] == f"key:{created['id']}"
            cancelled = await client.post(f"{activity.headers['Location']}/cancel", json={"reason": "r"})
        assert refusal(cancelled) == (403, "permission_denied")
        assert "CANCEL_ACTIVITY" in cancelled.json()["detail"]
        assert (await http.get(activity.headers["Location"])).status_code == 200


async def test_only_the_hash_of_a_key_is_stored_and_only_the_creation_shows_its_text(
    service: Service, http: httpx.AsyncClient, log: StringIO
) -> None:
    created = await new_key(http)
    plaintext = created.pop("plaintextKey")
    async with machine(service, plaintext) as client:
        assert (await client.get(QUOTAS)).status_code == 200
        assert (await client.get("/nowhere", params={"x-api-key": plaintext})).status_code == 404
    async with service.database.autocommit.connect() as connection:
        row = (await connection.execute(select(ApiKey.__table__).where(ApiKey.id == UUID(created["id"])))).one()
        rows = (await connection.execute(text("SELECT to_jsonb(api_keys)::text FROM api_keys"))).scalars().all()
    assert row.key_hash == hashlib.sha256(plaintext.encode()).digest()
    assert plaintext.startswith(created["keyPrefix"])
    assert len(created["keyPrefix"]) < 16
    assert plaintext not in str(rows)
    ours = [line for line in log.getvalue().splitlines() if json.loads(line)["logger"] != "httpx"]  # the test's own
    assert len(ours) >= 2
    assert plaintext not in str(ours)
    (listed,) = (await http.get(URL)).json()["data"]
    assert listed | {"lastUsedAt": None} == created
    assert listed["lastUsedAt"] is not None


@pytest.mark.parametrize(
    "change", ["truncated", "longer", "other case", "other end", "space", "prefix", "hash", "empty"]
)
async def test_a_text_that_is_almost_a_key_is_refused(service: Service, http: httpx.AsyncClient, change: str) -> None:
    key = (await new_key(http))["plaintextKey"]
    almost = {
        "truncated": key[:-1],
        "longer": f"{key}A",
        "other case": key[:7] + key[7:].swapcase(),
        "other end": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "space": f"{key[:20]} {key[20:]}",
        "prefix": key[:7],
        "hash": hash_key(key).hex(),
        "empty": "",
    }[change]
    async with machine(service, almost) as client:
        answer = await client.get(QUOTAS)
    assert refusal(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"]
    assert key not in answer.text


async def test_a_key_counts_in_its_header_alone(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> None:
    key = (await new_key(http))["plaintextKey"]
    async with service.caller({"x-tenant-id": str(tenant.id)}) as client:
        for request in (
            client.get(QUOTAS, params={"x-api-key": key}),
            client.get(QUOTAS, headers={"Cookie": f"x-api-key={key}"}),
            client.get(QUOTAS, headers={"Authorization": f"Bearer {key}"}),
            client.get(QUOTAS, headers={"Authorization": key}),
        ):
            assert refusal(await request) == (401, "unauthenticated")


async def test_a_key_beside_a_token_or_a_second_key_is_400(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    key = (await new_key(http))["plaintextKey"]
    for headers in (
        [("x-api-key", key), ("Authorization", http.headers["Authorization"])],
        [("x-api-key", key), ("Authorization", "Bearer nonsense")],
        [("x-api-key", key), ("Authorization", "")],
        [("x-api-key", ""), ("Authorization", http.headers["Authorization"])],
        [("x-api-key", key), ("x-api-key", key)],
        [("x-api-key", key), ("X-API-Key", draw_key())],
    ):
        async with service.caller([*headers, ("x-tenant-id", str(tenant.id))]) as client:
            answer = await client.get(QUOTAS)
        assert refusal(answer) == (400, "validation_failed")
        assert "/header/x-api-key" in [fault["pointer"] for fault in answer.json()["errors"]]
        assert key not in answer.text


async def test_a_key_names_no_other_tenant(service: Service, http: httpx.AsyncClient) -> None:
    key = (await new_key(http))["plaintextKey"]
    other = await service.tenant()
    for tenants, expected in (
        ([str(other.id)], (403, "tenant_denied")),
        ([str(uuid4())], (403, "tenant_denied")),
        (["store-1"], (400, "validation_failed")),
        ([""], (400, "validation_failed")),
        ([str(other.id), str(other.id)], (400, "validation_failed")),
    ):
        async with machine(service, key, *(("x-tenant-id", one) for one in tenants)) as client:
            assert refusal(await client.get(QUOTAS)) == expected


async def test_a_key_can_not_be_given_more_than_its_creator_has_or_than_a_key_may_have(
    service: Service, tenant: Tenant
) -> None:
    async with service.client(tenant.id, Permission.MANAGE_API_KEYS, Permission.VIEW_ACTIVITIES) as creator:
        answer = await creator.post(URL, json={"name": "n", "permissions": ["VIEW_ACTIVITIES", "CREATE_ACTIVITY"]})
        assert refusal(answer) == (403, "permission_denied")
        assert "CREATE_ACTIVITY" in answer.json()["detail"]
        assert (await creator.get(URL)).json()["data"] == []
    async with service.client(tenant.id) as creator:
        for permissions in (
            *([one] for one in NEVER_OF_KEYS),
            [],
            ["NONSENSE"],
            ["VIEW_ACTIVITIES"] * 2,
            None,
            "OPERATE",
        ):
            answer = await creator.post(URL, json={"name": "n", "permissions": permissions})
            assert refusal(answer) == (400, "validation_failed")
            assert answer.json()["errors"][0]["pointer"].startswith("/permissions")


async def test_no_key_manages_keys_or_operates_even_if_its_row_says_so(service: Service, tenant: Tenant) -> None:
    key = draw_key()
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            insert(ApiKey).values(
                tenant_id=tenant.id,
                name="n",
                key_hash=hash_key(key),
                key_prefix=key[:13],
                permissions=[*Permission, *NEVER_OF_KEYS],
                created_by="t",
            )
        )
    async with machine(service, key) as client:
        for request in (
            client.get(URL),
            client.post(URL, json={"name": "n", "permissions": ["VIEW_ACTIVITIES"]}),
            client.delete(f"{URL}/{uuid4()}"),
            client.get("/api/activity-config/pause"),
        ):
            assert refusal(await request) == (403, "permission_denied")
        assert (await client.get(QUOTAS)).status_code == 200


async def test_managing_keys_needs_its_own_permission(service: Service, tenant: Tenant) -> None:
    others = [one for one in Permission if one is not Permission.MANAGE_API_KEYS]
    async with service.client(tenant.id, *others) as client:
        for request in (
            client.get(URL),
            client.post(URL, json={"name": "n", "permissions": ["VIEW_ACTIVITIES"]}),
            client.delete(f"{URL}/{uuid4()}"),
        ):
            answer = await request
            assert refusal(answer) == (403, "permission_denied")
            assert "MANAGE_API_KEYS" in answer.json()["detail"]


async def test_keys_of_another_tenant_are_neither_listed_nor_revoked(service: Service, http: httpx.AsyncClient) -> None:
    created = await new_key(http)
    other = await service.tenant()
    async with service.client(other.id) as stranger:
        assert (await stranger.get(URL)).json()["data"] == []
        assert refusal(await stranger.delete(f"{URL}/{created['id']}")) == (404, "not_found")
    async with machine(service, created["plaintextKey"]) as client:
        assert (await client.get(QUOTAS)).status_code == 200


async def test_an_expired_key_is_refused_and_one_that_never_was_valid_is_not_created(
    service: Service, http: httpx.AsyncClient
) -> None:
    for times in (from_now(hours=-1), from_now(seconds=-1), "2025-01-16T09:00:00", from_now(days=4000), "tomorrow"):
        answer = await http.post(URL, json={"name": "n", "permissions": ["VIEW_ACTIVITIES"], "expires_at": times})
        assert refusal(answer) == (400, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "/expires_at"
    created = await new_key(http, expires_at=from_now(hours=1))
    async with machine(service, created["plaintextKey"]) as client:
        assert (await client.get(QUOTAS)).status_code == 200
        async with service.database.transactions.begin() as connection:
            expired = update(ApiKey).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
            await connection.execute(expired.where(ApiKey.id == UUID(created["id"])))
        async with service.beside() as other_process:
            client.base_url = other_process.url
            answer = await client.get(QUOTAS)
    assert refusal(answer) == (401, "unauthenticated")
    assert "expired" in answer.json()["detail"]


async def test_a_key_that_expires_while_it_is_known_is_refused_from_then_on(
    service: Service, http: httpx.AsyncClient
) -> None:
    created = await new_key(http, expires_at=from_now(hours=1))
    async with service.database.transactions.begin() as connection:
        soon = func.clock_timestamp() + timedelta(seconds=1.5)
        await connection.execute(update(ApiKey).where(ApiKey.id == UUID(created["id"])).values(expires_at=soon))
    async with machine(service, created["plaintextKey"]) as client:
        async with asyncio.timeout(60):
            while (answer := await client.get(QUOTAS)).status_code == 200:
                await asyncio.sleep(0.1)
    assert "expired" in answer.json()["detail"]


async def test_a_revoked_key_is_refused_in_every_process(service: Service, http: httpx.AsyncClient) -> None:
    assert KNOWN_SECONDS < 10
    created = await new_key(http)
    async with service.beside() as other, machine(service, created["plaintextKey"]) as client:
        assert (await client.get(QUOTAS)).status_code == 200
        assert (await client.get(f"{other.url}{QUOTAS}")).status_code == 200
        assert (await http.delete(f"{URL}/{created['id']}")).status_code == 204
        assert refusal(await client.get(QUOTAS)) == (401, "unauthenticated")
        async with asyncio.timeout(60):
            while (answer := await client.get(f"{other.url}{QUOTAS}")).status_code == 200:
                await asyncio.sleep(0.1)
        assert refusal(answer) == (401, "unauthenticated")
    assert refusal(await http.delete(f"{URL}/{created['id']}")) == (404, "not_found")
    assert created["id"] not in [one["id"] for one in (await http.get(URL)).json()["data"]]


async def test_the_last_use_is_written_at_most_once_a_minute(service: Service, http: httpx.AsyncClient) -> None:
    created = await new_key(http)
    this = ApiKey.id == UUID(created["id"])

    async def use() -> datetime:
        """Use the key in a process that doesn't know it yet; return the last use that is written then."""
        await ApiKeys(service.database).verify(created["plaintextKey"])
        async with service.database.autocommit.connect() as connection:
            found = (await connection.execute(select(ApiKey.last_used_at).where(this))).scalar_one()
        assert found is not None
        return found

    first = await use()
    assert await use() == first
    async with service.database.transactions.begin() as connection:
        await connection.execute(update(ApiKey).where(this).values(last_used_at=first - timedelta(seconds=61)))
    assert await use() > first


async def test_a_key_is_accepted_while_its_row_is_locked(service: Service, http: httpx.AsyncClient) -> None:
    created = await new_key(http)
    async with service.database.transactions.begin() as connection:
        await connection.execute(select(ApiKey.id).where(ApiKey.id == UUID(created["id"])).with_for_update())
        await ApiKeys(service.database).verify(created["plaintextKey"])


async def test_without_postgresql_a_key_is_503_soon(service: Service) -> None:
    database = open_database("postgresql+psycopg://none@127.0.0.1:1/none")
    async with (
        running_api(resources(database, service.temporal)) as url,
        http_client(url) as client,
    ):
        answers = await asyncio.gather(*(client.get(QUOTAS, headers={"x-api-key": draw_key()}) for _ in range(20)))
    assert {refusal(answer) for answer in answers} == {(503, "unavailable")}
    await database.dispose()


async def test_a_token_can_not_take_the_name_of_a_key(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, subject=f"key:{uuid4()}") as client:
        answer = await client.get(QUOTAS)
    assert refusal(answer) == (401, "unauthenticated")
    assert "`sub`" in answer.json()["detail"]


async def test_each_key_has_rate_limits_of_its_own(service: Service, http: httpx.AsyncClient) -> None:
    left = []
    for key in [(await new_key(http))["plaintextKey"] for _ in range(2)]:
        async with machine(service, key) as client:
            left.append((await client.get(QUOTAS)).headers["RateLimit"].split(";")[1])
    assert left == ["r=399"] * 2


async def test_the_keys_of_a_tenant_are_limited_and_invented_ones_are_not_remembered(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    async with service.database.transactions.begin() as connection:
        rows = [
            {
                "tenant_id": tenant.id,
                "name": "n",
                "key_hash": hash_key(draw_key()),
                "key_prefix": "rtn_sk_",
                "permissions": [],
                "created_by": "t",
            }
            for _ in range(100)
        ]
        await connection.execute(insert(ApiKey), rows)
    answer = await http.post(URL, json={"name": "n", "permissions": ["VIEW_ACTIVITIES"]})
    assert refusal(answer) == (409, "limit_reached")
    assert (await http.get(URL)).json()["meta"]["total"] == 100
    keys = ApiKeys(service.database)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await keys.verify(draw_key())
    assert keys._known == {}
