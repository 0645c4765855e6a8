"""Measure the cost of an activity by the servers' own counters: exact for its history, averages for the rest."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from bench.create import FLOOR, NAIVE, OURS, start_peers
from bench.floor_workflow import QUEUE, EmptyWorkflow
from bench.load import body, connection
from bench.machine import DATABASE, Machine, machine, python
from bench.results import Results
from embedded.demo_data import TENANT_ID
from runs.client import workflow_id

SETTLING = timedelta(seconds=1.5)
MONTH, SOON = timedelta(days=30), timedelta(seconds=1)

Create = Callable[[str, datetime], Awaitable[str]]
"""Creates an activity with a key, due at a time; returns its workflow's id."""


async def run(results: Results, *, rounds: int, creations: int) -> None:
    """Measure a creation, whose run continues to sleep, and a whole life with a wait of one second."""
    with machine() as servers:
        client = await Client.connect(servers.temporal.address)
        servers.start("floor worker", python("-m", "bench.floor"))
        url, naive = servers.start_ours(), start_peers(servers, NAIVE)[NAIVE]
        creating = {
            FLOOR: (_floor(client), DATABASE),
            OURS: (_over_http(servers, url, ""), DATABASE),
            NAIVE: (_over_http(servers, naive, "naive:"), "naive"),
        }
        for create, _ in creating.values():
            for _ in range(3):
                await create(f"warm-{uuid4()}", datetime.now(UTC) + SOON)
        await asyncio.sleep((SOON + SETTLING).total_seconds())
        for _ in range(rounds):
            for name, (create, database) in creating.items():
                await _cost(results, "cost of a creation", name, servers, client, create, database, creations, MONTH)
            for name in (OURS, NAIVE):
                create, database = creating[name]
                await _cost(results, "cost of a whole life", name, servers, client, create, database, creations, SOON)


def _floor(client: Client) -> Create:
    async def create(key: str, _: datetime) -> str:
        operation = WithStartWorkflowOperation(
            EmptyWorkflow.run, id=key, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        await client.execute_update_with_start_workflow(EmptyWorkflow.create, start_workflow_operation=operation)
        return key

    return create


def _over_http(servers: Machine, url: str, prefix: str) -> Create:
    async def create(key: str, at: datetime) -> str:
        async with connection(url, servers.headers()) as opened:
            content = json.dumps(body(idempotency_key=key, scheduled_at=at.isoformat(timespec="milliseconds")))
            status, answer = await opened.post("/api/activities", content.encode())
            assert status == 201, answer  # noqa: S101, PLR2004 - failures must not be measured
        return f"{prefix}{workflow_id(TENANT_ID, key)}"

    return create


async def _cost(  # noqa: PLR0913, PLR0917 - the columns of a row
    results: Results,
    benchmark: str,
    name: str,
    servers: Machine,
    client: Client,
    create: Create,
    database: str,
    creations: int,
    due_in: timedelta,
) -> None:
    before = _counters(servers, database)
    for _ in range(creations):
        run = await create(f"cost-{uuid4()}", datetime.now(UTC) + due_in)
    await asyncio.sleep((SETTLING + (due_in if due_in == SOON else timedelta())).total_seconds())
    for (metric, unit), value in _counters(servers, database).items():
        results.add(benchmark, name, (value - before[metric, unit]) / creations, metric, unit)
    info = (await client.get_workflow_handle(run).describe()).raw_description.workflow_execution_info
    results.add(benchmark, name, info.history_length, "history events", "")
    results.add(benchmark, name, info.history_size_bytes, "history bytes", "B")
    results.add(benchmark, name, info.state_transition_count, "state transitions", "")


def _counters(servers: Machine, database: str) -> dict[tuple[str, str], float]:
    """Return the servers' counters since their start; the WAL covers all databases, but only this one is written."""
    (port,) = re.findall(r"Temporal Metrics:\s+http://localhost:(\d+)", (servers.folder / "bench.log").read_text())
    exposed = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    calls = sum(
        float(line.rsplit(" ", 1)[1]) for line in exposed.splitlines() if line.startswith("persistence_requests")
    )
    with servers.postgres.connect() as opened:
        (wal,) = opened.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchone() or (0,)
    return {
        ("server persistence calls", ""): calls,
        ("SQL statements", ""): float(servers.statements(database)[0]),
        ("WAL", "B"): float(wal),
    }
