"""Steady punctuality: five due each second, created five seconds ahead, seen as an executor sees them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from bench import due
from bench.load import body, connection
from bench.machine import machine
from bench.results import Results

A_SECOND = 5
AHEAD = timedelta(seconds=5)


async def run(results: Results, *, rounds: int, seconds: int) -> None:
    """Each contender in turn, several times over."""
    with machine() as servers:
        urls = due.start(servers)
        known: dict[str, set[str]] = {name: set() for name in urls}
        for _ in range(rounds):
            for name, url in urls.items():
                async with due.looking(servers, name, url) as (ask, _):
                    creating = asyncio.create_task(_create(url, servers.headers(), seconds))
                    late = await due.lateness_of_each(ask, known[name], seconds * A_SECOND)
                    await creating
                note(results, "punctuality, 5 due a second", name, late)


async def _create(url: str, headers: dict[str, str], seconds: int) -> None:
    """On time whatever the answers take: each has a connection of its own turn."""

    async def one() -> None:
        async with connection(url, headers) as opened:
            at = (datetime.now(UTC) + AHEAD).isoformat(timespec="milliseconds")
            await opened.post("/api/activities", json.dumps(body(scheduled_at=at)).encode())

    async with asyncio.TaskGroup() as group:
        for _ in range(seconds * A_SECOND):
            group.create_task(one())
            await asyncio.sleep(1 / A_SECOND)


def note(results: Results, benchmark: str, name: str, late: list[float]) -> None:
    """The lateness of one round, in milliseconds."""
    for metric, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        at = min(len(late) - 1, int(part * len(late)))
        results.add(benchmark, name, 1000 * late[at], f"seen late, {metric}", "ms")
