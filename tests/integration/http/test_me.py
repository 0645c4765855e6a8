"""GET /api/me: what a credential may do, for any valid one."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from api.http.auth import Permission
from tests.integration.http.test_api_keys import machine, new_key, refusal
from tests.support.builders import Tenant
from tests.support.service import KEY, Service

URL = "/api/me"


def bearer(service: Service, token: str, **headers: str) -> httpx.AsyncClient:
    return service.caller({"Authorization": f"Bearer {token}"} | headers)


async def test_a_token_of_one_tenant_needs_neither_the_header_nor_a_permission(service: Service) -> None:
    tenant_id = uuid4()
    async with bearer(service, KEY.token("ana", {tenant_id: ()}, timedelta(hours=1))) as client:
        answer = await client.get(URL)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "subject": "ana",
        "credential": "token",
        "tenantId": str(tenant_id),
        "permissions": [],
        "tenants": [{"id": str(tenant_id), "permissions": []}],
        "deployment": [],
    }
    assert '"requests"' in answer.headers["RateLimit"]


async def test_a_token_of_several_tenants_lists_them_and_the_header_chooses_one(service: Service) -> None:
    first, second = sorted((uuid4(), uuid4()))
    granted = {second: (Permission.VIEW_ACTIVITIES,), first: (Permission.OPERATE, Permission.CREATE_ACTIVITY)}
    token = KEY.token("ana", granted, timedelta(hours=1), deployment=("DECODE_PAYLOADS",))
    async with bearer(service, token) as client:
        everywhere = (await client.get(URL)).json()
        there = (await client.get(URL, headers={"x-tenant-id": str(second)})).json()
        other = await client.get(URL, headers={"x-tenant-id": str(uuid4())})
        malformed = await client.get(URL, headers={"x-tenant-id": "store-1"})
        twice = await client.get(URL, headers=[("x-tenant-id", str(first)), ("x-tenant-id", str(second))])
    assert everywhere["tenants"] == [
        {"id": str(first), "permissions": ["CREATE_ACTIVITY", "OPERATE"]},
        {"id": str(second), "permissions": ["VIEW_ACTIVITIES"]},
    ]
    assert (everywhere["tenantId"], everywhere["permissions"]) == (None, [])
    assert everywhere["deployment"] == ["DECODE_PAYLOADS"]
    assert there == everywhere | {"tenantId": str(second), "permissions": ["VIEW_ACTIVITIES"]}
    assert refusal(other) == (403, "tenant_denied")
    assert refusal(malformed) == refusal(twice) == (400, "validation_failed")


async def test_a_token_without_a_tenant_is_answered_too(service: Service) -> None:
    async with bearer(service, KEY.token("ana", {}, timedelta(hours=1))) as client:
        answer = (await client.get(URL)).json()
    assert (answer["subject"], answer["tenants"], answer["tenantId"]) == ("ana", [], None)


async def test_a_permission_that_the_service_does_not_know_is_left_out(service: Service) -> None:
    tenant_id = uuid4()
    granted = {tenant_id: ("VIEW_ACTIVITY", "VIEW_ACTIVITIES")}
    async with bearer(service, KEY.token("ana", granted, timedelta(hours=1))) as client:
        assert (await client.get(URL)).json()["permissions"] == ["VIEW_ACTIVITIES"]


async def test_an_api_key_has_one_tenant_and_the_permissions_that_it_was_given(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    created = await new_key(http, Permission.VIEW_ACTIVITIES, Permission.CREATE_ACTIVITY)
    async with machine(service, created["plaintextKey"]) as client:
        answer = await client.get(URL)
        other = await client.get(URL, headers={"x-tenant-id": str(uuid4())})
    assert answer.json() == {
        "subject": f"key:{created['id']}",
        "credential": "API key",
        "tenantId": str(tenant.id),
        "permissions": ["CREATE_ACTIVITY", "VIEW_ACTIVITIES"],
        "tenants": [{"id": str(tenant.id), "permissions": ["CREATE_ACTIVITY", "VIEW_ACTIVITIES"]}],
        "deployment": [],
    }
    assert refusal(other) == (403, "tenant_denied")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer a.b.c"}, {"x-api-key": "rtn_sk_nonsense"}], ids=["none", "token", "key"]
)
async def test_without_a_valid_credential_it_is_401(service: Service, headers: dict[str, str]) -> None:
    async with service.caller(headers) as client:
        answer = await client.get(URL)
    assert refusal(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"]


async def test_both_credentials_at_once_are_400(http: httpx.AsyncClient) -> None:
    key = (await new_key(http))["plaintextKey"]
    assert refusal(await http.get(URL, headers={"x-api-key": key})) == (400, "validation_failed")


async def test_other_methods_and_parameters_are_answered_as_elsewhere(http: httpx.AsyncClient) -> None:
    assert (await http.head(URL)).status_code == 200
    for method in ("POST", "PUT", "OPTIONS"):
        answer = await http.request(method, URL)
        assert refusal(answer) == (405, "method_not_allowed")
        assert "GET" in answer.headers["Allow"]


async def test_requests_of_a_token_without_a_tenant_are_limited_too(service: Service) -> None:
    token = KEY.token("busy", {uuid4(): (), uuid4(): ()}, timedelta(hours=1))
    async with bearer(service, token) as client:
        headers = (await client.get(URL)).headers
    limit, left = headers["RateLimit-Policy"], headers["RateLimit"]
    assert int(left.split("r=")[1].split(";")[0]) < int(limit.split("q=")[1].split(";")[0])
