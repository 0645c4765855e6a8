"""Test migrations under load, behind a lock, and on a schema that is newer than the code."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from temporalio.client import Client

from db import migrations
from db.engine import Database, open_database
from embedded.postgres import Postgres
from tests.support.deployed import deployed
from tests.support.service import until_ready
from tests.support.worlds import idle_service, new_database, new_namespace

REVISIONS = [one.revision for one in ScriptDirectory(migrations.__path__[0]).walk_revisions()][::-1]
WAITING = "a migration waits, retrying"

DUMMY = """
from alembic import op
revision, down_revision, oldest_code = "dummy", {head!r}, {oldest!r}
branch_labels = depends_on = None
def upgrade():
    if "CONCURRENTLY" in {statement!r}:
        with op.get_context().autocommit_block():
            op.execute({statement!r})
    else:
        op.execute({statement!r})
def downgrade():
    pass
"""
ADDS_COLUMN = "ALTER TABLE scheduled_activities ADD COLUMN dummy integer"
BUILDS_INDEX = "CREATE INDEX CONCURRENTLY dummy ON scheduled_activities (run_id)"

FILL = """
INSERT INTO commerces (tenant_id, external_id, name) SELECT t.id, 'c' || n, 'C' FROM t, generate_series(1, 20) n;
INSERT INTO commerce_users (tenant_id, commerce_id, external_id, name)
    SELECT tenant_id, id, 'u' || n, 'U' FROM commerces, generate_series(1, 5) n;
INSERT INTO scheduled_activities (tenant_id, commerce_id, idempotency_key, type, channel, reason_code, reason_label,
        status, scheduled_at, request, run_id)
    SELECT tenant_id, id, id || '-' || n, 'MESSAGE', 'WHATSAPP', 'r', 'R', 'READY', now() + n * interval '1 hour', '{}',
        'r' FROM commerces, generate_series(1, 250) n;
INSERT INTO status_events (tenant_id, activity_id, event_key, event_type, from_status, to_status, occurred_at)
    SELECT tenant_id, id, 'k' || n, CASE n WHEN 1 THEN 'CREATED' ELSE 'RESCHEDULED' END,
        CASE n WHEN 1 THEN NULL ELSE 'READY' END, 'READY', now() - n * interval '1 minute'
    FROM scheduled_activities, generate_series(1, 3) n;
INSERT INTO target_users (tenant_id, activity_id, status, strategy)
    SELECT tenant_id, id, 'PENDING', 'ON_DISPATCH' FROM scheduled_activities;
INSERT INTO attribute_keys (tenant_id, key, label) SELECT id, 'k', 'K' FROM t;
INSERT INTO activity_attributes (tenant_id, activity_id, key, position, resolver_type, status)
    SELECT tenant_id, id, 'k', 0, 'CLIENT_HOOK', 'PENDING' FROM scheduled_activities;
INSERT INTO activity_results (tenant_id, activity_id, attempt, occurred_at, status, hard_override, fingerprint,
        from_status, to_status, actor)
    SELECT tenant_id, id, 1, now(), 'COMPLETED', false, 'f', 'DUE', 'COMPLETED', 'a' FROM scheduled_activities;
INSERT INTO contact_log (tenant_id, commerce_id, commerce_user_id, channel, contacted_at)
    SELECT tenant_id, commerce_id, id, 'SMS', now() - n * interval '1 day'
    FROM commerce_users, generate_series(1, 30) n;
INSERT INTO bulk_operations (tenant_id, verb, change, filter, actor, per_second, state)
    SELECT id, 'cancel', '{}', '{}', 'a', 10, 'COMPLETED' FROM t;
INSERT INTO bulk_operation_items (tenant_id, operation_id, position, activity_id, scheduled_at, outcome)
    SELECT a.tenant_id, o.id, row_number() OVER (), a.id, a.scheduled_at, 'APPLIED'
    FROM bulk_operations o JOIN scheduled_activities a USING (tenant_id);
