"""Test that no default of the server, the database or the role changes what the service does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import make_url, text
from temporalio.client import Client

from db.engine import open_database
from db.migrations import alembic_config
from db.sessions import DEFAULTS, FIXED, LIMITS, connect_arguments
from embedded.postgres import Postgres
from tests.support.activities import trail
from tests.support.builders import contract_example
from tests.support.hand_off import claim
from tests.support.service import Service, running_service, until
from tests.support.worlds import new_database, new_namespace

HOSTILE = {
    "synchronous_commit": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "America/St_Johns",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "client_min_messages": "debug5",
    "exit_on_error": "on",
    "gin_fuzzy_search_limit": "1",
    "transform_null_equals": "on",
    "row_security": "off",
    "app.tenant_id": "00000000-0000-4000-8000-000000000001",
    "search_path": "elsewhere",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "transaction_timeout": "1ms",
}
"""Defaults that a server may have. Most would break something if sessions took them."""
HARMLESS = {"bytea_output", "client_min_messages", "default_transaction_deferrable"}
"""Those that sessions take, because nothing depends on them."""


def alter_defaults(postgres: Postgres, database: str | None, settings: dict[str, str]) -> None:
    """Set the defaults of a database."""
    assert database
    with postgres.connect() as connection:
        for name, value in settings.items():
            statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
            words = [sql.SQL(word) for word in value.split(", ")] if ", " in value else [sql.Literal(value)]
            values = sql.SQL(", ").join(words)
            connection.execute(statement.format(sql.Identifier(database), sql.Identifier(name), values))


@asynccontextmanager
async def hostile_service(postgres: Postgres, temporal: Client, settings: dict[str, str]) -> AsyncIterator[Service]:
    """Run the service in a database with these defaults."""
    url = new_database(postgres)
    alter_defaults(postgres, make_url(url).database, settings)
    async with running_service(url, await new_namespace(temporal)) as service:
        yield service


async def test_a_whole_life_is_the_same_with_every_hostile_default(postgres: Postgres, temporal: Client) -> None:
    async with hostile_service(postgres, temporal, HOSTILE) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            label = "Ñandú \\ 🦙 €"
            reason = {"code": "llama", "label": label, "aliases": ["NULL", "\\"]}
            assert (await http.post("/api/activity-config/reasons", json=reason)).status_code == 201
            due_at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat(timespec="milliseconds")
            waiting = asyncio.create_task(claim(http, wait_seconds=20))
            created = await http.post("/api/activities", json=contract_example(scheduled_at=due_at, reason=label))
            assert (created.status_code, created.json()["status"]) == (201, "READY"), created.text
            assert created.json()["reason"] == {"code": "llama", "label": label}
            assert created.json()["scheduledAt"] == due_at.replace("+00:00", "Z")
            (taken,) = await waiting
            result = {"activity_id": taken["id"], "lease_token": taken["leaseToken"], "status": "COMPLETED"}
            answer = await http.post("/api/activity-results/tasks", json=result | {"occurred_at": due_at})
            assert answer.status_code == 201, answer.text
            done = await until(http, created.headers["Location"], "COMPLETED")
            assert done["scheduledAt"] == created.json()["scheduledAt"]
            assert [to for _, _, to in await trail(http, taken["id"])] == ["READY", "DUE", "DISPATCHED", "COMPLETED"]


EXPECTED = {**DEFAULTS, **LIMITS, **FIXED, "client_encoding": "UTF8"}


@pytest.mark.parametrize("query", ["", "&client_encoding=latin1&options=-c%20synchronous_commit%3Doff"])
async def test_every_session_sets_what_correctness_rests_on(postgres: Postgres, query: str) -> None:
    url = new_database(postgres)
    alter_defaults(postgres, make_url(url).database, HOSTILE)
    assert HOSTILE.keys() - EXPECTED.keys() == HARMLESS
    database = open_database(url + query)
    listener = await psycopg.AsyncConnection.connect(**connect_arguments(make_url(url + query)))
    async with database.transactions.connect() as one, database.autocommit.connect() as other, listener:
        for name, expected in EXPECTED.items():
            show = f"SELECT replace(current_setting('{name}'), ' ', '')"
            for connection in (one, other):
                assert (await connection.execute(text(show))).scalar_one() == expected.replace(" ", ""), name
            if name not in LIMITS:
                assert await (await listener.execute(show.encode())).fetchone() == (expected.replace(" ", ""),), name
    await database.dispose()


def test_migrations_are_the_same_with_every_hostile_default(postgres: Postgres) -> None:
    name = f"world-{uuid4()}"
    postgres.create_database(name)
    alter_defaults(postgres, name, HOSTILE)
    config = alembic_config(postgres.url(name))
    command.upgrade(config, "head")
    command.check(config)
