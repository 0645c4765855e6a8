"""Test the explanations of a dry run and of a creation."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, insert, select

from api.activities.explain import LISTED_ATTEMPTS
from db.models import ResolutionAttempt, ScheduledActivity
from tests.integration.configuration.test_target_configs import CONFIGS
from tests.support.builders import Tenant, contract_example
from tests.support.service import Service

PARTS = ("reason", "target", "attributes")
ROLE_ORDERS = {"type": "ROLE_MATCH", "config": {"role": "ORDERS"}}
MATCHING_REASON = {"text": "Monthly promotion", "code": "monthly_promotion", "matchedBy": "CODE"}


async def create(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/api/activities", json=contract_example(**changes))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def attempts(http: httpx.AsyncClient, activity: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.get(f"/api/activities/{activity['id']}/explanation")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["attempts"]
    return found


async def test_a_creations_explanation_says_who_was_seen_and_why_the_values_are_what_they_are(
    http: httpx.AsyncClient, tenant: Tenant
) -> None:
    created = await create(
        http, target_criteria=[ROLE_ORDERS], attributes=[{"key": "promotions", "value": None, "fallback": 7}]
    )

    (attempt,) = await attempts(http, created)

    assert attempt["moment"] == "CREATION"
    assert attempt["reason"]["reason"] | MATCHING_REASON == attempt["reason"]["reason"]
    target = attempt["target"]
    assert (target["strategy"], target["criteriaFrom"], target["configuration"]) == ("ON_CREATION", "REQUEST", None)
    assert [one["outcome"] for one in target["criteria"] + target["fallbacks"]] == ["NOBODY", "MATCHED"]
    assert (target["commerceUserId"], target["lockReason"]) == (str(tenant.representative_id), "FALLBACK_COMMERCE_REP")
    seen = {one["commerceUserId"]: one["why"] for one in target["criteria"][0]["candidates"]}
    assert seen == {
        str(user): "doesn't have the role ORDERS"
        for user in (tenant.owner_id, tenant.representative_id, tenant.contactless_id)
    }
    values = {one["key"]: (one["status"], one["source"]) for one in attempt["attributes"]["attributes"]}
    assert values == {"commerce_info": ("RESOLVED", "INTERNAL_SERVICE"), "promotions": ("FALLBACK", "FALLBACK")}


async def test_an_explanation_holds_no_names_numbers_or_values(http: httpx.AsyncClient) -> None:
    created = await create(http, attributes=[{"key": "promotions", "value": "secret offer"}])

    text = (await http.get(f"/api/activities/{created['id']}/explanation")).text

    for personal in ("Name of", "+549", "example.com", "Tienda Uno", "Calle 1", "secret offer"):
        assert personal not in text


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"channel": "EMAIL", "target_criteria": []},
        {"channel": "SMS", "target_criteria": [{"type": "ROLE_MATCH", "config": {"role": "FINANCE"}}, ROLE_ORDERS]},
        {"target_criteria": [{"type": "LAST_CONTACTED_SAME_CHANNEL", "config": {"within_days": 3}}]},
        {"attribute_keys": ["commerce_info"], "attributes": [{"key": "promotions", "value": [1, 2]}]},
        {"reason": "PROMOCIÓN mensual", "user_status": "Active", "scheduled_at": "2030-01-01T00:00:00Z"},
    ],
)
async def test_what_is_explained_beforehand_is_what_a_creation_then_says(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    explained = await http.post("/api/activities/explain", json=contract_example(**changes))

    created = await create(http, **changes)

    (attempt,) = await attempts(http, created)
    assert explained.status_code == 200, explained.text
    assert {part: explained.json()[part] for part in PARTS} == {part: attempt[part] for part in PARTS}
    assert explained.json()["status"] == created["status"]


async def test_explaining_writes_nothing_and_uses_no_key_up(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    body = contract_example(idempotency_key="only-once")

    for _ in range(2):
        assert (await http.post("/api/activities/explain", json=body)).status_code == 200

    async with service.database.transactions.connect() as connection:
        for table in (ScheduledActivity, ResolutionAttempt):
            count = select(func.count()).select_from(table).where(table.tenant_id == tenant.id)
            assert (await connection.execute(count)).scalar_one() == 0
    assert (await http.post("/api/activities", json=body)).status_code == 201
    assert (await http.post("/api/activities/explain", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "unheard of"}, "unknown_reason"),
        ({"attribute_keys": ["unheard_of"]}, "unknown_attribute_key"),
        ({"attribute_keys": ["promotions"]}, "attribute_value_missing"),
        ({"commerce_id": "990e8400-e29b-41d4-a716-446655440000"}, "commerce_not_found"),
        ({"scheduled_at": "yesterday"}, "validation_failed"),
        ({"reason": "unheard of", "attribute_keys": ["unheard_of"]}, "unknown_reason"),
    ],
)
async def test_what_a_creation_refuses_is_refused_with_the_same_problem(
    http: httpx.AsyncClient, changes: dict[str, Any], code: str
) -> None:
    body = contract_example(**changes)

    problems = [(await http.post(path, json=body)).json() for path in ("/api/activities", "/api/activities/explain")]

    for problem in problems:
        del problem["requestId"], problem["instance"]
    assert problems[0]["code"] == code
    assert problems[0] == problems[1]


async def test_nobody_to_be_found_is_explained_and_the_activity_waits(http: httpx.AsyncClient, tenant: Tenant) -> None:
    config = {"resolution_strategy": "ON_CREATION", "fallback_to_commerce_rep": False, "fallback_to_owner": False}
    configured = (await http.post(CONFIGS, json=config)).json()

    created = await create(http, target_criteria=[{"type": "ROLE_MATCH", "config": {"role": "FINANCE"}}])

    (attempt,) = await attempts(http, created)
    target = attempt["target"]
    assert created["status"] == "UNRESOLVED"
    assert created["targetUsers"][0]["errorMessage"] == target["summary"]
    assert f"user {tenant.contactless_id} has no WHATSAPP or PHONE contact" in target["summary"]
    assert target["configuration"] == {"id": configured["id"], "version": 1}
    assert [one["outcome"] for one in target["fallbacks"]] == ["SWITCHED_OFF", "SWITCHED_OFF"]


async def test_the_latest_attempts_are_listed_and_the_earlier_ones_counted(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    created = await create(http)
    retries = [
        {
            "tenant_id": tenant.id,
            "activity_id": UUID(created["id"]),
            "event_key": f"retry-{number}",
            "explanation": {"target": {"moment": "RETRY", "summary": str(number)}},
            "attempted_at": datetime.now(UTC) + timedelta(seconds=number),
        }
        for number in range(LISTED_ATTEMPTS + 2)
    ]
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(ResolutionAttempt), retries)

    answer = (await http.get(f"/api/activities/{created['id']}/explanation")).json()

    listed = [one["target"]["summary"] for one in answer["attempts"]]
    assert listed == [str(number) for number in range(2, LISTED_ATTEMPTS + 2)]
    assert answer["earlierAttempts"] == 3
