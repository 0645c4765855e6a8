"""Many due in the same second, and what that does to creations meanwhile."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from bench import due
from bench.create import OURS
from bench.load import Measured, body, connection, loop, posting
from bench.machine import Machine, machine
from bench.punctuality import note
from bench.results import Results
from embedded.demo_data import OTHER_COMMERCE_ID, OTHER_TENANT_ID

CREATORS = 16


async def run(results: Results, *, rounds: int, size: int, ahead: int) -> None:
    """A herd of each contender's; created `ahead` seconds before its time, so ours may wake a tenth of that early."""
    with machine() as servers:
        urls = due.start(servers)
        quiet = await _creating_for_another(servers, urls[OURS], 10)
        results.add("herd, another tenant's creations", "quiet", quiet.percentile(0.99), "p99", "ms")
        for _ in range(rounds):
            for name, url in urls.items():
                await _herd(results, servers, name, url, size, ahead)


async def _herd(  # noqa: PLR0913, PLR0917 - a herd is all that
    results: Results, servers: Machine, name: str, url: str, size: int, ahead: int
) -> None:
    at = (datetime.now(UTC) + timedelta(seconds=ahead)).replace(microsecond=0)
    lead = ahead / 10 if name == OURS else 0
    benchmark = f"herd, {size} due in one second" + (f", lead {lead:.0f} s at most" if lead else "")
    await _create(servers, url, at, size)
    if datetime.now(UTC) > at - timedelta(seconds=lead):
        print(f"herd: {name} could not create {size} in {ahead} s here; not measured", flush=True)
        return
    async with due.looking(servers, name, url) as (_, counted):
        watching = asyncio.create_task(due.lateness_of_herd(counted, at, size))
        if name == OURS:
            await asyncio.sleep((at - datetime.now(UTC)).total_seconds() - lead)
            busy = await _creating_for_another(servers, url, lead + 5)
            results.add("herd, another tenant's creations", "during the herd", busy.percentile(0.99), "p99", "ms")
        note(results, benchmark, name, await watching)


async def _create(servers: Machine, url: str, at: datetime, size: int) -> None:
    """All of the herd, by a few callers."""
    left = iter(range(size))

    async def some() -> None:
        async with connection(url, servers.headers()) as opened:
            for _ in left:
                await opened.post("/api/activities", json.dumps(body(scheduled_at=at.isoformat())).encode())

    await asyncio.gather(*(some() for _ in range(CREATORS)))


async def _creating_for_another(servers: Machine, url: str, seconds: float) -> Measured:
    """One caller of another tenant, who has no herd."""
    changes = {"commerce_id": str(OTHER_COMMERCE_ID)}
    async with AsyncExitStack() as stack:
        headers = servers.headers(OTHER_TENANT_ID)
        return await loop([await stack.enter_async_context(posting(url, headers, **changes))], seconds)
