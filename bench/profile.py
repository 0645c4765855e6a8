"""Measure the processor time of a creation by process, and profile the worker's Python by package."""

import asyncio
import json
import sysconfig
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.load import Measured, body, connection, loop, many_posting
from bench.machine import Machine, machine
from bench.results import Results

CALLERS = 8
CACHED_RUNS, OTHERS, SETTLING = 100, 110, 5
"""Runs in the worker's cache; later runs that push the measured ones out of it, as months would; seconds to settle."""
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


async def run(results: Results, *, rounds: int, seconds: float, marks: int) -> None:
    """Measure the processes first, then with the sampler, which costs time itself."""
    with machine() as servers:
        url = servers.start_ours(WORKER_CACHED_RUNS=str(CACHED_RUNS))
        await _create(servers, url, 3)
        for _ in range(rounds):
            before = servers.processor_seconds()
            created = len((await _create(servers, url, seconds)).latencies)
            for name, used in servers.processor_seconds().items():
                spent = 1000 * (used - before[name]) / created
                results.add("processor time of a creation", name, spent, "each", "ms")
        for name, spent in (await _marks(servers, url, marks)).items() if marks else ():
            results.add("processor time of a mark", name, spent, "each", "ms")
        async with _sampled(servers, seconds) as samples:
            await _create(servers, url, seconds + 1)
        for owner, part in _shares(samples).items():
            results.add("the worker's Python, holding the GIL", owner, part, "of the samples", "%")


async def _create(servers: Machine, url: str, seconds: float) -> Measured:
    async with many_posting(url, servers.headers(), CALLERS) as callers:
        return await loop(callers, seconds)


async def _marks(servers: Machine, url: str, marks: int) -> dict[str, float]:
    """Return each process's milliseconds per mark, less those that it uses in an equally long time of rest."""
    at = datetime.now(UTC) + timedelta(seconds=(marks + OTHERS) / 15)
    async with connection(url, servers.headers()) as opened:
        items = [*(body(scheduled_at=at.isoformat()) for _ in range(marks)), *(body() for _ in range(OTHERS))]
        await opened.post("/api/activities/batch", json.dumps({"activities": items}).encode())
    await asyncio.sleep(SETTLING)
    span = (at - datetime.now(UTC)).total_seconds() + marks / 20  # every machine marks more than 20 a second
    marking, resting = await _used_in(servers, span), await _used_in(servers, span)
    return {name: 1000 * (used - resting[name]) / marks for name, used in marking.items()}


async def _used_in(servers: Machine, seconds: float) -> dict[str, float]:
    before = servers.processor_seconds()
    await asyncio.sleep(seconds)
    return {name: used - before[name] for name, used in servers.processor_seconds().items()}


@asynccontextmanager
async def _sampled(servers: Machine, seconds: float) -> AsyncIterator[Path]:
    """Sample the worker with py-spy during the block; the file holds the samples after it."""
    samples = servers.folder / "samples.txt"
    sampler = await asyncio.create_subprocess_exec(
        *(Path(sysconfig.get_path("scripts")) / "py-spy", "record", "--gil", "--function", "--format", "raw"),
        *("--pid", str(servers.processes["worker"].pid), "--duration", f"{seconds:.0f}", "--output", samples),
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
