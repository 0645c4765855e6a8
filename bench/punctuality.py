"""Steady punctuality: five due each second, created some seconds ahead, seen as an executor sees them."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import due
from bench.create import DBOS, PROCRASTINATE
from bench.load import Measured, posting
from bench.machine import Machine, machine
from bench.results import Results

A_SECOND = 5


async def run(results: Results, *, rounds: int, seconds: int, ahead: int, cron: int) -> None:
    """Each contender in turn, several times over; the cron job runs every `cron` seconds, and takes that long."""
    with machine() as servers:
        urls = due.start(servers, DBOS, PROCRASTINATE, cron_every=cron)
        known: dict[str, set[str]] = {name: set() for name in urls}
        for _ in range(rounds):
            for name, url in urls.items():
                length = max(seconds, cron) if name == due.CRON else seconds
                late, _ = await steady(servers, name, url, length, ahead, known[name])
                label = f"cron, every {cron} s" if name == due.CRON else name
                note(results, f"punctuality, {A_SECOND} due a second, created {ahead} s ahead", label, late)


async def steady(  # noqa: PLR0913, PLR0917 - whose, where, how long, and for whom
    servers: Machine,
    name: str,
    url: str,
    seconds: float,
    ahead: float,
    known: set[str],
    headers: Mapping[str, str] | None = None,
    **changes: Any,
) -> tuple[list[float], Measured]:
    """Create for so long, and wait until all have been seen; answers how late each was, in seconds, and the calls."""
    headers = headers or servers.headers()
    async with due.looking(servers, name, url, headers) as (ask, _):
        count = int(seconds * A_SECOND)
        creating = asyncio.create_task(_create(url, headers, count, ahead, changes))
        late = await due.lateness_of_each(ask, known, count)
        return late, await creating


async def _create(
    url: str, headers: Mapping[str, str], count: int, ahead: float, changes: Mapping[str, Any]
) -> Measured:
    """On time whatever the answers take: each has a connection of its own."""
    measured = Measured(count / A_SECOND)

    async def one() -> None:
        at = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat(timespec="milliseconds")
        async with posting(url, headers, scheduled_at=at, **changes) as create:
            before = time.perf_counter()
            await create()
            measured.latencies.append(time.perf_counter() - before)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
            await asyncio.sleep(1 / A_SECOND)
    return measured


def note(results: Results, benchmark: str, name: str, late: list[float]) -> None:
    """The lateness of one round, in milliseconds."""
    for metric, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        at = min(len(late) - 1, int(part * len(late)))
        results.add(benchmark, name, 1000 * late[at], f"seen late, {metric}", "ms")
