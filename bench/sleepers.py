"""Measure the cost of sleeping activities: the memory of each process, and creations beside a growing number."""

import json
import sys

from bench import floor
from bench.create import FLOOR, OURS
from bench.load import Measured, body, connection, loop, many_posting
from bench.machine import Machine, machine
from bench.results import Results
from bench.servers import python

PROCESSES = ("api", "worker", "temporal", "postgres")
BATCH, WARM, CALLERS = 500, 300, 8
CREATED = {201, 202, 409}


async def run(results: Results, *, sizes: tuple[int, ...], rounds: int, seconds: float) -> None:
    """Measure ours and the floor in turns at each size; the worker's cache is filled first."""
    with machine() as servers:
        servers.start("floor worker", python("-m", "bench.floor"))
        url = servers.start_ours()
        client = await servers.connect()
        await fill(servers, url, WARM)
        asleep = 0
        for size in sizes:
            await fill(servers, url, size - asleep)
            asleep = size
            print(f"sleepers: {size:,} asleep", file=sys.stderr)
            benchmark = f"sleepers, {size:,} and more asleep"
            for name in PROCESSES:
                results.add(benchmark, name, servers.memory(name) / 1e6, "memory", "MB")
            for _ in range(rounds):
                _note(results, benchmark, FLOOR, await loop([floor.creating(client)] * CALLERS, seconds))
                _note(results, benchmark, OURS, await _ours(servers, url, seconds))


async def _ours(servers: Machine, url: str, seconds: float) -> Measured:
    async with many_posting(url, servers.headers(), CALLERS) as calls:
        return await loop(calls, seconds)


def _note(results: Results, benchmark: str, name: str, measured: Measured) -> None:
    results.add(benchmark, name, measured.rate, "creations", "/s")
    results.add(benchmark, name, measured.percentile(0.5), "p50", "ms")


async def fill(servers: Machine, url: str, count: int) -> None:
    """Create this number of activities due in a month; repeat those that missed the deadline."""
    async with connection(url, servers.headers()) as opened:
        for start in range(0, count, BATCH):
            items = [body() for _ in range(min(BATCH, count - start))]
            while items:
                _, answer = await opened.post("/api/activities/batch", json.dumps({"activities": items}).encode())
                results = json.loads(answer)["results"]
                items = [item for item, one in zip(items, results, strict=True) if one["status"] not in CREATED]
