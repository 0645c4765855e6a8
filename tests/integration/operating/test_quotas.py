"""Rate limits and quotas: what is allowed, what is refused with the way out, and how operators set them."""

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.http.auth import Permission
from db.quotas import quota_statement
from tests.support.builders import Tenant, contract_example
from tests.support.operate import operate
from tests.support.service import Service, resources, running_api
from workflows.tenant_limits import (
    EXPLAIN_REQUESTS,
    ITEMS,
    OPEN_ACTIVITIES,
    QUOTAS,
    REQUESTS,
    REQUESTS_AT_ONCE,
    WAITING_CLAIMS,
    Quota,
)

LINES = {"Content-Type": "application/x-ndjson"}
CLAIM = {"channels": ["SALESMAN"], "executor": "tester"}


async def set_quota(service: Service, tenant_id: UUID, quota: Quota, value: int | None) -> None:
    """Write the row; an API that is started later reads it with its first request."""
    async with service.database.autocommit.connect() as connection:
        await connection.execute(quota_statement(tenant_id, quota.name, value))


def activity(key: str) -> dict[str, Any]:
    return contract_example(idempotency_key=key, scheduled_at="2035-01-16T09:00:00Z")


def require_refusal(answer: httpx.Response, code: str = "rate_limited") -> None:
    assert (answer.status_code, answer.json()["code"]) == (429, code), answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def test_requests_beyond_the_limit_are_429_until_the_window_ends(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, REQUESTS, 3)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        answers = await asyncio.gather(*(http.get("/api/activities") for _ in range(60)))
        refused = [answer for answer in answers if answer.status_code == 429]
        taken = [answer for answer in answers if answer.status_code == 200]
        assert len(taken) + len(refused) == 60
        assert taken[0].headers["RateLimit-Policy"] == refused[0].headers["RateLimit-Policy"] == '"requests";q=3;w=1'
        assert {one.headers["RateLimit"].split(";")[1] for one in taken} == {"r=2", "r=1", "r=0"}
        require_refusal(refused[0])
        assert refused[0].headers["RateLimit"] == '"requests";r=0;t=1'
        assert "may send 3 requests a second in this tenant" in refused[0].json()["detail"]
        await asyncio.sleep(1.1)
        assert (await http.get("/api/activities")).status_code == 200


async def test_each_tenant_and_each_subject_has_a_limit_of_its_own(service: Service, tenant: Tenant) -> None:
    other = await service.tenant()
    await set_quota(service, tenant.id, REQUESTS, 0)
    async with (
        service.beside() as limited,
        limited.client(tenant.id) as refused,
        limited.client(other.id) as allowed,
    ):
        require_refusal(await refused.get("/api/activities"))
        assert (await allowed.get("/api/activities")).status_code == 200
    await set_quota(service, tenant.id, REQUESTS, None)
    await set_quota(service, tenant.id, ITEMS, 2)
    async with (
        service.beside() as limited,
        limited.client(tenant.id, subject="a") as first,
        limited.client(tenant.id, subject="b") as second,
    ):
        answers = [await one.post("/api/commerces/sync", json={"items": [1, 2]}) for one in (first, first, second)]
        assert [answer.status_code for answer in answers] == [200, 429, 200]


async def test_a_429_comes_after_403_and_before_the_body_is_judged(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, REQUESTS, 0)
    async with (
        service.beside() as limited,
        limited.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer,
        limited.client(tenant.id) as http,
    ):
        assert (await viewer.post("/api/activities", content=b"{")).status_code == 403
        require_refusal(await http.post("/api/activities", content=b"{"))
        require_refusal(await http.get("/api/activities", params={"no_such": "x"}))


