"""POST /api/activities as HTTP: which check answers first, and what every answer carries."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import delete, insert, update

from api.http.auth import Permission
from db.models import AttributeKey, AttributePolicy, Commerce, CommerceUser, UserStatus
from tests.support.builders import COMMERCE_ID, Tenant, contract_example
from tests.support.service import Service
from workflows.words import AttributeStrategy, ResolverType

URL = "/api/activities"
BAD_BODY = b'{"type": "CALL"}'
TOO_LARGE = b" " * (256 * 1024 + 1)
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and code that clients branch on; assert the members of RFC 9457 and the vendor's."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == problem["statusCode"] == answer.status_code
    assert problem["type"] == f"urn:problem:{problem['code']}"
    assert problem["message"] == problem["detail"]
    assert problem["title"]
    assert problem["error"]
    assert problem["instance"] == answer.request.url.path
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    assert isinstance(problem["errors"], list)
    return answer.status_code, problem["code"]


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Basic dGVzdA==", "Bearer nonsense", "Bearer a.b.c", "nonsense"]
)
async def test_without_a_good_token_nothing_else_is_looked_at(service: Service, authorization: str | None) -> None:
    headers = TEXT | ({} if authorization is None else {"Authorization": authorization})
    async with service.caller() as anybody:
        answer = await anybody.post(URL, content=TOO_LARGE, headers=headers)
    assert code(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("tenant_id", ["", "store-1", "880e8400-e29b-41d4-a716"])
async def test_the_tenant_header_comes_before_permissions_and_body(http: httpx.AsyncClient, tenant_id: str) -> None:
    answer = await http.post(URL, content=TOO_LARGE, headers=TEXT | {"x-tenant-id": tenant_id})
    assert code(answer) == (400, "validation_failed")
    assert "x-tenant-id" in answer.json()["detail"]


async def test_a_missing_tenant_header_is_named(http: httpx.AsyncClient) -> None:
    del http.headers["x-tenant-id"]
    answer = await http.post(URL, json=contract_example())
    assert code(answer) == (400, "validation_failed")
    assert "x-tenant-id" in answer.json()["errors"][0]["pointer"]


async def test_a_tenant_that_the_token_does_not_name_comes_before_the_body(http: httpx.AsyncClient) -> None:
    answer = await http.post(URL, content=TOO_LARGE, headers=TEXT | {"x-tenant-id": str(uuid4())})
    assert code(answer) == (403, "tenant_denied")


async def test_the_permission_that_is_missing_is_named_before_the_body_is_read(
    service: Service, tenant: Tenant
) -> None:
    others = [permission for permission in Permission if permission is not Permission.CREATE_ACTIVITY]
    async with service.client(tenant.id, *others) as client:
        answer = await client.post(URL, content=TOO_LARGE, headers=TEXT)
    assert code(answer) == (403, "permission_denied")
    assert "CREATE_ACTIVITY" in answer.json()["detail"]


async def test_looking_needs_its_own_permission(service: Service, tenant: Tenant) -> None:
    async with service.client(tenant.id, Permission.CREATE_ACTIVITY) as client:
        created = await client.post(URL, json=contract_example())
        assert created.status_code == 201
        for url in (created.headers["Location"], f"{created.headers['Location']}/status-events"):
            answer = await client.get(url)
            assert code(answer) == (403, "permission_denied")
            assert "VIEW_ACTIVITIES" in answer.json()["detail"]


async def test_the_size_of_the_body_comes_before_its_media_type(http: httpx.AsyncClient) -> None:
    assert code(await http.post(URL, content=TOO_LARGE, headers=TEXT)) == (413, "body_too_large")


async def test_a_body_without_declared_length_is_read_no_further_than_the_limit(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(300):
            yield b" " * 1024

    assert code(await http.post(URL, content=chunks(), headers=JSON)) == (413, "body_too_large")


async def test_a_body_of_exactly_the_limit_is_read(http: httpx.AsyncClient) -> None:
    answer = await http.post(URL, content=BAD_BODY + b" " * (256 * 1024 - len(BAD_BODY)), headers=JSON)
    assert code(answer) == (400, "validation_failed")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/jsonx", "", "json"])
async def test_the_media_type_comes_before_the_shape(http: httpx.AsyncClient, media_type: str) -> None:
    answer = await http.post(URL, content=BAD_BODY, headers={"Content-Type": media_type})
    assert code(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_is_taken_however_its_media_type_is_spelled(http: httpx.AsyncClient, media_type: str) -> None:
    answer = await http.post(URL, content=BAD_BODY, headers={"Content-Type": media_type})
    assert code(answer) == (400, "validation_failed")


async def test_the_shape_comes_before_the_used_key(http: httpx.AsyncClient) -> None:
    body = contract_example()
    assert (await http.post(URL, json=body)).status_code == 201
    assert code(await http.post(URL, json=body | {"score": "5"})) == (400, "validation_failed")


async def test_the_root_leads_to_the_documentation(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")


async def test_the_used_key_comes_before_the_unknown_commerce(http: httpx.AsyncClient) -> None:
    body = contract_example()
    assert (await http.post(URL, json=body)).status_code == 201
    assert code(await http.post(URL, json=body | IMPOSSIBLE)) == (409, "idempotency_key_exists")


IMPOSSIBLE: dict[str, Any] = {
    "commerce_id": str(uuid4()),
    "reason": "no such reason",
    "user_status": "no such status",
    "attribute_keys": ["commerce_info", "no_such_key", "given", "commerce_info", "no_such_key"],
    "attributes": [{"key": "given"}, {"key": "no_such_one"}],
}


async def test_what_is_impossible_is_answered_in_the_contracts_order_one_step_at_a_time(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """Each time the first obstacle is taken away, with the same key: none of the refusals has used it up."""
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            insert(UserStatus).values(tenant_id=tenant.id, code="active", label="Activo", aliases=[])
        )
        await connection.execute(insert(AttributeKey).values(tenant_id=tenant.id, key="given", label="Given"))
        await connection.execute(
            insert(AttributePolicy).values(
                tenant_id=tenant.id,
                key="given",
                strategy=AttributeStrategy.CALLER_PROVIDED,
                resolver_type=ResolverType.CALLER_PROVIDED,
            )
        )
    body = contract_example() | IMPOSSIBLE
    assert code(await http.post(URL, json=body)) == (404, "commerce_not_found")
    body["commerce_id"] = str(COMMERCE_ID)
    assert code(await http.post(URL, json=body)) == (400, "unknown_reason")
    body["reason"] = "PROMOCIÓN__mensual"
    assert code(await http.post(URL, json=body)) == (400, "unknown_user_status")
    body["user_status"] = "ACTIVE"
    answer = await http.post(URL, json=body)
    assert code(answer) == (400, "unknown_attribute_key")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [
        "/attribute_keys/1",
        "/attribute_keys/4",
        "/attributes/1/key",
        "/attributes/0/value",
    ]
    body |= {"attribute_keys": ["given"], "attributes": None}
    answer = await http.post(URL, json=body)
    assert code(answer) == (400, "attribute_value_missing")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/attribute_keys/0"]
    body["attributes"] = [{"key": "given", "fallback": 5}]
    created = await http.post(URL, json=body)
    assert created.status_code == 201, created.text
    assert created.json()["reason"] == {"code": "monthly_promotion", "label": "Promocion Mensual"}
    assert created.json()["userStatus"] == {"code": "active", "label": "Activo"}
    assert [(one["key"], one["value"], one["resolutionStatus"]) for one in created.json()["attributes"]] == [
        ("given", 5, "FALLBACK")
    ]


async def test_an_unknown_reason_names_the_closest_codes(http: httpx.AsyncClient) -> None:
    answer = await http.post(URL, json=contract_example(reason="Monthly promotions"))
    assert code(answer) == (400, "unknown_reason")
    assert "monthly_promotion" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/reason"


async def test_an_inactive_commerce_is_not_found(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(update(Commerce).where(Commerce.tenant_id == tenant.id).values(is_active=False))
    assert code(await http.post(URL, json=contract_example())) == (404, "commerce_not_found")


async def test_a_commerce_of_another_tenant_is_not_found(service: Service, http: httpx.AsyncClient) -> None:
    other = uuid4()
    async with service.database.transactions.begin() as connection:
        tenant = await service.tenant()
        await connection.execute(
            insert(Commerce).values(tenant_id=tenant.id, id=other, external_id="store-2", name="Tienda Dos")
        )
    assert code(await http.post(URL, json=contract_example(commerce_id=str(other)))) == (404, "commerce_not_found")


async def test_an_activity_of_another_tenant_is_not_found(service: Service, http: httpx.AsyncClient) -> None:
    location = (await http.post(URL, json=contract_example())).headers["Location"]
    other = await service.tenant()
    async with service.client(other.id) as stranger:
        for url in (location, f"{location}/status-events"):
            assert code(await stranger.get(url)) == (404, "activity_not_found")


async def test_the_same_key_in_two_tenants_makes_two_activities(service: Service, http: httpx.AsyncClient) -> None:
    body = contract_example()
    other = await service.tenant()
    async with service.client(other.id) as stranger:
        first, second = await http.post(URL, json=body), await stranger.post(URL, json=body)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]


async def test_an_unknown_id_is_not_found_and_a_malformed_id_is_invalid(http: httpx.AsyncClient) -> None:
    assert code(await http.get(f"{URL}/{uuid4()}")) == (404, "activity_not_found")
    assert code(await http.get(f"{URL}/{uuid4()}/status-events")) == (404, "activity_not_found")
    assert code(await http.get(f"{URL}/1")) == (400, "validation_failed")


async def test_the_link_to_the_run_is_for_operators_only(service: Service, tenant: Tenant) -> None:
    others = [permission for permission in Permission if permission is not Permission.OPERATE]
    async with service.client(tenant.id, *others) as client, service.client(tenant.id) as operator:
        created = await client.post(URL, json=contract_example())
        assert created.json()["workflow"] is None
        assert (await client.get(created.headers["Location"])).json()["workflow"] is None
        seen = (await operator.get(created.headers["Location"])).json()
        repeated = await client.post(URL, json=contract_example(idempotency_key=seen["idempotencyKey"]))
        assert repeated.json()["activity"]["workflow"] is None
    run = service.temporal.get_workflow_handle(seen["workflow"]["id"], run_id=seen["workflow"]["runId"])
    assert (await run.describe()).id == f"{tenant.id}:{seen['idempotencyKey']}"
    path = f"/namespaces/{service.temporal.namespace}/workflows/{run.id}/{seen['workflow']['runId']}/history"
    assert seen["workflow"]["url"] == f"http://ui{path}"


@pytest.mark.parametrize("request_id", ["abc-123", "x" * 128])
async def test_the_callers_request_id_is_kept(http: httpx.AsyncClient, request_id: str) -> None:
    for answer in (
        await http.post(URL, json=contract_example(), headers={"X-Request-Id": request_id}),
        await http.post(URL, json={}, headers={"X-Request-Id": request_id}),
        await http.get("/nowhere", headers={"X-Request-Id": request_id}),
    ):
        assert answer.headers["X-Request-Id"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "two words", "a\tb"])
async def test_a_request_id_that_could_forge_a_line_of_the_log_is_replaced(
    http: httpx.AsyncClient, request_id: str
) -> None:
    answer = await http.get("/health/live", headers={"X-Request-Id": request_id})
    assert answer.headers["X-Request-Id"] not in {"", request_id}


async def test_looking_again_shows_the_same_as_the_creation_did(http: httpx.AsyncClient) -> None:
    created = await http.post(URL, json=contract_example(scheduled_at="2031-01-01T00:00:00Z", score=3))
    seen = await http.get(created.headers["Location"])
    assert seen.json() == created.json()
    assert seen.headers["ETag"] == created.headers["ETag"] == '"1"'


async def test_a_path_or_method_that_is_none_of_ours_is_a_problem_too(http: httpx.AsyncClient) -> None:
    assert code(await http.get("/api/nothing")) == (404, "not_found")
    answer = await http.put(URL, json={})
    assert code(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


async def test_nothing_is_written_for_a_request_that_is_refused(service: Service, tenant: Tenant) -> None:
    """Neither rows nor runs: the key, the body and the tenant leave no trace."""
    key = f"refused-{uuid4()}"
    async with service.client(tenant.id) as client:
        await client.post(URL, json=contract_example(idempotency_key=key, score="5"))
        await client.post(URL, content=b"{", headers=JSON)
    assert not [run async for run in service.temporal.list_workflows(f"TenantId = '{tenant.id}'")]


async def test_the_target_is_shown_with_how_it_was_found(tenant: Tenant, http: httpx.AsyncClient) -> None:
    body = contract_example(
        scheduled_at="2031-01-01T00:00:00Z",
        target_criteria=[
            {"type": "ROLE_MATCH", "config": {"role": "OWNER"}, "priority": 2},
            {"type": "ROLE_MATCH", "config": {"role": "FINANCE"}, "priority": 1},
        ],
    )
    (target,) = (await http.post(URL, json=body)).json()["targetUsers"]
    assert target["commerceUserId"] == str(tenant.owner_id)
    assert (target["resolutionStatus"], target["lockReason"]) == ("RESOLVED", "CRITERIA_MATCH")
    assert target["resolvedAt"]
    (fallback,) = (await http.post(URL, json=contract_example(target_criteria=[]))).json()["targetUsers"]
    assert (fallback["commerceUserId"], fallback["lockReason"]) == (
        str(tenant.representative_id),
        "FALLBACK_COMMERCE_REP",
    )


async def test_without_a_target_it_is_created_all_the_same_and_waits_for_an_operator(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(delete(CommerceUser).where(CommerceUser.tenant_id == tenant.id))
    created = await http.post(URL, json=contract_example())
    assert (created.status_code, created.json()["status"]) == (201, "UNRESOLVED")
    assert created.json()["statusReason"].startswith("target user: No user was found")
    assert created.json()["targetUsers"][0]["resolutionStatus"] == "FAILED"
    assert created.json()["attributes"][0]["value"]["name"] == "Tienda Uno"
    (event,) = (await http.get(f"{created.headers['Location']}/status-events")).json()["data"]
    assert (event["eventType"], event["toStatus"], event["actor"]) == ("CREATED", "UNRESOLVED", "tester")
    assert event["errorMessage"] == created.json()["statusReason"]
