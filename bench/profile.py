"""Measure the processor time of a creation by process, and profile the worker's Python by package."""

import asyncio
import json
import sysconfig
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import floor
from bench.create import FLOOR, OURS
from bench.load import Measured, body, connection, loop, many_posting
from bench.results import Results
from bench.servers import Servers, python
from bench.target import Target, TargetError, open_servers

CALLERS = 8
CACHED_RUNS, OTHERS, SETTLING, BATCH = 100, 110, 5, 500
"""Runs in the worker's cache; later runs that push the measured ones out of it, as months would; seconds to settle;
items of a batch."""
OWNERS = {
    "temporalio/worker/workflow_sandbox": "Temporal SDK, sandbox",
    "temporalio": "Temporal SDK, the rest",
    "sqlalchemy": "SQLAlchemy",
    "psycopg": "psycopg",
    "pydantic": "pydantic",
    "workflows/": "our workflow and messages",
    "db/": "our statements",
    "activities_impl/": "our steps",
}
"""Owners of samples: the innermost frame of one of these decides, so the standard library counts for its caller."""


async def run(results: Results, *, rounds: int, seconds: float, marks: int, target: Target | None = None) -> None:
    """Measure the processes first, then with the sampler, which costs time itself."""
    async with open_servers(target) as servers:
        if not servers.process_ids:
            msg = "name the processes of the stack that run on this machine: --process worker=123 --process api=124 …"
            raise TargetError(msg)
        servers.start("floor worker", python("-m", "bench.floor"))
        url = servers.start_ours(WORKER_CACHED_RUNS=str(CACHED_RUNS))
        client = await servers.connect()
        await loop([floor.creating(client)] * CALLERS, 3)
        await _create(servers, url, 3)
        for _ in range(rounds):
            await _note(results, servers, FLOOR, loop([floor.creating(client)] * CALLERS, seconds))
            await _note(results, servers, OURS, _create(servers, url, seconds))
        for name, spent in (await cost_of_marks(servers, url, marks, OTHERS)).items() if marks else ():
            results.add("processor time of a mark", name, spent, "each", "ms")
        if "worker" not in servers.process_ids:
            return
        async with _sampled(servers, seconds) as samples:
            await _create(servers, url, seconds + 1)
        for owner, part in _shares(samples).items():
            results.add("the worker's Python, holding the GIL", owner, part, "of the samples", "%")


async def _note(results: Results, servers: Servers, contender: str, creating: Coroutine[Any, Any, Measured]) -> None:
    """Add the processor time that each process takes for a creation, and that of this caller."""
    before, own = servers.processor_seconds(), time.process_time()
    created = len((await creating).latencies)
    used = {name: now - before[name] for name, now in servers.processor_seconds().items()}
    for name, seconds in {**used, "caller": time.process_time() - own}.items():
        results.add(f"processor time of a creation, {contender}", name, 1000 * seconds / created, "each", "ms")


async def _create(servers: Servers, url: str, seconds: float) -> Measured:
    async with many_posting(url, servers.headers(), CALLERS) as callers:
        return await loop(callers, seconds)


async def cost_of_marks(servers: Servers, url: str, marks: int, others: int) -> dict[str, float]:
    """Return each process's milliseconds per mark, less those that it uses in an equally long time of rest.

    `others` are created after them and sleep for a month. Half of the wait is the longest lead: no mark begins before
    the creations have ended.
    """
    creating = (marks + others) / 15  # every machine creates more than 15 a second, and marks more than 20
    at = datetime.now(UTC) + timedelta(seconds=2 * (creating + SETTLING))
    async with connection(url, servers.headers()) as opened:
        items = [*(body(scheduled_at=at.isoformat()) for _ in range(marks)), *(body() for _ in range(others))]
        for first in range(0, len(items), BATCH):
            content = json.dumps({"activities": items[first : first + BATCH]}).encode()
            await opened.post("/api/activities/batch", content)
    await asyncio.sleep(SETTLING)
    span = (at - datetime.now(UTC)).total_seconds() + marks / 20
    marking, resting = await _used_in(servers, span), await _used_in(servers, span)
    return {name: 1000 * (used - resting[name]) / marks for name, used in marking.items()}


async def _used_in(servers: Servers, seconds: float) -> dict[str, float]:
    before = servers.processor_seconds()
    await asyncio.sleep(seconds)
    return {name: used - before[name] for name, used in servers.processor_seconds().items()}


@asynccontextmanager
async def _sampled(servers: Servers, seconds: float) -> AsyncIterator[Path]:
    """Sample the worker with py-spy during the block; the file holds the samples after it."""
    samples = servers.folder / "samples.txt"
    sampler = await asyncio.create_subprocess_exec(
        *(Path(sysconfig.get_path("scripts")) / "py-spy", "record", "--gil", "--function", "--format", "raw"),
        *("--pid", str(servers.process_ids["worker"]), "--duration", f"{seconds:.0f}", "--output", samples),
        stdout=servers.log,
        stderr=servers.log,
    )
    yield samples
    await sampler.wait()


def _shares(samples: Path) -> dict[str, float]:
    """Return the percentage of samples by owner, the largest first."""
    counted: Counter[str] = Counter()
    for line in samples.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        counted[_owner(stack.split(";"))] += int(number)
    return {owner: 100 * number / counted.total() for owner, number in counted.most_common()}


def _owner(stack: list[str]) -> str:
    for frame in reversed(stack):
        for place, owner in OWNERS.items():
            if f"({place}" in frame:
                return owner
    return "event loop and the rest"
