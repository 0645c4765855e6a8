"""Measure a herd, many activities due in the same second, and its effect on another tenant."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime, timedelta

from bench import observation
from bench.create import OURS, PEERS
from bench.due import A_SECOND, note, steady
from bench.load import connection, create_at_once
from bench.machine import Machine
from bench.results import Results
from bench.servers import Servers
from bench.target import Target, open_servers
from embedded.demo_ids import OTHER_COMMERCE_ID
from embedded.stack import WORKER_COMMAND

CREATORS = 16
QUIETLY, AHEAD = 3, 2
"""The shortest time of measuring another tenant, and how far ahead its activities are created, in seconds."""
KILLED_BEFORE, STARTING, JUST_BEFORE = 5, 6, 0.1
"""The seconds before the herd's time at which a worker is killed, those that it has for its start, and those before the
time at which the observation begins."""
BESIDE = f"another tenant beside a herd, {A_SECOND} of its own a second"


def _lead(ahead: float) -> float:
    """Return the longest lead of our runs in seconds; they wake in its first three quarters."""
    return min(ahead / 2, float(os.environ.get("MAX_LEAD_SECONDS", "300")))


async def run(  # noqa: PLR0913 - the circumstances of a measurement
    results: Results, *, rounds: int, size: int, ahead: int, peers: bool = True, target: Target | None = None
) -> None:
    """Measure a herd of each contender, then herds of ours in trouble, and one beside another tenant.

    Our activities are created `ahead` seconds before their time, the peers' in half that time, because peers have no
    lead. The herd beside another tenant has half the size, so that it doesn't take both processors of the machine:
    fairness only orders tasks that wait.
    """
    async with open_servers(target) as servers:
        urls = observation.start(servers, *(PEERS if peers else ()))
        for _ in range(rounds):
            for name, url in urls.items():
                late = await _herd(servers, name, url, size, ahead if name == OURS else ahead / 2)
                lead = f" (lead {_lead(ahead):.1f} s)" if name == OURS else ""
                note(results, f"herd, {size} due in one second", name + lead, late)
            if isinstance(servers, Machine):
                await _beside_a_killed_worker(results, servers, urls[OURS], size, ahead)
            await _moved(results, servers, urls[OURS], size, ahead)
        if len(servers.tenant_ids) > 1:
            await _another_tenant(results, servers, urls[OURS], rounds, size // 2, ahead)


async def _herd(servers: Servers, name: str, url: str, size: int, ahead: float) -> list[float]:
    """Create a herd, wait for its time, and return the lateness at which each activity was seen."""
    at = (datetime.now(UTC) + timedelta(seconds=ahead)).replace(microsecond=0)
    await _create(servers, url, at, size)
    return await _observe(servers, name, url, at, size)


async def _observe(servers: Servers, name: str, url: str, at: datetime, size: int) -> list[float]:
    """Wait for the time of a herd; returns the lateness at which each activity was seen."""
    await asyncio.sleep((at - datetime.now(UTC)).total_seconds() - JUST_BEFORE)  # the API closes an idle connection
    async with observation.observer(servers, name, url, servers.headers()) as (_, counted):
        return await observation.lateness_of_herd(counted, at, size)


async def _create(servers: Servers, url: str, at: datetime, size: int) -> None:
    """Create a herd by a few callers at once, at full speed. One that a killed worker delays is accepted as well."""
    await create_at_once(url, servers.headers(), size, CREATORS, answers=(201, 202), scheduled_at=at.isoformat())
    if datetime.now(UTC) > at:
        msg = f"{size} can't be created in that time here"
        raise TimeoutError(msg)


async def _beside_a_killed_worker(results: Results, servers: Machine, url: str, size: int, ahead: int) -> None:
    """Measure a herd that two workers serve until one of them is killed: its cached runs wait for a time-out."""
    servers.start("second worker", WORKER_COMMAND)
    await asyncio.sleep(STARTING)
    herd = asyncio.create_task(_herd(servers, OURS, url, size, ahead))
    await asyncio.sleep(ahead - KILLED_BEFORE)
    servers.kill("second worker")
    note(results, _title(size), f"one of two workers killed {KILLED_BEFORE} s before", await herd)


async def _moved(results: Results, servers: Servers, url: str, size: int, ahead: int) -> None:
    """Measure a herd that a bulk operation moves while it is being marked: each move of a marked row starts a run."""
    first = (datetime.now(UTC) + timedelta(seconds=ahead)).replace(microsecond=0)
    await _create(servers, url, first, size)
    await asyncio.sleep((first - datetime.now(UTC)).total_seconds() - _lead(ahead) / 2)
    then = first + timedelta(seconds=ahead + size // 10)
    started = time.monotonic()
    moved = await _move(servers, url, first, then, size)
    results.add(_title(size), "moved within the lead", moved / (time.monotonic() - started), "moves", "/s")
    note(results, _title(size), "moved within the lead", await _observe(servers, OURS, url, then, moved))


async def _move(servers: Servers, url: str, first: datetime, then: datetime, size: int) -> int:
    """Move the activities of one instant to another by a bulk operation; returns how many it has moved."""
    moment = f"{first:%Y-%m-%dT%H:%M:%S}"
    move = {
        "filter": {"scheduled_from": f"{moment}.000Z", "scheduled_to": f"{moment}.001Z"},
        "scheduled_at": then.isoformat(),
        "reason": "bench",
        "per_second": 100,
        "confirm_total": size,
    }
    async with connection(url, servers.headers()) as opened:
        _, answer = await opened.post("/api/activities/reschedule", json.dumps(move).encode())
        operation = json.loads(answer)
        while operation["finishedAt"] is None:
            await asyncio.sleep(observation.LOOK_EVERY)
            operation = json.loads((await opened.get(f"/api/operations/{operation['id']}"))[1])
    return int(operation["counts"]["applied"])


def _title(size: int) -> str:
    return f"herd of ours in trouble, {size} due in one second"


async def _another_tenant(  # noqa: PLR0913, PLR0917 - the circumstances of a herd
    results: Results, servers: Servers, url: str, rounds: int, size: int, ahead: float
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
    results: Results, servers: Servers, url: str, when: str, seconds: float, known: set[str]
) -> None:
    headers, commerce = servers.headers(servers.tenant_ids[1]), str(OTHER_COMMERCE_ID)
    late, created = await steady(servers, OURS, url, seconds, AHEAD, known, headers, commerce_id=commerce)
    for metric, part in (("p50", 0.5), ("p99", 0.99)):
        results.add(BESIDE, f"creations, {when}", created.percentile(part), metric, "ms")
    note(results, BESIDE, f"punctuality, {when}", late)
