"""Compare creations by batch with single ones: the same number in flight, in one request or in many."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.load import Call, body, connection, loop, many_posting
from bench.machine import Machine, machine
from bench.results import Results

AT_ONCE = 64
ITEMS = 128
BENCHMARK = f"create by batch, {AT_ONCE} in flight"


async def run(results: Results, *, rounds: int, seconds: float) -> None:
    """Measure both in turns."""
    with machine() as servers:
        url = servers.start_ours()
        async with many_posting(url, servers.headers(), 8) as calls:
            await loop(calls, 2)
        for _ in range(rounds):
            async with many_posting(url, servers.headers(), AT_ONCE) as calls:
                await _measure(results, servers, "single calls", calls, 1, seconds)
            async with _batches(servers, url) as calls:
                await _measure(results, servers, f"one caller, batches of {ITEMS}", calls, ITEMS, seconds)


@asynccontextmanager
async def _batches(servers: Machine, url: str) -> AsyncIterator[list[Call]]:
    async with connection(url, servers.headers()) as opened:

        async def create() -> None:
            content = json.dumps({"activities": [body() for _ in range(ITEMS)]}).encode()
            _, answer = await opened.post("/api/activities/batch", content)
            if {one["status"] for one in json.loads(answer)["results"]} != {201}:
                raise RuntimeError(answer[:1000].decode())

        yield [create]


async def _measure(  # noqa: PLR0913, PLR0917 - the columns of a row
    results: Results, servers: Machine, name: str, calls: list[Call], each: int, seconds: float
) -> None:
    before = servers.processor_seconds()
    measured = await loop(calls, seconds)
    created = len(measured.latencies) * each
    results.add(BENCHMARK, name, created / measured.seconds, "rate", "/s")
    for process, used in servers.processor_seconds().items():
        results.add(BENCHMARK, name, 1000 * (used - before[process]) / created, f"processor time each, {process}", "ms")
