"""The audit of administration: each change has an entry that says who made it, and no entry can be changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from api.http.auth import Permission
from db.models import AuditEntry
from tests.support.builders import Tenant
from tests.support.operate import operate
from tests.support.service import Service
from workflows.words import AuditedResource

AUDIT = "/api/audit"
CONFIG = "/api/activity-config"
CHANGES: list[tuple[str, str, dict[str, Any], str, str | None]] = [
    ("POST", f"{CONFIG}/reasons", {"code": "visit", "label": "Visita"}, "REASON", "visit"),
    ("PATCH", f"{CONFIG}/reasons/visit", {"label": "Visita corta", "aliases": ["short"]}, "REASON", "visit"),
    ("POST", "/api/user-retention-statuses", {"code": "new", "label": "Nuevo"}, "USER_STATUS", "new"),
    ("PATCH", "/api/user-retention-statuses/new", {"is_active": False}, "USER_STATUS", "new"),
    ("POST", f"{CONFIG}/attribute-keys", {"key": "given", "label": "Given"}, "ATTRIBUTE_KEY", "given"),
    ("PATCH", f"{CONFIG}/attribute-keys/given", {"description": "By the caller"}, "ATTRIBUTE_KEY", "given"),
    (
        "POST",
        f"{CONFIG}/attribute-policies",
        {"key": "given", "strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"},
        "ATTRIBUTE_POLICY",
        "given",
    ),
    ("POST", f"{CONFIG}/target-resolution", {"resolution_strategy": "MANUAL"}, "TARGET_CONFIG", None),
    (
        "PUT",
        f"{CONFIG}/task-result-types",
        {"types": [{"code": "done", "label": "Done"}, {"code": "later", "label": "Later"}]},
        "TASK_RESULT_TYPE",
        "later",
    ),
    ("PUT", f"{CONFIG}/task-result-types", {"types": [{"code": "done", "label": "Done"}]}, "TASK_RESULT_TYPE", "later"),
    ("PUT", f"{CONFIG}/bulk", {"confirm_above": 5}, "BULK_SETTINGS", None),
    ("PUT", f"{CONFIG}/retention", {"retention_days": 5}, "RETENTION_SETTINGS", None),
    ("PUT", f"{CONFIG}/dispatch", {"max_attempts": 5}, "DISPATCH_SETTINGS", None),
    ("PUT", f"{CONFIG}/pause", {"paused": True, "reason": "stocktaking"}, "PAUSE", None),
    ("PUT", f"{CONFIG}/pause", {"paused": True, "reason": "still counting"}, "PAUSE", None),
    ("PUT", f"{CONFIG}/pause", {"paused": False}, "PAUSE", None),
    ("POST", "/api/api-keys", {"name": "n", "permissions": ["VIEW_ACTIVITIES"]}, "API_KEY", None),
]


async def latest(http: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    answer = await http.get(AUDIT, params={"per_page": 100} | filters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_every_change_by_the_api_has_an_entry_with_its_caller_and_no_other_is_made_unnoted(
    service: Service, tenant: Tenant
) -> None:
    async with service.client(tenant.id, subject="administrator") as http:
        for method, url, body, resource, key in CHANGES:
            before = {entry["id"] for entry in await latest(http)}
            answer = await http.request(method, url, json=body)
            assert answer.is_success, answer.text
            added = [entry for entry in await latest(http) if entry["id"] not in before]
            assert added, (method, url)
            assert {entry["resource"] for entry in added} == {resource}
            assert {entry["actor"] for entry in added} == {"administrator"}
            assert key is None or added[0]["resourceKey"] == key
        key_id = answer.json()["id"]
        assert (await http.delete(f"/api/api-keys/{key_id}")).status_code == 204
        (revoked,) = [entry for entry in await latest(http, resource_key=key_id) if entry["after"] is None]
        assert (revoked["before"]["name"], revoked["actor"]) == ("n", "administrator")
        seen = {entry["resource"] for entry in await latest(http, actor="administrator")}
    assert seen == {*AuditedResource} - {"QUOTA", "PERSONAL_DATA"}


async def test_an_entry_has_the_resource_before_and_after(http: httpx.AsyncClient) -> None:
    await http.post(f"{CONFIG}/reasons", json={"code": "visit", "label": "Visita"})
    await http.patch(f"{CONFIG}/reasons/visit", json={"label": "Cita"})
    changed, added = await latest(http, resource="REASON", resource_key="visit")
    first = {"code": "visit", "label": "Visita", "aliases": [], "is_active": True}
    assert (added["before"], added["after"]) == (None, first)
    assert (changed["before"], changed["after"]) == (first, first | {"label": "Cita"})
    await http.put(f"{CONFIG}/pause", json={"paused": True, "reason": "stocktaking"})
    await http.put(f"{CONFIG}/pause", json={"paused": False})
    ended, begun = await latest(http, resource="PAUSE")
    assert (begun["before"], begun["after"]["reason"]) == (None, "stocktaking")
    assert (ended["before"]["reason"], ended["after"]) == ("stocktaking", None)


async def test_a_request_that_changes_nothing_or_is_refused_has_no_entry(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    policy = {"key": "promotions", "strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"}
    types = {"types": [{"code": "done", "label": "Done"}]}
    for _ in range(2):
        assert (await http.post(f"{CONFIG}/attribute-policies", json=policy)).is_success
        assert (await http.put(f"{CONFIG}/task-result-types", json=types)).is_success
        assert (await http.put(f"{CONFIG}/dispatch", json={"max_attempts": 3})).is_success
    before = await latest(http, actor="tester")
    assert len(before) == 3
    await http.post(f"{CONFIG}/reasons", json={"code": "monthly_promotion", "label": "again"})
    await http.post(f"{CONFIG}/attribute-policies", json=policy | {"key": "unknown"})
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer:
        await viewer.post(f"{CONFIG}/reasons", json={"code": "visit", "label": "Visita"})
    assert await latest(http, actor="tester") == before


async def test_what_operators_and_roles_of_postgresql_change_is_audited_too(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    url = service.database.url.render_as_string(hide_password=False)
    words = ("quota", "set", str(tenant.id), "open_activities")
    for more in (("7",), ("default", "--actor", "ana")):
        done = await asyncio.to_thread(operate, service.temporal, url, *words, *more)
        assert done.returncode == 0, done.stderr
    removed, added = await latest(http, resource="QUOTA")
    assert (added["actor"], added["resourceKey"], added["after"]["value"]) == ("operator", "open_activities", 7)
    assert (removed["actor"], removed["before"]["value"], removed["after"]) == ("ana", 7, None)
    async with service.database.autocommit.connect() as connection:
        await connection.execute(text("UPDATE reasons SET label = 'x' WHERE tenant_id = :t"), {"t": tenant.id})
    typed = (await latest(http, resource="REASON"))[0]
    assert (typed["actor"], typed["after"]["label"]) == ("role:postgres", "x")


async def test_an_actor_is_no_longer_in_force_after_its_transaction(service: Service, tenant: Tenant) -> None:
    add = text("INSERT INTO tenant_quotas VALUES (:t, :name, 1)")
    async with service.database.begin_as("somewhere") as connection:
        await connection.execute(add, {"t": tenant.id, "name": "first"})
    for number in range(25):  # each connection of the pool
        async with service.database.transactions.begin() as connection:
            await connection.execute(add, {"t": tenant.id, "name": f"later {number}"})
    statement = select(AuditEntry.actor, func.count()).where(
        AuditEntry.tenant_id == tenant.id, AuditEntry.resource == "QUOTA"
    )
    async with service.database.autocommit.connect() as connection:
        actors = {row[0]: row[1] for row in await connection.execute(statement.group_by(AuditEntry.actor))}
    assert actors == {"somewhere": 1, "role:postgres": 25}


async def test_a_change_that_is_rolled_back_leaves_no_entry(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    before = await latest(http)
    async with service.database.transactions.connect() as connection:
        await connection.execute(text("DELETE FROM reasons WHERE tenant_id = :t"), {"t": tenant.id})
        await connection.rollback()
    assert await latest(http) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'x'",
        "UPDATE audit_entries SET actor = 'x' WHERE false",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "WITH d AS (DELETE FROM audit_entries RETURNING 1) SELECT * FROM d",
        "MERGE INTO audit_entries e USING audit_entries o ON e.id = o.id WHEN MATCHED THEN DELETE",
        "INSERT INTO audit_entries SELECT * FROM audit_entries ON CONFLICT (tenant_id, id) DO UPDATE SET actor = 'x'",
        "SET LOCAL session_replication_role = replica; DELETE FROM audit_entries",
    ],
)
async def test_entries_can_be_neither_changed_nor_deleted(
    service: Service, http: httpx.AsyncClient, statement: str
) -> None:
    await http.put(f"{CONFIG}/bulk", json={"confirm_above": 5})
    *before, forbidden = statement.split("; ")
    async with service.database.transactions.connect() as connection:
        for one in before:
            await connection.exec_driver_sql(one)
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            await connection.exec_driver_sql(forbidden)
    assert (await latest(http))[0]["resource"] == "BULK_SETTINGS"


async def test_the_audit_holds_neither_a_key_nor_its_hash(service: Service, http: httpx.AsyncClient) -> None:
    created = (await http.post("/api/api-keys", json={"name": "n", "permissions": ["VIEW_ACTIVITIES"]})).json()
    async with service.caller({"x-api-key": created["plaintextKey"]}) as machine:
        assert (await machine.get("/api/quotas")).status_code == 200
    (entry,) = await latest(http, resource="API_KEY")  # its use is none of its changes
    assert entry["resourceKey"] == created["id"]
    assert set(entry["after"]) == {
        *("id", "name", "key_prefix", "permissions", "created_by", "created_at", "expires_at"),
    }
    assert entry["after"]["created_at"] == created["createdAt"]
    assert created["plaintextKey"] not in str(entry)


async def test_the_audit_is_paged_and_filtered_and_its_tenants_alone(service: Service, http: httpx.AsyncClient) -> None:
    for number in range(5):
        await http.put(f"{CONFIG}/bulk", json={"confirm_above": number})
    pages = [
        (await http.get(AUDIT, params={"resource": "BULK_SETTINGS", "per_page": 2, "page": page})).json()
        for page in (1, 2, 3)
    ]
    assert [entry["after"]["confirm_above"] for page in pages for entry in page["data"]] == [4, 3, 2, 1, 0]
    assert pages[0]["meta"]["total"] == 5
    now = datetime.now(UTC) + timedelta(minutes=1)
    assert await latest(http, occurred_from=now.isoformat()) == []
    assert len(await latest(http, occurred_to=now.isoformat(), resource="BULK_SETTINGS")) == 5
    other = await service.tenant()
    async with service.client(other.id) as stranger:
        assert await latest(stranger, resource="BULK_SETTINGS") == []


async def test_reading_the_audit_needs_operate_and_known_parameters(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    others = [permission for permission in Permission if permission is not Permission.OPERATE]
    async with service.client(tenant.id, *others) as client:
        answer = await client.get(AUDIT)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    for params in ({"resource": "NONSENSE"}, {"tenant_id": str(uuid4())}, {"per_page": 101}, {"actor": "\0"}):
        assert (await http.get(AUDIT, params=params)).status_code == 400
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await http.request(method, AUDIT, json={})).status_code == 405
