"""Test that the users whom PostgreSQL selects lead to the decision that all users of the commerce would lead to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.facts import TARGET_FACTS, read_target_facts
from db.models import Commerce, CommerceUser, ContactLogEntry
from db.roles import WORKER
from tests.support.builders import contract_example
from tests.support.plans import WITHOUT_LIMITS, nodes, planning_as
from tests.support.service import Service
from workflows.messages import Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.resolution import choose_target
from workflows.resolution.explanations import TargetExplanation
from workflows.words import Channel, ContactType, Role

TENANT, COMMERCE = uuid4(), uuid4()
NEEDED = {
    "WHATSAPP": {"WHATSAPP", "PHONE"},
    "SMS": {"PHONE"},
    "CALLCENTER": {"PHONE"},
    "EMAIL": {"EMAIL"},
    "SALESMAN": None,
    "PUSH": None,
}
ORDER = ["ANOTHER_CAME_FIRST", "INACTIVE", "UNREACHABLE", "CONTACTED_TOO_LONG_AGO", "NEVER_CONTACTED", "OTHER_ROLE"]
LISTED = 20


@dataclass(frozen=True)
class Person:
    """A user of the commerce, and the days since each contact by its channel."""

    id: UUID
    roles: list[str]
    contact_types: list[str]
    is_active: bool
    contacts: list[tuple[str, int]]


def people(random: Random, number: int) -> list[Person]:
    """Users of which many share a role, a nearness and a time of contact."""
    roles, types = random.sample(list(Role), 3), random.sample(list(ContactType), 2)
    return [
        Person(
            id=UUID(int=random.getrandbits(128)),
            roles=random.sample(roles, random.choice((0, 1, 1, 2))),
            contact_types=random.sample(types, random.randint(0, 2)),
            is_active=random.random() < 0.5,
            contacts=list(
                {(random.choice(list(Channel)).value, random.randint(1, 40)) for _ in range(random.randint(0, 2))}
            ),
        )
        for _ in range(number)
    ]


def criteria(random: Random) -> list[dict[str, Any]]:
    """A few criteria of each type."""
    made: list[dict[str, Any]] = []
    for _ in range(random.randint(0, 5)):
        if random.random() < 0.4:
            made.append({"type": "ROLE_MATCH", "config": {"role": random.choice(list(Role)).value}})
        else:
            kind = random.choice(("LAST_CONTACTED_ALL_CHANNELS", "LAST_CONTACTED_SAME_CHANNEL"))
            made.append({"type": kind, "config": random.choice(({}, {"within_days": random.randint(1, 40)}))})
    return made


async def insert_people(connection: AsyncConnection, everyone: list[Person], now: datetime) -> None:
    """The commerce of this example alone; the test rolls it back."""
    owned = {"tenant_id": TENANT, "commerce_id": COMMERCE}
    await connection.execute(insert(Commerce).values(tenant_id=TENANT, id=COMMERCE, external_id="c", name="C"))
    users = [
        owned
        | {"id": one.id, "external_id": str(one.id), "name": "N", "roles": one.roles, "is_active": one.is_active}
        | {"contacts": [{"contact_type": kind, "value": "x", "is_primary": False} for kind in one.contact_types]}
        for one in everyone
    ]
    log = [
        owned | {"commerce_user_id": one.id, "channel": channel, "contacted_at": now - timedelta(days=days, seconds=9)}
        for one in everyone
        for channel, days in one.contacts
    ]
    if users:
        await connection.execute(insert(CommerceUser), users)
    if log:
        await connection.execute(insert(ContactLogEntry), log)


def last_contact(one: Person, criterion: dict[str, Any], channel: str) -> float:
    """Return the days since the last contact that the criterion counts."""
    counts = [channel] if criterion["type"] == "LAST_CONTACTED_SAME_CHANNEL" else list(Channel)
    return min((days for on, days in one.contacts if on in counts), default=inf)


def verdict(one: Person, criterion: dict[str, Any], channel: str) -> str:
    """Judge a user by one criterion, by the rules of the documentation."""
    if criterion["type"] == "ROLE_MATCH":
        if criterion["config"]["role"] not in one.roles:
            return "OTHER_ROLE"
    elif (last := last_contact(one, criterion, channel)) >= criterion["config"].get("within_days", inf):
        return "NEVER_CONTACTED" if last == inf else "CONTACTED_TOO_LONG_AGO"
    if not one.is_active:
        return "INACTIVE"
    needed = NEEDED[channel]
    return "ANOTHER_CAME_FIRST" if needed is None or needed & {*one.contact_types} else "UNREACHABLE"


def naive_trial(everyone: list[Person], channel: str, criterion: dict[str, Any]) -> list[tuple[UUID, str]]:
    """Judge all users by one criterion, and sort all of them."""
    judged = [(one, verdict(one, criterion, channel)) for one in everyone]
    judged.sort(key=lambda pair: (ORDER.index(pair[1]), last_contact(pair[0], criterion, channel), pair[0].id))
    ordered = [(one.id, found) for one, found in judged]
    return [(ordered[0][0], "TAKEN"), *ordered[1:]] if ordered and ordered[0][1] == ORDER[0] else ordered


def naive_trials(everyone: list[Person], channel: str, asked: list[dict[str, Any]]) -> list[list[tuple[UUID, str]]]:
    """Try the criteria and both fallbacks in turn, up to the first that finds a user."""
    fallbacks = [{"type": "ROLE_MATCH", "config": {"role": role}} for role in ("COMMERCE_REP", "OWNER")]
    tried = []
    for criterion in (*asked, *fallbacks):
        tried.append(naive_trial(everyone, channel, criterion))
        if tried[-1] and tried[-1][0][1] == "TAKEN":
            break
    return tried


@pytest.mark.parametrize("seed", range(80))
async def test_the_decision_and_its_explanation_are_those_of_all_users(service: Service, seed: int) -> None:
    random = Random(seed)
    everyone = people(random, random.choice((0, 1, 3, 25, 70, 150)))
    channel, asked = random.choice(list(Channel)).value, criteria(random)
    request = ScheduledActivityRequest.model_validate(
        contract_example(channel=channel, target_criteria=asked, commerce_id=str(COMMERCE))
    )
    async with service.database.transactions.connect() as connection:
        now = (await connection.execute(text("SELECT statement_timestamp()"))).scalar_one()
        await insert_people(connection, everyone, now)
        scheduled = ScheduledActivityInput(id=uuid4(), tenant_id=TENANT, request=request)
        facts = await read_target_facts(connection, Resolve(scheduled=scheduled))
        await connection.rollback()

    target = choose_target(facts)

    explained = TargetExplanation.model_validate(target.explanation)
    trials = [*explained.criteria, *explained.fallbacks]
    expected = naive_trials(everyone, channel, asked)
    seen = [[(one.commerce_user_id, one.verdict.value) for one in trial.candidates] for trial in trials]
    assert seen == [judged[:LISTED] for judged in expected]
    assert [trial.more_candidates for trial in trials] == [max(0, len(everyone) - LISTED)] * len(trials)
    taken = [user for judged in expected for user, verdict in judged if verdict == "TAKEN"]
    assert target.commerce_user_id == (taken[0] if taken else None)


@pytest.mark.parametrize("size", [1_000, 20_000])
async def test_the_users_of_a_commerce_are_read_once_and_few_of_them_are_returned(service: Service, size: int) -> None:
    """Each user costs its row and the ends of two indices, however many criteria and contacts there are."""
    asked = {
        "tenant_id": TENANT,
        "activity_id": uuid4(),
        "commerce_id": COMMERCE,
        "scheduled_at": datetime.now(UTC),
        "after_creation": False,
        "channel": "SMS",
        "type": "TASK",
        "reached_by": ["PHONE"],
    }
    fill = """
        INSERT INTO commerce_users (tenant_id, commerce_id, external_id, name, roles, contacts, is_active)
        SELECT :tenant, :commerce, n, 'N', ARRAY['OWNER'], '[{"contact_type" : "EMAIL"}]', n % 2 = 0
        FROM generate_series(1, :size) n
    """
    contacts = """
        INSERT INTO contact_log (tenant_id, commerce_id, commerce_user_id, channel, contacted_at)
        SELECT tenant_id, commerce_id, id, channel, now() - n * interval '1 day' - random() * interval '1 day'
        FROM commerce_users, unnest(ARRAY['SMS', 'EMAIL', 'PUSH']) channel, generate_series(1, 2) n
        WHERE tenant_id = :tenant
    """
    async with service.database.transactions.connect() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(WITHOUT_LIMITS)
        parameters = {"tenant": TENANT, "commerce": COMMERCE}
        await connection.execute(text(fill), parameters | {"size": size})
        await connection.execute(text(contacts), parameters)
        statement = TARGET_FACTS.compile(dialect=connection.dialect)
        async with planning_as(connection, TENANT, WORKER):
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", statement.construct_params(asked)
            )
        plan = explained.scalar_one()[0]["Plan"]
        row = (await connection.execute(TARGET_FACTS, asked)).mappings().one()
        await connection.rollback()

    touched = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    read = [node for node in nodes(plan) if node.get("Relation Name") == "commerce_users"]
    assert [(node["Actual Rows"], node["Actual Loops"]) for node in read] == [(size, 1)]
    assert touched <= 11 * size
    assert row["candidates_total"] == size
    assert len(row["candidates"]) <= 2 * 3 * LISTED + len(Role) * LISTED
