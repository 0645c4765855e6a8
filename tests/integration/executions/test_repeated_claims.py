"""A claim that is sent again with its `claim_id`: a lost answer costs no attempt."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.builders import Tenant, from_now
from tests.support.hand_off import claim, insert_rows, run_out
from tests.support.service import Service


@pytest.fixture(autouse=True)
async def due(tenant: Tenant, service: Service) -> None:
    """Let three activities be due."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, 3)


def leases(taken: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Return what identifies each lease."""
    return [(one["id"], one["leaseToken"], one["attempt"]) for one in taken]


async def test_a_repeated_claim_returns_the_same_leases(http: httpx.AsyncClient) -> None:
    claim_id = str(uuid4())
    first = await claim(http, claim_id=claim_id, limit=2)
    assert len(first) == 2
    assert await claim(http, claim_id=claim_id, limit=1) == first
    assert len(await claim(http, claim_id=str(uuid4()))) == 1
    assert await claim(http) == []


async def test_simultaneous_repetitions_claim_once(http: httpx.AsyncClient) -> None:
    claim_id = str(uuid4())
    answers = await asyncio.gather(*(claim(http, claim_id=claim_id, limit=1) for _ in range(8)))
    assert len(answers[0]) == 1
    assert {tuple(leases(answer)) for answer in answers} == {tuple(leases(answers[0]))}
    assert len(await claim(http)) == 2


async def test_only_leases_that_last_are_returned(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    claim_id = str(uuid4())
    reported, released, kept = await claim(http, claim_id=claim_id)
    body = {"activity_id": reported["id"], "status": "COMPLETED", "occurred_at": from_now(seconds=-1)}
    assert (await http.post("/api/activity-results/tasks", json=body)).status_code == 201
    assert (await http.post(f"/api/executions/{released['leaseToken']}/release", json={})).status_code == 200
    extended = await http.post(f"/api/executions/{kept['leaseToken']}/extend", json={"lease_seconds": 600})
    (again,) = await claim(http, claim_id=claim_id)
    assert leases([again]) == leases([kept])
    assert again["leaseExpiresAt"] == extended.json()["leaseExpiresAt"]
    await run_out(service.database, tenant)
    anew = await claim(http, claim_id=claim_id)
    assert {(one["id"], one["attempt"]) for one in anew} == {(kept["id"], 2), (released["id"], 2)}


async def test_another_executor_or_tenant_does_not_get_the_leases(http: httpx.AsyncClient, service: Service) -> None:
    claim_id = str(uuid4())
    (mine,) = await claim(http, claim_id=claim_id, limit=1)
    others = await claim(http, claim_id=claim_id, executor="another")
    assert mine["id"] not in {one["id"] for one in others}
    stranger = await service.tenant()
    async with service.client(stranger.id) as other:
        assert await claim(other, claim_id=claim_id) == []
    assert leases(await claim(http, claim_id=claim_id)) == leases([mine])