"""
"""Rows of the first schema: 5,000 activities with all that belongs to them."""

LOAD = {
    "read": "SELECT count(*) FROM (SELECT id, status FROM scheduled_activities ORDER BY scheduled_at LIMIT 20) few",
    "read the trail": "SELECT count(*) FROM (SELECT event_key FROM status_events LIMIT 20) few",
    "create": """
        INSERT INTO scheduled_activities (tenant_id, commerce_id, idempotency_key, type, channel, reason_code,
            reason_label, status, scheduled_at, request, run_id)
        SELECT tenant_id, id, gen_random_uuid(), 'TASK', 'SMS', 'r', 'R', 'READY', now(), '{}', 'r'
        FROM commerces LIMIT 1
        """,
    "change": """
        WITH changed AS (UPDATE scheduled_activities SET version = version + 1
            WHERE id = (SELECT id FROM scheduled_activities OFFSET floor(random() * 1000) LIMIT 1
                FOR UPDATE SKIP LOCKED)
            RETURNING tenant_id, id)
        INSERT INTO status_events (tenant_id, activity_id, event_key, event_type, from_status, to_status)
        SELECT tenant_id, id, gen_random_uuid(), 'RESCHEDULED', 'READY', 'READY' FROM changed
        """,
    "contact": """
        INSERT INTO contact_log (tenant_id, commerce_id, commerce_user_id, channel, contacted_at)
        SELECT tenant_id, commerce_id, id, 'SMS', now() FROM commerce_users LIMIT 1
        """,
}
"""Statements of the code of the first schema, which go on while a newer one is migrated to."""


def dummy_config(folder: Path, url: str, oldest: str, statement: str = "SELECT 1") -> Config:
    """Return the configuration of a database with one more migration than the code has."""
    folder.mkdir()
    (folder / "dummy.py").write_text(DUMMY.format(head=REVISIONS[-1], oldest=oldest, statement=statement))
    config = migrations.alembic_config(url)
    config.set_main_option("version_locations", f"{migrations.__path__[0]}/versions:{folder}")
    config.set_main_option("path_separator", ":")
    return config


@asynccontextmanager
async def load(database: Database, done: Counter[str]) -> AsyncIterator[None]:
    """Execute statements without pause until the block ends; one that fails or waits too long fails the block."""

    async def repeat(name: str) -> None:
        while True:
            async with database.autocommit.connect() as connection:
                await connection.execute(text(LOAD[name]))
            done[name] += 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(repeat(name)) for name in LOAD]
        yield
        for task in tasks:
            task.cancel()


async def until_all_go_on(done: Counter[str]) -> None:
    """Wait until each of the statements has been executed once more."""
    before = dict(done)
    async with asyncio.timeout(60):
        while any(done[name] <= before.get(name, 0) for name in LOAD):
            await asyncio.sleep(0.02)


async def test_each_migration_is_applied_to_full_tables_while_the_older_code_works_on(postgres: Postgres) -> None:
    name = f"world-{uuid4()}"
    postgres.create_database(name)
    config = migrations.alembic_config(postgres.url(name))
    command.upgrade(config, REVISIONS[0])
    with postgres.connect(name) as connection:
        connection.execute("CREATE TEMPORARY TABLE t AS SELECT gen_random_uuid() AS id FROM generate_series(1, 1)")
        connection.execute(FILL.encode())
    done: Counter[str] = Counter()
    database = open_database(postgres.url(name))
    async with load(database, done):
        for revision in REVISIONS[1:]:
            await until_all_go_on(done)
            await asyncio.to_thread(command.upgrade, config, revision)
        await until_all_go_on(done)
    await database.dispose()
    await asyncio.to_thread(command.check, config)


async def test_a_migration_behind_a_long_transaction_retries_and_holds_up_no_reader(
    postgres: Postgres, tmp_path: Path, log: StringIO
) -> None:
    url = new_database(postgres)
    name = str(make_url(url).database)
    config = dummy_config(tmp_path / "versions", url, REVISIONS[-1], ADDS_COLUMN)
    database = open_database(url)
    with postgres.connect(name) as holder, holder.transaction():
        holder.execute("SELECT count(*) FROM scheduled_activities")
        migrating = asyncio.create_task(asyncio.to_thread(command.upgrade, config, "dummy"))
        async with asyncio.timeout(60):
            while WAITING not in log.getvalue():
                await read(database)
        for _ in range(20):  # through further attempts
            await read(database)
            await asyncio.sleep(0.2)
        assert not migrating.done()
    async with asyncio.timeout(60):
        await migrating
    assert log.getvalue().count(WAITING) == 1
    with postgres.connect(name) as connection:
        assert connection.execute("SELECT dummy FROM scheduled_activities").fetchall() == []
    await database.dispose()


async def test_a_concurrent_build_waits_without_limit_and_holds_up_no_statement(
    postgres: Postgres, tmp_path: Path, log: StringIO
) -> None:
    url = new_database(postgres)
    config = dummy_config(tmp_path / "versions", url, REVISIONS[-1], BUILDS_INDEX)
    name = str(make_url(url).database)
    with postgres.connect(name) as holder, holder.transaction(), postgres.connect(name) as other:
        holder.execute("LOCK TABLE scheduled_activities IN ROW EXCLUSIVE MODE")
        migrating = asyncio.create_task(asyncio.to_thread(command.upgrade, config, "dummy"))
        async with asyncio.timeout(60):
            while not other.execute("SELECT 1 FROM pg_stat_progress_create_index WHERE lockers_total > 0").fetchone():
                await asyncio.sleep(0.05)
        for _ in range(15):  # for longer than the lock time-out of other statements
            other.execute("SET lock_timeout = '1s'; UPDATE scheduled_activities SET version = version")
            await asyncio.sleep(0.2)
        assert not migrating.done()
    async with asyncio.timeout(60):
        await migrating
    assert WAITING not in log.getvalue()


async def test_of_two_migrations_at_once_one_waits_for_the_other(
    postgres: Postgres, tmp_path: Path, log: StringIO
) -> None:
    url = new_database(postgres)
    config = dummy_config(tmp_path / "versions", url, REVISIONS[-1], ADDS_COLUMN)
    with postgres.connect(str(make_url(url).database)) as holder:
        holder.execute("SELECT pg_advisory_lock(hashtext('alembic_version'))")
        migrating = asyncio.create_task(asyncio.to_thread(command.upgrade, config, "dummy"))
        async with asyncio.timeout(60):
            while WAITING not in log.getvalue():
                await asyncio.sleep(0.05)
        assert not migrating.done()
    async with asyncio.timeout(60):
        await migrating
    assert "another process that migrates" in log.getvalue()


async def read(database: Database) -> None:
    """Read the table that the migration changes."""
    async with database.autocommit.connect() as connection:
        await connection.execute(text("SELECT count(*) FROM scheduled_activities"))


def newer_schema(postgres: Postgres, folder: Path, oldest: str) -> str:
    """Return the URL of a database whose schema is newer than the code."""
    url = new_database(postgres)
    command.upgrade(dummy_config(folder / "versions", url, oldest), "dummy")
    return url


async def test_a_process_starts_on_a_newer_schema_that_works_with_its_code(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    namespace = await new_namespace(temporal)
    url = newer_schema(postgres, tmp_path, REVISIONS[-1])
    with (
        deployed("worker", url, namespace, tmp_path) as worker,
        deployed("api", url, namespace, tmp_path) as api,
    ):
        await asyncio.to_thread(worker.wait_for_log, '"event": "working"')
        await api.until_readiness(200)


async def test_a_process_refuses_a_newer_schema_that_needs_newer_code(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    url = newer_schema(postgres, tmp_path, "dummy")
    with (
        deployed("worker", url, temporal, tmp_path) as worker,
        deployed("api", url, temporal, tmp_path) as api,
    ):
        for one in (worker, api):
            assert await asyncio.to_thread(one.process.wait, 120) == 1
            (told,) = [line for line in one.log().splitlines() if "schema" in line]
            assert told == (
                "the database's schema is at dummy and works with versions from dummy on,"
                f" this version has {REVISIONS[-1]}: deploy a newer version"
            )
            assert "Traceback" not in one.log()


@pytest.mark.parametrize("is_compatible", [True, False])
async def test_a_running_api_is_ready_while_its_code_works_with_the_schema(
    postgres: Postgres, temporal: Client, tmp_path: Path, *, is_compatible: bool
) -> None:
    async with idle_service(postgres, temporal) as service, service.client(uuid4()) as http:
        await until_ready(http)
        url = service.database.url.render_as_string(hide_password=False)
        config = dummy_config(tmp_path / "versions", url, REVISIONS[-1] if is_compatible else "dummy")
        await asyncio.to_thread(command.upgrade, config, "dummy")
        if is_compatible:
            await until_ready(http)
        else:
            async with asyncio.timeout(60):
                while "schema" not in (seen := await http.get("/health/ready")).json()["missing"].get("postgresql", ""):
                    await asyncio.sleep(0.1)
            assert seen.status_code == 503


def test_the_oldest_code_follows_the_schema_up_and_down(postgres: Postgres) -> None:
    url = new_database(postgres)
    config = migrations.alembic_config(url)
    scripts = {one.revision: one.module for one in ScriptDirectory(migrations.__path__[0]).walk_revisions()}
    for migrate, revision in ((command.downgrade, REVISIONS[0]), (command.upgrade, REVISIONS[-1])):
        migrate(config, revision)
        with postgres.connect(str(make_url(url).database)) as connection:
            stored = connection.execute("SELECT version_num, oldest_code FROM alembic_version").fetchall()
        assert stored == [(revision, scripts[revision].oldest_code)]
