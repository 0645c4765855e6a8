"""Test that a start loads no large package that it doesn't need: each costs 50 ms or more, at every start."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACES = ("opentelemetry.sdk", "opentelemetry.instrumentation", "opentelemetry.exporter", "traces.tracing")
"""Loaded by need only; FastAPI itself imports `opentelemetry-api`."""
SERVERS = ("sqlalchemy", "psycopg", "alembic", "temporalio", "fastapi", "uvicorn", "structlog")
UNNEEDED = {
    "worker": ("alembic", "mako", "fastapi", "starlette", "uvicorn", "jwt", "cryptography", "httpx", *TRACES),
    "api.main": ("alembic", "mako", "temporalio.worker", "httpx", *TRACES),
    "activities_client.cli": (*SERVERS, "pydantic", "jwt", "cryptography"),
    "embedded.bootstrap": (*SERVERS, "pydantic", "jwt", "cryptography", "httpx"),
    "embedded.environment": (*SERVERS, "httpx"),
    "embedded.token": (*SERVERS, "httpx"),
    "embedded.demo": SERVERS,
    "embedded.stack": ("fastapi", "uvicorn", "temporalio.worker", "httpx"),
}
"""The packages that other modules of the same start could pull in, by what is started."""


@pytest.mark.parametrize("started", UNNEEDED)
def test_a_start_loads_no_package_that_it_does_not_need(started: str) -> None:
    program = f"import {started}, sys; from traces.start import start_tracing; assert start_tracing('x') is None;"
    program += "print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert [name for name in loaded.stdout.split() if name.startswith(UNNEEDED[started])] == []
