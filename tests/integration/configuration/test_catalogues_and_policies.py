"""/api/activity-config and /api/user-retention-statuses: what a tenant may set, and what activities make of it."""

import httpx
import pytest

from api.http.auth import Permission
from tests.integration.configuration.test_target_configs import CONFIGS, explained
from tests.support.builders import Tenant
from tests.support.service import Service

REASONS = "/api/activity-config/reasons"
STATUSES = "/api/user-retention-statuses"
KEYS = "/api/activity-config/attribute-keys"
POLICIES = "/api/activity-config/attribute-policies"


@pytest.mark.parametrize("catalogue", [REASONS, STATUSES])
async def test_an_entry_is_added_once_changed_and_found(http: httpx.AsyncClient, catalogue: str) -> None:
    entry = {"code": "win_back", "label": "Reconquista", "aliases": ["win back"]}

    added = await http.post(catalogue, json=entry)
    again = await http.post(catalogue, json=entry)
    changed = await http.patch(f"{catalogue}/win_back", json={"label": "Regreso", "is_active": False})
    unknown = await http.patch(f"{catalogue}/unheard_of", json={"label": "X"})

    expected = {"code": "win_back", "label": "Reconquista", "aliases": ["win back"], "isActive": True}
    assert (added.status_code, added.json()) == (201, expected)
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert changed.json() == expected | {"label": "Regreso", "isActive": False}
    assert unknown.status_code == 404
    listed = (await http.get(catalogue, params={"search": "REGR", "is_active": "false"})).json()
    assert listed["data"] == [changed.json()]


async def test_a_deactivated_reason_is_no_longer_understood(http: httpx.AsyncClient) -> None:
    await http.post(REASONS, json={"code": "visit", "label": "Visita"})
    await http.patch(f"{REASONS}/monthly_promotion", json={"is_active": False})

    answer = await explained(http)

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_reason")
    assert "no longer active" in answer.json()["detail"]
    assert "visit" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/reason"


async def test_a_code_of_dots_alone_is_refused(http: httpx.AsyncClient) -> None:
    """Clients leave `.` and `..` out of a path, so that the entry could never be changed."""
    for code in (".", "..", "..."):
        answer = await http.post(REASONS, json={"code": code, "label": "Dots"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/code")
    assert (await http.post(REASONS, json={"code": ".a.", "label": "Dots"})).is_success


async def test_a_user_status_passes_through_until_the_tenant_keeps_a_catalogue(http: httpx.AsyncClient) -> None:
    before = await explained(http, user_status="At Risk!")
    await http.post(STATUSES, json={"code": "at_risk", "label": "En riesgo"})
    after = await explained(http, user_status="At Risk!")
    right = await explained(http, user_status="EN RIESGO")

    assert before.json()["reason"]["userStatus"]["matchedBy"] == "PASSED_THROUGH"
    assert (after.status_code, after.json()["code"]) == (400, "unknown_user_status")
    assert right.json()["reason"]["userStatus"]["code"] == "at_risk"


async def test_a_key_can_be_used_from_when_it_is_in_the_catalogue(http: httpx.AsyncClient) -> None:
    body = {"attributes": [{"key": "discount", "value": 5}]}
    before = await explained(http, **body)

    added = await http.post(KEYS, json={"key": "discount", "label": "Discount", "description": "In percent."})
    changed = await http.patch(f"{KEYS}/discount", json={"description": None})

    assert (before.json()["code"], before.json()["errors"][0]["pointer"]) == (
        "unknown_attribute_key",
        "/attributes/0/key",
    )
    assert added.status_code == 201
    assert changed.json() == added.json() | {"description": None}
    assert (await explained(http, **body)).json()["status"] == "READY"
    assert (await http.post(KEYS, json={"key": "discount", "label": "Again"})).status_code == 409
    listed = (await http.get(KEYS)).json()
    assert [one["key"] for one in listed["data"]] == ["commerce_info", "discount", "promotions"]


async def test_a_policy_is_set_and_its_version_counts_changes_only(http: httpx.AsyncClient) -> None:
    policy = {"key": "commerce_info", "strategy": "ON_DISPATCH", "resolver_type": "INTERNAL_SERVICE"}

    first = await http.post(POLICIES, json=policy)
    same = await http.post(POLICIES, json=policy)
    by_id = {"attribute_key_id": first.json()["attributeKeyId"], "strategy": "UPFRONT"}
    changed = await http.post(POLICIES, json=by_id | {"resolver_type": "INTERNAL_SERVICE"})

    assert [answer.json()["version"] for answer in (first, same, changed)] == [1, 1, 2]
    assert first.json()["attributeKey"] == {"key": "commerce_info", "label": "commerce_info"}
    assert (await http.get(POLICIES)).json()["data"] == [changed.json()]


@pytest.mark.parametrize(
    ("key", "strategy", "resolver_type", "answer"),
    [
        ("commerce_info", "UPFRONT", "CLIENT_HOOK", "validation_failed /resolver_type"),
        ("promotions", "UPFRONT", "INTERNAL_SERVICE", "validation_failed /resolver_type"),
        ("unheard_of", "UPFRONT", "INTERNAL_SERVICE", "unknown_attribute_key /key"),
        ("promotions", "CALLER_PROVIDED", "INTERNAL_SERVICE", "validation_failed "),
        ("promotions", "UPFRONT", "CALLER_PROVIDED", "validation_failed "),
        (None, "UPFRONT", "INTERNAL_SERVICE", "validation_failed "),
    ],
)
async def test_a_policy_that_could_not_work_is_refused(
    http: httpx.AsyncClient, key: str | None, strategy: str, resolver_type: str, answer: str
) -> None:
    refused = await http.post(POLICIES, json={"key": key, "strategy": strategy, "resolver_type": resolver_type})

    problem = refused.json()
    assert refused.status_code == 400, refused.text
    assert f"{problem['code']} {problem['errors'][0]['pointer']}" == answer


async def test_a_caller_provided_key_without_value_is_refused(http: httpx.AsyncClient) -> None:
    await http.post(
        POLICIES, json={"key": "promotions", "strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"}
    )

    answer = await explained(http, attribute_keys=["commerce_info", "promotions"])

    assert (answer.status_code, answer.json()["code"]) == (400, "attribute_value_missing")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/attribute_keys/1"]


async def test_viewers_read_the_configuration_and_cannot_change_it(service: Service, tenant: Tenant) -> None:
    lists = (REASONS, STATUSES, KEYS, POLICIES, CONFIGS)
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer:
        read = [(await viewer.get(path)).status_code for path in lists]
        written = [(await viewer.post(path, json={})).status_code for path in lists]

    assert read == [200] * 5
    assert written == [403] * 5


async def test_another_tenants_configuration_is_neither_seen_nor_changed(
    service: Service, http: httpx.AsyncClient
) -> None:
    config = (await http.post(CONFIGS, json={"resolution_strategy": "MANUAL"})).json()
    await http.post(REASONS, json={"code": "ours", "label": "Ours"})
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        answers = [
            await theirs.get(f"{CONFIGS}/{config['id']}"),
            await theirs.patch(f"{CONFIGS}/{config['id']}", json={"is_active": False}),
            await theirs.patch(f"{REASONS}/ours", json={"is_active": False}),
        ]
        seen = [one["code"] for one in (await theirs.get(REASONS)).json()["data"]]

    assert {answer.status_code for answer in answers} == {404}
    assert seen == ["monthly_promotion"]
    assert (await http.get(f"{CONFIGS}/{config['id']}")).json() == config
