"""Test that the entries and names that PostgreSQL selects lead to the decision of the whole catalogue."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.catalogues import MOST_COMPARED, read_similar_keys, read_similar_names
from db.facts import REASON_FACTS, read_attribute_facts, read_reason_facts
from db.models import AttributeKey, Reason, UserStatus
from db.name_keys import find_name_key
from db.roles import WORKER
from db.tenant import acting_for
from tests.support.builders import Tenant, contract_example
from tests.support.plans import nodes, planning_as
from tests.support.service import Service
from workflows.messages import RejectedError, Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.resolution import choose_attributes, match_reason
from workflows.resolution.facts import CataloguedKey, CatalogueEntry, ReasonFacts

WORDS = (
    "visit",
    "Visita",
    "VISITÁ",
    "monthly promotion",
    "Monthly-Promotion",
    "monthly",
    "promo",
    "a b",
    "a_b",
    "ñandú",
)
CODES = ("a_b", "a-b", "a.b", "visit", "visita", "promo", "Promo", "monthly_promotion", "x1", "x2", "x3")


def catalogue(random: Random) -> list[dict[str, Any]]:
    """A few entries that share many names."""
    return [
        {
            "code": code,
            "label": random.choice(WORDS),
            "aliases": random.sample(WORDS, random.randint(0, 3)),
            "is_active": random.random() < 0.7,
        }
        for code in random.sample(CODES, random.randint(0, len(CODES)))
    ]


def decide(decision: Callable[..., Any], facts: Any) -> Any:
    """Return the decision, or the rejection."""
    try:
        return decision(facts)
    except RejectedError as rejected:
        return rejected.rejection


def resolve(tenant_id: UUID, **changes: Any) -> Resolve:
    """A creation of a tenant that has nothing but its catalogues."""
    request = ScheduledActivityRequest.model_validate(contract_example(**changes))
    return Resolve(scheduled=ScheduledActivityInput(id=uuid4(), tenant_id=tenant_id, request=request))


async def insert_entries(
    connection: AsyncConnection, table: type[Reason | UserStatus], tenant_id: UUID, entries: list[dict[str, Any]]
) -> None:
    if entries:
        await connection.execute(insert(table), [{"tenant_id": tenant_id, **entry} for entry in entries])


@pytest.mark.parametrize("seed", range(60))
async def test_a_text_means_what_it_means_in_the_whole_catalogue(service: Service, seed: int) -> None:
    """Of several entries the chosen one, the others that are named, and the suggestions are the same."""
    random, tenant_id, other_id = Random(seed), uuid4(), uuid4()
    reasons, statuses = catalogue(random), catalogue(random)
    reason = random.choice((*WORDS, *CODES, "visti", "promotion", "unheard of"))
    user_status = random.choice((None, *WORDS, *CODES, "visti"))
    with acting_for(tenant_id):
        async with service.database.transactions.connect() as connection:
            await insert_entries(connection, Reason, tenant_id, reasons)
            await insert_entries(connection, UserStatus, tenant_id, statuses)
            await insert_entries(connection, Reason, other_id, catalogue(random))
            asked = resolve(tenant_id, reason=reason, user_status=user_status)
            facts = await read_reason_facts(connection, asked)
            await connection.rollback()

    whole = ReasonFacts(
        reason=reason,
        user_status=user_status,
        reasons=tuple(CatalogueEntry.model_validate(entry) for entry in reasons),
        user_statuses=tuple(CatalogueEntry.model_validate(entry) for entry in statuses),
    )
    assert decide(match_reason, facts) == decide(match_reason, whole)


@pytest.mark.parametrize("seed", range(20))
async def test_keys_are_known_and_suggested_as_in_the_whole_catalogue(service: Service, seed: int) -> None:
    random, tenant_id = Random(seed), uuid4()
    known = random.sample(CODES, random.randint(0, len(CODES)))
    asked = random.sample((*CODES, "monthly", "commerce_info"), random.randint(1, 3))
    values = [{"key": key, "value": 1} for key in random.sample(CODES, 2) if key not in asked]
    async with service.database.transactions.connect() as connection:
        keys = [{"tenant_id": tenant_id, "key": key, "label": key} for key in (*known, "commerce_info")]
        await connection.execute(insert(AttributeKey), keys)
        facts = await read_attribute_facts(connection, resolve(tenant_id, attribute_keys=asked, attributes=values))
        await connection.rollback()

    catalogue_of_all = tuple(CataloguedKey(key=key) for key in (*known, "commerce_info"))
    whole = facts.model_copy(update={"catalogue": catalogue_of_all, "similar_keys": None})
    assert len(facts.catalogue) <= len(asked) + len(values)
    assert decide(choose_attributes, facts) == decide(choose_attributes, whole)


async def test_a_text_is_found_by_an_index_and_few_entries_are_read(service: Service, tenant: Tenant) -> None:
    """Also if the planner takes the tenant for a small one, and all entries have the same alias."""
    entries = [
        {"code": f"c{n}", "label": f"Label {n}", "aliases": ["the same", f"alias {n}"], "is_active": n % 2 == 0}
        for n in range(1_000)
    ]
    key = find_name_key(tenant.id, "label 700")
    asked = {
        "tenant_id": tenant.id,
        "reason": "label 700",
        "reason_key": key,
        "with_user_status": True,
        "user_status": "label 700",
        "user_status_key": key,
    }
    with acting_for(tenant.id):
        async with service.database.transactions.connect() as connection:
            for _ in range(8):
                await insert_entries(connection, Reason, uuid4(), entries[:300])
            await insert_entries(connection, Reason, tenant.id, entries)
            await connection.execute(text("ANALYZE reasons"))
            await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
            statement = REASON_FACTS.compile(dialect=connection.dialect)
            async with planning_as(connection, tenant.id, WORKER):
                explained = await connection.exec_driver_sql(
                    f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", statement.construct_params(asked)
                )
                plan = explained.scalar_one()[0]["Plan"]
            common = await read_reason_facts(connection, resolve(tenant.id, reason="The Same"))
            await connection.rollback()

    scans = [node for node in nodes(plan) if node.get("Relation Name") == "reasons"]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= 2
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 40
    assert [(entry.code, entry.aliases) for entry in common.reasons] == [
        (code, ("the same",)) for code in ("c0", "c10", "c100", "c102")
    ]


async def test_at_most_two_hundred_names_are_compared_with_a_text_that_means_nothing(
    service: Service, tenant: Tenant
) -> None:
    entries = [{"code": f"c{n}", "label": f"Label {n} " * 30, "aliases": [f"alias {n}"]} for n in range(1_000)]
    keys = [{"tenant_id": tenant.id, "key": f"key_{n}", "label": "K"} for n in range(1_000)]
    async with service.database.transactions.connect() as connection:
        await insert_entries(connection, Reason, tenant.id, entries)
        await connection.execute(insert(AttributeKey), keys)
        names = await read_similar_names(connection, Reason, tenant.id, "alais 512")
        similar = await read_similar_keys(connection, tenant.id, "kye_512")
        rejection = decide(match_reason, await read_reason_facts(connection, resolve(tenant.id, reason="alais 512")))
        await connection.rollback()

    assert len(names) == len(similar) == MOST_COMPARED
    assert max(len(one.name) for one in names) <= 100
    assert "c512" in rejection.detail
    assert "key_512" in similar


async def test_a_creation_reads_its_facts_by_one_statement_and_suggestions_by_another(
    service: Service, http: httpx.AsyncClient
) -> None:
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM reasons" in statement:
            statements.append(statement)

    engine = service.roles.worker.autocommit.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        created = await http.post("/api/activities", json=contract_example())
        of_creation = len(statements)
        unknown = await http.post("/api/activities", json=contract_example(reason="unheard of"))
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert (created.status_code, unknown.status_code) == (201, 400)
    assert of_creation == 1
    assert len(statements) == of_creation + 2
