"""What sleeping activities cost: the memory of each process, and creations beside more and more of them."""

import json

from temporalio.client import Client

from bench import floor
from bench.create import FLOOR, OURS
from bench.load import Measured, body, connection, loop, posting
from bench.machine import Machine, machine, python
from bench.results import Results

PROCESSES = ("api", "worker", "temporal", "postgres")
BATCH = 500
THERE = {201, 202, 409}


async def run(results: Results, *, steps: int, sleepers: int, seconds: float) -> None:
    """Measure with none asleep, then again after each further thousand, by batches of the API's own."""
    with machine() as servers:
        servers.start("floor worker", python("-m", "bench.floor"))
        url = servers.start_ours()
        client = await Client.connect(servers.temporal.address)
        await _fill(servers, url, 500)
        for step in range(steps + 1):
            benchmark = f"sleepers, {step * sleepers} and more asleep"
            for name in PROCESSES:
                results.add(benchmark, name, servers.memory(name) / 1e6, "memory", "MB")
            _note(results, benchmark, FLOOR, await loop([floor.creating(client)] * 8, seconds))
            _note(results, benchmark, OURS, await _ours(servers, url, seconds))
            if step < steps:
                await _fill(servers, url, sleepers)


async def _ours(servers: Machine, url: str, seconds: float) -> Measured:
    async with posting(url, servers.headers()) as create:
        return await loop([create], seconds)


def _note(results: Results, benchmark: str, name: str, measured: Measured) -> None:
    results.add(benchmark, name, measured.rate, "creations", "/s")
    results.add(benchmark, name, measured.percentile(0.5), "p50", "ms")


async def _fill(servers: Machine, url: str, count: int) -> None:
    """Put this many to sleep for a month; what didn't get its turn within the deadline is sent again."""
    async with connection(url, servers.headers()) as opened:
        for start in range(0, count, BATCH):
            items = [body() for _ in range(min(BATCH, count - start))]
            while items:
                _, answer = await opened.post("/api/activities/batch", json.dumps({"activities": items}).encode())
                results = json.loads(answer)["results"]
                items = [item for item, one in zip(items, results, strict=True) if one["status"] not in THERE]
