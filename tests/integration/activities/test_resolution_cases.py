"""A sample of the product owner's cases, asked over HTTP of rows in PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, insert

from db.models import CommerceUser, ContactLogEntry
from tests.integration.configuration.test_target_configs import CONFIGS
from tests.support.builders import COMMERCE_ID, CONTACTS, Tenant, contract_example
from tests.support.case_notation import NOW, agrees, candidates, cases, criteria, rules, said_of
from tests.support.service import Service
from workflows.messages import ResolvedTarget
from workflows.resolution.facts import Candidate

SAMPLE = cases("The target user at creation")[::3]


@pytest.mark.parametrize(("users", "channel", "asked", "configured", "answer"), SAMPLE)
async def test_over_http_the_target_is_the_one_that_the_rules_name(  # noqa: PLR0913 - a table's columns
    service: Service,
    http: httpx.AsyncClient,
    tenant: Tenant,
    *,
    users: str,
    channel: str,
    asked: str,
    configured: str,
    answer: str,
) -> None:
    await replace_users(service, tenant, channel, candidates(users))
    if configured:
        assert (await http.post(CONFIGS, json=config(configured))).status_code == 201
    body = contract_example(channel=channel)
    if asked:
        body["target_criteria"] = [one.model_dump(mode="json") for one in criteria(asked)]

    explained = (await http.post("/api/activities/explain", json=body)).json()

    said = said_of(resolved(explained["target"]))
    assert agrees(said, answer), said


async def replace_users(service: Service, tenant: Tenant, channel: str, people: tuple[Candidate, ...]) -> None:
    """The case's people and contacts instead of the builder's."""
    other = "EMAIL" if channel != "EMAIL" else "SMS"
    asked_at = datetime.now(UTC) + timedelta(seconds=30)
    owned = {"tenant_id": tenant.id, "commerce_id": COMMERCE_ID}
    async with service.database.transactions.begin() as connection:
        await connection.execute(delete(CommerceUser).where(CommerceUser.tenant_id == tenant.id))
        for one in people:
            contacts = [
                {"contact_type": kind, "value": CONTACTS[kind], "is_primary": True}
                for kind in sorted(one.contact_types)
            ]
            user = {"id": one.id, "external_id": str(one.id), "name": "N", "roles": sorted(one.roles)}
            row = owned | user | {"contacts": contacts, "is_active": one.is_active}
            await connection.execute(insert(CommerceUser).values(row))
            if one.last_contacted_at:
                contacted_at = asked_at - (NOW - one.last_contacted_at)
                where = channel if one.last_contacted_on_channel_at else other
                entry = {"commerce_user_id": one.id, "channel": where, "contacted_at": contacted_at}
                await connection.execute(insert(ContactLogEntry).values(owned | entry))


def config(text: str) -> dict[str, Any]:
    """The body that makes the case's configuration."""
    wanted = rules(text)
    return {
        "resolution_strategy": wanted.strategy,
        "fallback_to_commerce_rep": wanted.fallback_to_commerce_rep,
        "fallback_to_owner": wanted.fallback_to_owner,
        "criteria": [one.model_dump(mode="json") for one in wanted.criteria],
    }


def resolved(target: dict[str, Any]) -> ResolvedTarget:
    """Return the explanation in the form of the engine's cases."""
    return ResolvedTarget(
        status=target["status"],
        strategy=target["strategy"],
        commerce_user_id=target["commerceUserId"],
        lock_reason=target["lockReason"],
        error_message=target["summary"],
    )
