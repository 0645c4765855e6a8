"""Measure the cost of an activity by the servers' own counters: exact for its history, averages for the rest."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from bench.create import FLOOR, NAIVE, OURS, start_peers
from bench.floor_workflow import QUEUE, EmptyWorkflow
from bench.load import body, connection
from bench.machine import Machine
from bench.results import Results
from bench.servers import DATABASE, Servers, python
from bench.target import Target, open_servers
from runs.client import workflow_id

SETTLING = timedelta(seconds=1.5)
MONTH, SOON = timedelta(days=30), timedelta(seconds=1)

Create = Callable[[str, datetime], Awaitable[str]]
"""Creates an activity with a key, due at a time; returns its workflow's id."""


async def run(results: Results, *, rounds: int, creations: int, target: Target | None = None) -> None:
    """Measure a creation, whose run continues to sleep, and a whole life with a wait of one second."""
    async with open_servers(target) as servers:
        client = await servers.connect()
        contenders = _start_contenders(servers, client)
        for create, _ in contenders.values():
            for _ in range(3):
                await create(f"warm-{uuid4()}", datetime.now(UTC) + SOON)
        await asyncio.sleep((SOON + SETTLING).total_seconds())
        for _ in range(rounds):
            for name in contenders:
                await _cost(results, "cost of a creation", name, servers, client, *contenders[name], creations, MONTH)
            for name in [one for one in contenders if one != FLOOR]:
                await _cost(results, "cost of a whole life", name, servers, client, *contenders[name], creations, SOON)


def _start_contenders(servers: Servers, client: Client) -> dict[str, tuple[Create, str]]:
    """Start all contenders; returns how each creates, and its database."""
    servers.start("floor worker", python("-m", "bench.floor"))
    contenders = {
        FLOOR: (_floor(client), DATABASE),
        OURS: (_over_http(servers, servers.start_ours(), ""), DATABASE),
    }
    if isinstance(servers, Machine):
        naive = start_peers(servers, NAIVE)[NAIVE]
        contenders[NAIVE] = _over_http(servers, naive, "naive:"), "naive"
    return contenders


def _floor(client: Client) -> Create:
    async def create(key: str, _: datetime) -> str:
        operation = WithStartWorkflowOperation(
            EmptyWorkflow.run, id=key, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        await client.execute_update_with_start_workflow(EmptyWorkflow.create, start_workflow_operation=operation)
        return key

    return create


def _over_http(servers: Servers, url: str, prefix: str) -> Create:
    async def create(key: str, at: datetime) -> str:
        async with connection(url, servers.headers()) as opened:
            content = json.dumps(body(idempotency_key=key, scheduled_at=at.isoformat(timespec="milliseconds")))
            status, answer = await opened.post("/api/activities", content.encode())
            assert status == 201, answer  # noqa: S101, PLR2004 - failures must not be measured
        return f"{prefix}{workflow_id(servers.tenant_ids[0], key)}"

    return create


async def _cost(  # noqa: PLR0913, PLR0917 - the columns of a row
    results: Results,
    benchmark: str,
    name: str,
    servers: Servers,
    client: Client,
    create: Create,
    database: str,
    creations: int,
    due_in: timedelta,
) -> None:
    before = servers.counters(database)
    for _ in range(creations):
        run = client.get_workflow_handle(await create(f"cost-{uuid4()}", datetime.now(UTC) + due_in))
    if due_in == SOON:
        await run.result()  # a busy machine marks it later
    await asyncio.sleep(SETTLING.total_seconds())
    for (metric, unit), value in servers.counters(database).items():
        results.add(benchmark, name, (value - before[metric, unit]) / creations, metric, unit)
    info = (await run.describe()).raw_description.workflow_execution_info
    results.add(benchmark, name, info.history_length, "history events", "")
    results.add(benchmark, name, info.history_size_bytes, "history bytes", "B")
    results.add(benchmark, name, info.state_transition_count, "state transitions", "")
