"""/api/commerces: found, read and changed by their own tenant alone."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.http.auth import Permission
from db.models import Commerce, CommerceUser
from tests.support.builders import COMMERCE_ID, Tenant
from tests.support.hand_off import IS_WAITED_FOR
from tests.support.service import Service
from workflows.tenant_limits import METADATA_BYTES, METADATA_VALUES

COMMERCE = f"/api/commerces/{COMMERCE_ID}"


@pytest.fixture
async def forty(http: httpx.AsyncClient) -> None:
    """Forty more commerces."""
    items = [{"external_id": f"shop-{number:02}", "name": f"Almacén {number}%"} for number in range(40)]
    await http.post("/api/commerces/sync", json={"items": items})


@pytest.mark.usefixtures("forty")
async def test_pages_and_cursors_go_through_the_same_list(http: httpx.AsyncClient) -> None:
    first = (await http.get("/api/commerces")).json()
    second = (await http.get("/api/commerces", params={"page": 2})).json()
    by_cursor = (await http.get("/api/commerces", params={"cursor": first["meta"]["nextCursor"]})).json()

    assert first["meta"] | {"nextCursor": None} == {
        "page": 1, "limit": 25, "total": 41, "totalPages": 2, "nextCursor": None, "isShortened": False,
    }  # fmt: skip
    assert second["meta"]["nextCursor"] is None
    assert by_cursor["data"] == second["data"]
    external_ids = [one["externalId"] for one in first["data"] + second["data"]]
    assert external_ids == sorted(external_ids)
    assert len(set(external_ids)) == 41


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"search": "ALMAC"}, 40),
        ({"search": "shop-1"}, 10),
        ({"search": "7%"}, 4),
        ({"search": "%"}, 40),
        ({"search": "_"}, 0),
        ({"external_id": "shop-01"}, 1),
        ({"external_id": "shop-0"}, 0),
        ({"is_active": "false"}, 0),
        ({"is_active": "true"}, 41),
    ],
)
@pytest.mark.usefixtures("forty")
async def test_a_list_has_what_the_filters_say(http: httpx.AsyncClient, query: dict[str, str], count: int) -> None:
    assert (await http.get("/api/commerces", params=query)).json()["meta"]["total"] == count


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("page=0", "/query/page"),
        ("per_page=101", "/query/per_page"),
        ("limit=5", "/query/limit"),
        ("is_active=maybe", "/query/is_active"),
        ("search=%00", "/query/search"),
        ("cursor=%C3%B1", "/query/cursor"),
        ("cursor=AA", "/query/cursor"),
        ("cursor=eA&page=2", "/query"),
    ],
)
async def test_a_query_that_means_nothing_is_refused(http: httpx.AsyncClient, query: str, pointer: str) -> None:
    answer = await http.get(f"/api/commerces?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_change_keeps_what_it_does_not_name_and_null_empties(http: httpx.AsyncClient) -> None:
    await http.patch(COMMERCE, json={"metadata": {"a": 1}})

    answer = await http.patch(COMMERCE, json={"name": "Tienda Dos", "tax_id": None, "metadata": {"b": 2}})

    body = answer.json()
    assert (answer.status_code, body["name"], body["taxId"]) == (200, "Tienda Dos", None)
    assert (body["externalId"], body["metadata"]) == ("store-1", {"a": 1, "b": 2})
    assert body["addresses"][0]["street"] == "Calle 1"
    assert body == (await http.get(COMMERCE)).json()


@pytest.mark.parametrize("changed", ["commerce", "user", "both"])
async def test_the_time_of_a_change_is_after_the_wait_for_the_commerce(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, changed: str
) -> None:
    one = {"external_id": "store-1", "name": "Other", "users": [{"external_id": "owner", "name": "Other"}]}
    method, url, body = {
        "commerce": ("PATCH", COMMERCE, {"name": "Other"}),
        "user": ("PATCH", f"{COMMERCE}/users/{tenant.owner_id}", {"name": "Other"}),
        "both": ("POST", "/api/commerces/sync", {"items": [one]}),
    }[changed]
    async with service.database.transactions.begin() as holder, asyncio.timeout(60):
        await holder.execute(select(Commerce.id).where(Commerce.tenant_id == tenant.id).with_for_update())
        writing = asyncio.create_task(http.request(method, url, json=body))
        while not (await holder.execute(IS_WAITED_FOR)).scalar_one():
            await asyncio.sleep(0.05)
        unlocked_at = (await holder.execute(select(func.clock_timestamp()))).scalar_one()
    assert (await writing).status_code == 200
    of_user = select(CommerceUser.updated_at).where(
        CommerceUser.tenant_id == tenant.id, CommerceUser.id == tenant.owner_id
    )
    async with service.database.autocommit.connect() as connection:
        written = {
            "commerce": (await connection.execute(select(Commerce.updated_at).where(Commerce.tenant_id == tenant.id))),
            "user": await connection.execute(of_user),
        }
    late = {name: found.scalar_one() > unlocked_at for name, found in written.items()}
    assert late == {"commerce": changed != "user", "user": changed != "commerce"}


async def test_another_tenants_commerce_and_users_are_not_found(service: Service, http: httpx.AsyncClient) -> None:
    made = await http.post("/api/commerces/sync", json={"items": [{"external_id": "only-ours", "name": "X"}]})
    assert made.json()["created"] == 1
    ours = (await http.get("/api/commerces", params={"external_id": "only-ours"})).json()["data"][0]["id"]
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        answers = [
            await theirs.get(f"/api/commerces/{ours}"),
            await theirs.patch(f"/api/commerces/{ours}", json={"name": "Y"}),
            await theirs.post(f"/api/commerces/{ours}/users", json={"name": "Y"}),
            await theirs.get(f"/api/commerces/{ours}/contact-log"),
            await theirs.put(f"/api/commerces/{ours}/contact-log", json={"entries": []}),
        ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "commerce_not_found")}
    assert (await http.get(f"/api/commerces/{ours}")).json()["name"] == "X"


async def test_looking_at_commerces_takes_the_permission_to_manage_them(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES, Permission.SYNC_COMMERCES) as http:
        answers = [await http.get("/api/commerces"), await http.get(COMMERCE), await http.patch(COMMERCE, json={})]

    assert {answer.status_code for answer in answers} == {403}


def metadata(key: str, length: int) -> dict[str, Any]:
    """Metadata of which PostgreSQL writes so many bytes: {"key": {"k0": "xxx", …}}."""
    texts: dict[str, str] = {}
    while (rest := length - len(json.dumps({key: texts | {"last": ""}}))) > 1_000:
        texts[f"k{len(texts)}"] = "x" * 900
    return {key: texts | {"last": "x" * rest}}


async def test_metadata_that_is_merged_ever_longer_is_refused_and_what_was_stored_stays(
    http: httpx.AsyncClient,
) -> None:
    parts = [metadata(key, METADATA_BYTES // 3) for key in ("a", "b")]
    rest = METADATA_BYTES - len(json.dumps(parts[0] | parts[1])) - len(", ") + len("{}")
    await http.post("/api/commerces/sync", json={"items": [{"external_id": "s", "name": "S", "metadata": parts[0]}]})
    (found,) = (await http.get("/api/commerces", params={"external_id": "s"})).json()["data"]
    url = f"/api/commerces/{found['id']}"
    largest, longer = metadata("c", rest), metadata("c", rest + 1)
    assert (await http.patch(url, json={"metadata": parts[1]})).status_code == 200
    refused = await http.patch(url, json={"name": "T", "metadata": longer})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/metadata")
    assert "more than 524,288 bytes. Send null or shorter values" in refused.json()["errors"][0]["detail"]
    stored = (await http.get(url)).json()
    assert (stored["name"], stored["metadata"]) == ("S", parts[0] | parts[1])
    items: list[dict[str, Any]] = [
        {"external_id": "r", "name": "R"},
        {"external_id": "s", "name": "T", "metadata": longer, "users": [{"external_id": "u"}]},
    ]
    synchronized = (await http.post("/api/commerces/sync", json={"items": items})).json()
    assert (synchronized["created"], synchronized["updated"], synchronized["unchanged"]) == (1, 0, 0)
    (item,) = synchronized["refused"]
    assert (item["index"], item["externalId"], item["errors"][0]["pointer"]) == (1, "s", "/items/1/metadata")
    assert (await http.get(url)).json() == stored
    items[1]["metadata"] = largest
    assert (await http.post("/api/commerces/sync", json={"items": items})).json()["updated"] == 1
    assert (await http.get(url)).json()["metadata"] == parts[0] | parts[1] | largest


async def test_metadata_has_so_many_values_after_merging(http: httpx.AsyncClient) -> None:
    together = METADATA_VALUES - 3  # the three objects are values too
    numbers = {f"{number:x}": 1 for number in range(together)}
    first = dict(list(numbers.items())[: together // 2])
    halves = {"a": first}, {"b": {name: 1 for name in numbers if name not in first}}
    for half in halves:
        item = {"external_id": "s", "name": "S", "metadata": half}
        assert (await http.post("/api/commerces/sync", json={"items": [item]})).json()["refused"] == []
    (found,) = (await http.get("/api/commerces", params={"external_id": "s"})).json()["data"]
    assert found["metadata"] == halves[0] | halves[1]
    refused = await http.patch(f"/api/commerces/{found['id']}", json={"metadata": {"c": 1}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/metadata")
    assert f"more than {METADATA_VALUES:,} values" in refused.json()["errors"][0]["detail"]
    replaced = await http.patch(f"/api/commerces/{found['id']}", json={"metadata": {"a": None, "c": 1}})
    assert (replaced.status_code, replaced.json()["metadata"]) == (200, halves[1] | {"a": None, "c": 1})
