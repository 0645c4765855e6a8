"""Test the statements of resolution: their number doesn't grow with the users, and each uses an index."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, text

from activities_impl.resolution import Resolution
from db.facts import TARGET_FACTS
from db.models import CommerceUser, ContactLogEntry
from db.roles import WORKER
from db.tenant import acting_for
from tests.support.builders import COMMERCE_ID, Tenant, contract_example
from tests.support.plans import nodes, planning_as
from tests.support.service import Service
from workflows.messages import Resolve, ScheduledActivityInput, ScheduledActivityRequest
from workflows.words import ResolutionMoment


def resolve(tenant: Tenant, moment: ResolutionMoment, **changes: Any) -> Resolve:
    request = ScheduledActivityRequest.model_validate(contract_example(**changes))
    return Resolve(scheduled=ScheduledActivityInput(id=uuid4(), tenant_id=tenant.id, request=request), moment=moment)


@contextmanager
def counted(service: Service) -> Iterator[list[str]]:
    """The statements of this block."""
    engine = service.roles.worker.autocommit.sync_engine
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM commerce_users" in statement or "FROM attribute_keys" in statement or "FROM reasons" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def add_crowd(service: Service, tenant: Tenant, size: int, contacts: int = 1) -> None:
    """Owners of the commerce, each contacted often."""
    ids = [uuid4() for _ in range(size)]
    users = [
        {
            "tenant_id": tenant.id,
            "id": user,
            "commerce_id": COMMERCE_ID,
            "external_id": str(user),
            "name": "N",
            "roles": ["OWNER"],
            "contacts": [{"contact_type": "PHONE", "value": "+5491123456789", "is_primary": True}],
        }
        for user in ids
    ]
    log = [
        {
            "tenant_id": tenant.id,
            "commerce_id": COMMERCE_ID,
            "commerce_user_id": user,
            "channel": "SMS",
            "contacted_at": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute),
        }
        for user in ids
        for minute in range(contacts)
    ]
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(CommerceUser), users)
        await connection.execute(insert(ContactLogEntry), log)


@pytest.mark.parametrize("size", [1, 300])
@pytest.mark.parametrize("moment", list(ResolutionMoment))
async def test_each_step_takes_one_statement_however_many_candidates_there_are(
    service: Service, tenant: Tenant, size: int, moment: ResolutionMoment
) -> None:
    await add_crowd(service, tenant, size)
    asked = resolve(tenant, moment, user_status="active", attribute_keys=["commerce_info"], channel="SMS")

    with acting_for(tenant.id), counted(service) as statements:
        steps = Resolution(service.roles.worker)
        await steps.resolve_reason(asked)
        await steps.resolve_target(asked)
        await steps.resolve_attributes(asked)

    assert len(statements) == 3


async def test_a_creation_without_attributes_asks_nothing_about_them(service: Service, tenant: Tenant) -> None:
    with acting_for(tenant.id), counted(service) as statements:
        found = await Resolution(service.roles.worker).resolve_attributes(
            resolve(tenant, ResolutionMoment.CREATION, attribute_keys=[])
        )

    assert (found.attributes, statements) == ((), [])


async def test_the_last_contact_is_found_at_the_end_of_an_index_however_long_the_log_is(
    service: Service, tenant: Tenant
) -> None:
    await add_crowd(service, tenant, 3, contacts=5_000)
    asked = {
        "tenant_id": tenant.id,
        "activity_id": uuid4(),
        "commerce_id": COMMERCE_ID,
        "scheduled_at": datetime.now(UTC),
        "after_creation": False,
        "channel": "SMS",
        "type": "TASK",
    }
    async with service.database.transactions.connect() as connection:
        await connection.execute(text("ANALYZE contact_log"))
        statement = TARGET_FACTS.compile(dialect=connection.dialect)
        async with planning_as(connection, tenant.id, WORKER):
            plan = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", statement.construct_params(asked)
            )
        looks = [node for node in nodes(plan.scalar_one()[0]["Plan"]) if node.get("Relation Name") == "contact_log"]

    assert looks
    assert {node["Node Type"] for node in looks} <= {"Index Only Scan", "Index Scan"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in looks) < 100
