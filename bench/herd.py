"""Measure a herd, many activities due in the same second, and its effect on another tenant."""

import asyncio
from datetime import UTC, datetime, timedelta

from bench import due
from bench.create import OURS, PEERS
from bench.load import posting
from bench.machine import Machine, machine
from bench.punctuality import A_SECOND, note, steady
from bench.results import Results
from embedded.demo_data import OTHER_COMMERCE_ID, OTHER_TENANT_ID

CREATORS = 16
QUIETLY, AHEAD = 3, 2
"""The shortest time of measuring another tenant, and how far ahead its activities are created, in seconds."""
BESIDE = f"another tenant beside a herd, {A_SECOND} of its own a second"


def _lead(ahead: float) -> float:
    """Return the longest lead of our runs in seconds; they wake in its first three quarters."""
    return min(ahead / 2, 300)


async def run(results: Results, *, rounds: int, size: int, ahead: int, peers: bool = True) -> None:
    """Measure a herd of each contender, then a herd of ours beside another tenant.

    Our activities are created `ahead` seconds before their time, the peers' in half that time, because peers have no
    lead. The herd beside another tenant has half the size, so that it doesn't take both processors of the machine:
    fairness only orders tasks that wait.
    """
    with machine() as servers:
        urls = due.start(servers, *PEERS) if peers else {OURS: servers.start_ours()}
        for _ in range(rounds):
            for name, url in urls.items():
                late = await _herd(servers, name, url, size, ahead if name == OURS else ahead / 2)
                lead = f" (lead {_lead(ahead):.1f} s)" if name == OURS else ""
                note(results, f"herd, {size} due in one second", name + lead, late)
        await _another_tenant(results, servers, urls[OURS], rounds, size // 2, ahead)


async def _herd(servers: Machine, name: str, url: str, size: int, ahead: float) -> list[float]:
    """Create a herd, wait for its time, and return the lateness at which each activity was seen."""
    at = (datetime.now(UTC) + timedelta(seconds=ahead)).replace(microsecond=0)
    await _create(servers, url, at, size)
    if datetime.now(UTC) > at:
        msg = f"{size} can't be created in {ahead:.0f} s here"
        raise TimeoutError(msg)
    async with due.observer(servers, name, url, servers.headers()) as (_, counted):
        return await due.lateness_of_herd(counted, at, size)


async def _create(servers: Machine, url: str, at: datetime, size: int) -> None:
    """Create a herd by a few callers at once, at full speed."""
    left = iter(range(size))

    async def create_some() -> None:
        async with posting(url, servers.headers(), scheduled_at=at.isoformat()) as create:
            for _ in left:
                await create()

    await asyncio.gather(*(create_some() for _ in range(CREATORS)))


async def _another_tenant(  # noqa: PLR0913, PLR0917 - the circumstances of a herd
    results: Results, servers: Machine, url: str, rounds: int, size: int, ahead: float
) -> None:
    """Measure another tenant's creations and punctuality, in a quiet machine and during the lead of a herd."""
    known: set[str] = set()
    span = max(_lead(ahead), QUIETLY)
    for _ in range(rounds):
        await _beside(results, servers, url, "quiet", span, known)
        herd = asyncio.create_task(_herd(servers, OURS, url, size, ahead))
        await asyncio.sleep(ahead - _lead(ahead) - AHEAD)
        await _beside(results, servers, url, f"during a herd of {size}", span, known)
        await herd


async def _beside(  # noqa: PLR0913, PLR0917 - as above
    results: Results, servers: Machine, url: str, when: str, seconds: float, known: set[str]
) -> None:
    headers, commerce = servers.headers(OTHER_TENANT_ID), str(OTHER_COMMERCE_ID)
    late, created = await steady(servers, OURS, url, seconds, AHEAD, known, headers, commerce_id=commerce)
    for metric, part in (("p50", 0.5), ("p99", 0.99)):
        results.add(BESIDE, f"creations, {when}", created.percentile(part), metric, "ms")
    note(results, BESIDE, f"punctuality, {when}", late)
