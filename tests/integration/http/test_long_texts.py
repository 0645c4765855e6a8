"""Long texts in every column that an index has: the longest that a request may have is stored, or refused with 400."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.integration.executions.test_results import result, submit
from tests.support.builders import COMMERCE_ID, Tenant, contract_example
from tests.support.hand_off import claim, insert_rows
from tests.support.service import Service

Send = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]
CONFIG = "/api/activity-config"

WRITTEN_BY_US = {
    *(("status_events", "event_key"), ("resolution_attempts", "event_key")),  # ids of steps, and of updates: 200 ASCII
    ("tenant_quotas", "name"),  # one of our own words
    *(("scheduled_activities", name) for name in ("status", "channel", "type")),  # words of enumerations
    ("scheduled_activities", "payload_key_id"),  # from PAYLOAD_ENCRYPTION_KEYS
    *(("contact_log", "channel"), ("bulk_operation_items", "outcome")),
}


async def add_reason(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post(f"{CONFIG}/reasons", json={"code": value, "label": "L"})


async def add_user_status(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/user-retention-statuses", json={"code": value, "label": "L"})


async def add_attribute_key(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post(f"{CONFIG}/attribute-keys", json={"key": value, "label": "L"})


async def set_policy(http: httpx.AsyncClient, value: str) -> httpx.Response:
    body = {"key": value, "strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"}
    return await http.post(f"{CONFIG}/attribute-policies", json=body)


async def ask_for_attribute(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/activities", json=contract_example(attribute_keys=[value]))


async def put_result_types(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.put(f"{CONFIG}/task-result-types", json={"types": [{"code": value, "label": "L"}]})


async def sync(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/commerces/sync", json={"items": [{"external_id": value, "name": "N"}]})


async def add_user(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post(f"/api/commerces/{COMMERCE_ID}/users", json={"external_id": value, "roles": ["OWNER"]})


async def create_with_key(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/activities", json=contract_example(idempotency_key=value))


async def create_with_reason(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/activities", json=contract_example(reason=value))


async def report_result(http: httpx.AsyncClient, value: str) -> httpx.Response:
    (activity,) = await claim(http, limit=1)
    return await submit(http, result(activity_id=activity["id"], provider_activity_id=value, status="PENDING"))


async def claim_as(http: httpx.AsyncClient, value: str) -> httpx.Response:
    return await http.post("/api/executions/claim", json={"channels": ["WHATSAPP"], "executor": value, "limit": 1})


SENDERS: dict[tuple[str, str], Send] = {
    ("reasons", "code"): add_reason,
    ("user_statuses", "code"): add_user_status,
    ("attribute_keys", "key"): add_attribute_key,
    ("attribute_policies", "key"): set_policy,
    ("activity_attributes", "key"): ask_for_attribute,
    ("task_result_types", "code"): put_result_types,
    ("commerces", "external_id"): sync,
    ("commerce_users", "external_id"): add_user,
    ("scheduled_activities", "idempotency_key"): create_with_key,
    ("scheduled_activities", "reason_code"): create_with_reason,
    ("activity_results", "provider_activity_id"): report_result,
    ("scheduled_activities", "executor"): claim_as,
}


def drawn(first: int, last: int, length: int) -> str:
    """A text that can't be compressed, as PostgreSQL would try before it refuses an entry."""
    choose = random.Random(first)
    return "".join(chr(choose.randint(first, last)) for _ in range(length))


LONGEST = {
    "1,000 CJK": drawn(0x4E00, 0x9FA5, 1000),
    "1,000 emoji": drawn(0x1F300, 0x1F5FF, 1000),
    "1,000 of 4 bytes": drawn(0x20000, 0x2A6DF, 1000),
    "200 of 4 bytes": drawn(0x20000, 0x2A6DF, 200),
    "1,000 ASCII": "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1000)),
    "1,000 that become 18,000": "\ufdfa" * 1000,
}


@pytest.mark.parametrize("column", SENDERS, ids=".".join)
async def test_the_longest_text_of_an_indexed_column_is_never_a_defect(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, column: tuple[str, str]
) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(text("DELETE FROM reasons WHERE tenant_id = :t"), {"t": tenant.id})
        if column[1] in {"provider_activity_id", "executor"}:
            await insert_rows(connection, tenant.id, len(LONGEST))
    answers: dict[str, Any] = {}
    for name, value in LONGEST.items():
        answer = await SENDERS[column](http, value)
        answers[name] = answer.status_code if answer.status_code >= 300 else 200
        assert answer.status_code in {200, 201, 202, 400}, (name, answer.text)
        if answer.status_code == 400:
            assert answer.json()["code"] in {"validation_failed", "unknown_attribute_key"}, answer.text
    if column in {("scheduled_activities", "reason_code"), ("commerces", "external_id")}:
        assert set(answers.values()) == {200}
    if column == ("activity_results", "provider_activity_id"):
        assert answers["1,000 ASCII"] == answers["200 of 4 bytes"] == 200


async def test_no_indexed_column_is_left_out(service: Service) -> None:
    """A new index over a text has to be added to `SENDERS`, or to what only this service writes."""
    statement = text(
        """
        SELECT DISTINCT c.relname, a.attname
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND a.atttypid IN ('text'::regtype, 'varchar'::regtype)
            AND c.relname <> 'alembic_version'
        """
    )
    async with service.database.autocommit.connect() as connection:
        indexed = {(row.relname, row.attname) for row in await connection.execute(statement)}
    assert indexed == SENDERS.keys() | WRITTEN_BY_US
