"""Tokens over HTTP: whatever the claims say, the answer is never a defect of the service."""

import json
from typing import Any
from uuid import UUID

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from api.http.auth import Permission
from embedded.signing_key import AUDIENCE, ISSUER
from tests.support.builders import contract_example
from tests.support.odd_tokens import CLAIMS, ODD_JSON, sign
from tests.support.service import KEY, Service

TENANT = UUID("770e8400-e29b-41d4-a716-446655440000")
GOOD = {"iss": ISSUER, "aud": AUDIENCE, "sub": "tester", "exp": 10**10}


def bearer(service: Service, tenant_id: UUID, **claims: Any) -> httpx.AsyncClient:
    """Return a client whose token makes these claims."""
    everything = {"tenants": {str(tenant_id): [str(permission) for permission in Permission]}}
    token = sign(KEY.private, json.dumps(GOOD | everything | claims))
    headers = {"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant_id)}
    return service.caller(headers)


@given(claims=st.dictionaries(st.sampled_from(CLAIMS), ODD_JSON, min_size=1, max_size=2))
@example(claims={"sub": "a\0b"})
@example(claims={"sub": "half \ud800"})
@example(claims={"sub": "\U0001f600" * 1000})
@example(claims={"tenants": {str(TENANT): ["DISPATCH_ACTIVITY", "\0"]}})
async def test_no_claims_are_answered_with_a_5xx(service: Service, claims: dict[str, Any]) -> None:
    async with bearer(service, TENANT, **claims) as http:
        answer = await http.post("/api/executions/claim", json={"channels": ["SMS"], "executor": "tester"})
    assert answer.status_code in {200, 401, 403}, answer.text


async def test_the_longest_subject_is_kept_as_the_actor(service: Service) -> None:
    tenant = await service.tenant()
    longest = "\U0001f600" * 1000
    async with bearer(service, tenant.id, sub=longest) as http:
        created = await http.post("/api/activities", json=contract_example())
        assert created.status_code == 201
        events = (await http.get(f"{created.headers['Location']}/status-events")).json()["data"]
    assert events[0]["actor"] == longest
