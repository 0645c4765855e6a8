"""Measure what a larger cache of runs costs and saves: the worker's memory, and the processor time of a mark."""

from bench.create import OURS
from bench.load import loop, many_posting
from bench.machine import machine
from bench.profile import cost_of_marks
from bench.results import Results
from bench.sleepers import fill

CALLERS = 8


async def run(results: Results, *, rounds: int, cached: tuple[int, ...], marks: int) -> None:
    """Measure each size in turn, on servers of its own: the cache of a worker holds what it has seen last."""
    for _ in range(rounds):
        for size in cached:
            await _measure(results, size, marks)


async def _measure(results: Results, size: int, marks: int) -> None:
    """Measure marks right after their creations, then the memory beside a full cache."""
    benchmark = f"cached runs, {marks} marks after their creations"
    name = f"{OURS}, {size:,} cached"
    with machine() as servers:
        url = servers.start_ours(WORKER_CACHED_RUNS=str(size))
        async with many_posting(url, servers.headers(), CALLERS) as callers:
            await loop(callers, 2)
        results.add(benchmark, name, servers.memory("worker") / 1e6, "memory of the worker at first", "MB")
        for process, spent in (await cost_of_marks(servers, url, marks, 0)).items():
            results.add(benchmark, name, spent, f"a mark, {process}", "ms")
        await fill(servers, url, size)
        results.add(benchmark, name, servers.memory("worker") / 1e6, "memory of the worker with a full cache", "MB")