async def test_items_beyond_the_limit_are_refused_before_any_is_created(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, ITEMS, 5)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        batch = [activity(f"batch {number}") for number in range(4)]
        url = "/api/activities/batch"
        refused = await http.post(url, json={"activities": [*batch, *batch]})
        require_refusal(refused)
        assert refused.headers["RateLimit-Policy"] == '"requests";q=400;w=1, "items";q=5;w=60'
        assert "may send 5 items a minute in this tenant, of which 5 are left" in refused.json()["detail"]
        taken = await http.post(url, json={"activities": batch})
        assert [one["status"] for one in taken.json()["results"]] == [201] * 4
        assert taken.headers["RateLimit"].split(", ")[1].startswith('"items";r=1;t=')
        lines = "\n".join(json.dumps(activity(f"line {number}")) for number in range(3))
        results = [json.loads(line) for line in (await http.post(url, content=lines, headers=LINES)).text.splitlines()]
        assert Counter(one["status"] for one in results) == {201: 1, 429: 2}
        assert {one["body"]["code"] for one in results if one["status"] == 429} == {"rate_limited"}
        require_refusal(await http.post("/api/commerces/sync", json={"items": [{"external_id": "a", "name": "A"}]}))
        assert (await http.get("/api/commerces", params={"external_id": "a"})).json()["data"] == []
        listed = await http.get("/api/activities", params={"per_page": 100})
        assert listed.json()["meta"]["total"] == 5


async def test_a_new_activity_beyond_the_quota_is_429_and_a_repetition_stays_409(
    service: Service, tenant: Tenant
) -> None:
    await set_quota(service, tenant.id, OPEN_ACTIVITIES, 2)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        made = [await http.post("/api/activities", json=activity(key)) for key in ("a", "b")]
        assert [answer.status_code for answer in made] == [201, 201]
        refused = await http.post("/api/activities", json=activity("c"))
        require_refusal(refused, "quota_exceeded")
        assert "`open_activities`" in refused.json()["detail"]
        repeated = await http.post("/api/activities", json=activity("a"))
        assert (repeated.status_code, repeated.json()["sameRequest"]) == (409, True)
        items = {"activities": [activity("b"), activity("d")]}
        batch = (await http.post("/api/activities/batch", json=items)).json()["results"]
        assert [one["status"] for one in batch] == [409, 429]
        cancelled = await http.post(f"{made[0].headers['Location']}/cancel", json={"reason": "x"})
        assert cancelled.status_code == 200
    async with service.beside() as later, later.client(tenant.id) as http:
        assert (await http.post("/api/activities", json=activity("c"))).status_code == 201


async def test_claims_wait_up_to_the_quota_and_more_are_429(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, WAITING_CLAIMS, 2)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        claims = [http.post("/api/executions/claim", json=CLAIM | {"wait_seconds": 2}) for _ in range(3)]
        answers = await asyncio.gather(*claims)
        assert Counter(answer.status_code for answer in answers) == {200: 2, 429: 1}
        require_refusal(next(answer for answer in answers if answer.status_code == 429))
        assert (await http.post("/api/executions/claim", json=CLAIM)).status_code == 200


async def test_requests_and_items_wait_for_their_turn_and_all_are_carried_out(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, REQUESTS_AT_ONCE, 1)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        singles = [http.post("/api/activities", json=activity(f"single {number}")) for number in range(5)]
        reads = [http.get("/api/activities") for _ in range(20)]
        batches = [
            http.post("/api/activities/batch", json={"activities": [activity(f"{batch} {n}") for n in range(5)]})
            for batch in ("a", "b")
        ]
        lines = "".join(json.dumps(activity(f"line {number}")) + "\n" for number in range(5))
        stream = http.post("/api/activities/stream", content=lines, headers={"Content-Type": "application/x-ndjson"})
        *answers, streamed = await asyncio.gather(*singles, *reads, *batches, stream)
        assert Counter(answer.status_code for answer in answers) == {201: 5, 200: 22}
        assert {one["status"] for answer in answers[-2:] for one in answer.json()["results"]} == {201}
        assert [json.loads(line)["status"] for line in streamed.text.splitlines()] == [201] * 5


