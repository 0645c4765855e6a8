"""Test that migrations create the models' tables, and that no row can refer to another tenant's."""

import os
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine, insert, inspect
from sqlalchemy.exc import IntegrityError, StatementError

from db.migrations import alembic_config
from db.models import Commerce, CommerceUser, ScheduledActivity, StatusEvent, Table, TargetUser
from embedded.postgres import Postgres
from embedded.signing_key import AUDIENCE, ISSUER
from embedded.stack import database_urls
from tests.support.builders import COMMERCE_ID, Tenant
from tests.support.deployed import PROGRAMS
from tests.support.programs import run_program
from tests.support.service import KEY, Service, url_of
from tests.support.worlds import new_database


def test_the_migrations_make_exactly_what_the_models_say(postgres: Postgres) -> None:
    command.check(alembic_config(new_database(postgres)))


def test_the_migrations_can_be_taken_back_and_made_again(postgres: Postgres) -> None:
    config = alembic_config(new_database(postgres))
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)


@pytest.mark.parametrize(("process", "state"), [("api", "empty"), ("api", "older"), ("worker", "older")])
def test_a_process_refuses_to_start_on_a_stale_schema_with_one_clear_line(
    postgres: Postgres, process: str, state: str
) -> None:
    url = new_database(postgres)
    command.downgrade(alembic_config(url), "base" if state == "empty" else "-1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")} | {
        **database_urls(process, partial(url_of, url)),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_PUBLIC_KEY": KEY.public_pem(),
        "API_PORT": "0",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
    }
    refused = run_program(PROGRAMS[process], environment=environment)
    assert refused.returncode != 0
    told = [line for line in refused.stderr.splitlines() if "schema" in line]
    assert len(told) == 1, refused.stderr
    assert "alembic upgrade head" in told[0]
    assert "Traceback" not in refused.stderr


@pytest.fixture(scope="module")
def schema(postgres: Postgres) -> str:
    return new_database(postgres)


@pytest.mark.parametrize("table", Table.metadata.sorted_tables, ids=str)
def test_the_tenant_leads_every_key_and_is_in_every_foreign_key(schema: str, table: object) -> None:
    engine = create_engine(schema)
    found = inspect(engine)
    name = str(table)
    assert found.get_pk_constraint(name)["constrained_columns"][0] == "tenant_id"
    for unique in found.get_unique_constraints(name):
        assert unique["column_names"][0] == "tenant_id"
    for foreign in found.get_foreign_keys(name):
        assert (foreign["constrained_columns"][0], foreign["referred_columns"][0]) == ("tenant_id", "tenant_id")
    engine.dispose()


@pytest.mark.parametrize(
    "columns",
    [["tenant_id", "idempotency_key"], ["tenant_id", "status", "scheduled_at"], ["tenant_id", "commerce_id"]],
    ids=str,
)
def test_what_is_asked_for_has_an_index(schema: str, columns: list[str]) -> None:
    engine = create_engine(schema)
    indices = [index["column_names"] for index in inspect(engine).get_indexes("scheduled_activities")]
    assert any(index[: len(columns)] == columns for index in indices), indices
    engine.dispose()


def activity(tenant_id: UUID, **changes: object) -> dict[str, object]:
    """A row as it is recorded."""
    return {
        "tenant_id": tenant_id,
        "id": uuid4(),
        "idempotency_key": str(uuid4()),
        "type": "TASK",
        "channel": "SMS",
        "commerce_id": COMMERCE_ID,
        "reason_code": "r",
        "reason_label": "r",
        "status": "READY",
        "scheduled_at": datetime(2031, 1, 1, tzinfo=UTC),
        "request": {},
        "run_id": "r",
    } | changes


async def test_no_row_can_point_into_another_tenant(service: Service, tenant: Tenant) -> None:
    other, commerce_id = await service.tenant(), uuid4()
    mine = activity(tenant.id)
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(Commerce).values(tenant_id=other.id, id=commerce_id, external_id="x", name="x"))
        await connection.execute(insert(ScheduledActivity).values(**mine))
    event = {"event_key": "k", "event_type": "CREATED", "to_status": "READY"}
    person = {"commerce_id": commerce_id, "external_id": "y", "name": "y"}
    target = {"activity_id": mine["id"], "status": "RESOLVED", "strategy": "MANUAL"}
    for statement in (
        insert(ScheduledActivity).values(**activity(tenant.id, commerce_id=commerce_id)),
        insert(CommerceUser).values(tenant_id=tenant.id, **person),
        insert(StatusEvent).values(tenant_id=other.id, activity_id=mine["id"], **event),
        insert(TargetUser).values(tenant_id=tenant.id, commerce_user_id=other.owner_id, **target),
        insert(TargetUser).values(tenant_id=other.id, **target),
    ):
        with pytest.raises(IntegrityError, match="foreign key"):
            async with service.database.transactions.begin() as connection:
                await connection.execute(statement)


@pytest.mark.parametrize("status", ["RESOLVING", "REJECTED", "NEW"])
async def test_a_status_that_is_never_stored_can_not_be(service: Service, tenant: Tenant, status: str) -> None:
    with pytest.raises(StatementError, match=r"check|not among the defined"):
        await record(service, activity(tenant.id, status=status))


async def record(service: Service, row: dict[str, object]) -> None:
    """Write it."""
    async with service.database.transactions.begin() as connection:
        await connection.execute(insert(ScheduledActivity).values(**row))


async def test_a_key_is_unique_in_its_tenant_alone(service: Service, tenant: Tenant) -> None:
    other = await service.tenant()
    for tenant_id in (tenant.id, other.id):
        await record(service, activity(tenant_id, idempotency_key="same"))
    with pytest.raises(IntegrityError, match="unique"):
        await record(service, activity(tenant.id, idempotency_key="same"))
