"""Measure steady punctuality: five activities due each second, created some seconds ahead, as executors see them."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import observation
from bench.create import DBOS, PROCRASTINATE
from bench.load import Measured, posting
from bench.results import Results
from bench.servers import Servers
from bench.target import Target, open_servers

A_SECOND = 5


async def run(  # noqa: PLR0913 - the circumstances of a measurement
    results: Results, *, rounds: int, seconds: int, ahead: int, cron: int, target: Target | None = None
) -> None:
    """Measure the contenders in turn; the cron job runs every `cron` seconds and is measured at least that long."""
    async with open_servers(target) as servers:
        urls = observation.start(servers, DBOS, PROCRASTINATE, cron_every=cron)
        known: dict[str, set[str]] = {name: set() for name in urls}
        for _ in range(rounds):
            for name, url in urls.items():
                length = max(seconds, cron) if name == observation.CRON else seconds
                late, _ = await steady(servers, name, url, length, ahead, known[name])
                label = f"cron, every {cron} s" if name == observation.CRON else name
                note(results, f"punctuality, {A_SECOND} due a second, created {ahead} s ahead", label, late)


async def steady(  # noqa: PLR0913, PLR0917 - the circumstances of a measurement
    servers: Servers,
    name: str,
    url: str,
    seconds: float,
    ahead: float,
    known: set[str],
    headers: Mapping[str, str] | None = None,
    **changes: Any,
) -> tuple[list[float], Measured]:
    """Create for `seconds` and wait until all are seen due; returns the lateness of each in seconds, and the calls."""
    headers = headers or servers.headers()
    async with observation.observer(servers, name, url, headers) as (ask, _):
        count = int(seconds * A_SECOND)
        creating = asyncio.create_task(_create(url, headers, count, ahead, changes))
        late = await observation.lateness_of_each(ask, known, count)
        return late, await creating


async def _create(
    url: str, headers: Mapping[str, str], count: int, ahead: float, changes: Mapping[str, Any]
) -> Measured:
    """Create at a steady rate, each activity on its own connection, so that slow answers don't delay the next."""
    measured = Measured(count / A_SECOND)

    async def create_one() -> None:
        at = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat(timespec="milliseconds")
        async with posting(url, headers, scheduled_at=at, **changes) as create:
            before = time.perf_counter()
            await create()
            measured.latencies.append(time.perf_counter() - before)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(create_one())
            await asyncio.sleep(1 / A_SECOND)
    return measured


def note(results: Results, benchmark: str, name: str, late: list[float]) -> None:
    """Add the lateness of one round, in milliseconds."""
    for metric, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        at = min(len(late) - 1, int(part * len(late)))
        results.add(benchmark, name, 1000 * late[at], f"seen late, {metric}", "ms")