async def test_what_counts_all_rows_of_a_tenant_is_read_one_at_a_time(service: Service, tenant: Tenant) -> None:
    opened = resources(service.roles.api, service.temporal)
    paths = {"/api/commerces": 200, "/api/audit": 200, f"/api/operations/{uuid4()}": 404}
    async with running_api(opened) as url, service.at(url).client(tenant.id) as http:
        async with opened.turns.reading_whole(tenant.id):
            waiting = {path: asyncio.create_task(http.get(path)) for path in paths}
            for _ in range(10):
                assert (await http.get("/api/activities")).status_code == 200
            assert not any(one.done() for one in waiting.values())
        assert {path: (await one).status_code for path, one in waiting.items()} == paths


async def test_a_claim_that_waits_leaves_its_turn_to_others(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, REQUESTS_AT_ONCE, 1)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        claim = CLAIM | {"channels": ["WHATSAPP"], "limit": 1, "wait_seconds": 20}
        waiting = [asyncio.create_task(http.post("/api/executions/claim", json=claim)) for _ in range(2)]
        made = [await http.post("/api/activities", json=contract_example()) for _ in range(2)]
        claimed = [one["id"] for answer in await asyncio.gather(*waiting) for one in answer.json()["data"]]
        assert sorted(claimed) == sorted(answer.json()["id"] for answer in made)


async def test_expensive_requests_count_as_several(service: Service, tenant: Tenant) -> None:
    await set_quota(service, tenant.id, REQUESTS, 15)
    criteria = [{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}] * 100
    async with service.beside() as limited, limited.client(tenant.id) as http:
        for path, body, left in (
            ("/api/activities/explain", activity("a"), 15 - EXPLAIN_REQUESTS),
            ("/api/activities", activity("b"), 14),
            ("/api/activities", activity("c") | {"target_criteria": criteria}, 4),
        ):
            await asyncio.sleep(1.1)
            answer = await http.post(path, json=body)
            assert answer.headers["RateLimit"].startswith(f'"requests";r={left};'), path
        await asyncio.sleep(1.1)
        answers = await asyncio.gather(*(http.post("/api/activities/explain", json=activity("a")) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 429]
    await set_quota(service, tenant.id, REQUESTS, EXPLAIN_REQUESTS - 1)
    async with service.beside() as limited, limited.client(tenant.id) as http:
        assert (await http.post("/api/activities/explain", json=activity("a"))).status_code == 200


async def test_an_operator_sets_a_quota_that_the_tenant_can_read(service: Service, tenant: Tenant) -> None:
    url = service.database.url.render_as_string(hide_password=False)
    done = operate(service.temporal, url, "quota", "set", str(tenant.id), "open_activities", "7")
    assert (done.returncode, done.stdout) == (
        0,
        f"open_activities of tenant {tenant.id} is 7 within 30 seconds\n",
    )
    async with service.beside() as api, api.client(tenant.id, Permission.VIEW_ACTIVITIES) as http:
        read = (await http.get("/api/quotas")).json()["data"]
        assert [(one["name"], one["value"], one["default"]) for one in read] == [
            (quota.name, 7 if quota is OPEN_ACTIVITIES else quota.default, quota.default) for quota in QUOTAS.values()
        ]
    done = operate(service.temporal, url, "quota", "set", str(tenant.id), "open_activities", "default")
    assert done.stdout == f"open_activities of tenant {tenant.id} is unlimited within 30 seconds\n"
    async with service.beside() as api, api.client(tenant.id, Permission.CREATE_ACTIVITY) as http:
        assert (await http.get("/api/quotas")).status_code == 403


@pytest.mark.parametrize("words", [("no_such", "1"), ("open_activities", "-1"), ("open_activities", "many")])
def test_a_quota_that_means_nothing_is_refused(service: Service, words: tuple[str, str]) -> None:
    url = service.database.url.render_as_string(hide_password=False)
    done = operate(service.temporal, url, "quota", "set", "00000000-0000-4000-8000-000000000001", *words)
    assert (done.returncode, done.stdout) == (2, "")
