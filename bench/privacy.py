"""Measure the processor time that row-level security and encrypted payloads add to a creation, a mark and a claim."""

import asyncio
import os
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from psycopg import Connection

from bench.claims import AGAIN, executor, fill_due
from bench.load import Call, create_at_once, loop
from bench.machine import Machine, machine
from bench.results import Results
from bench.servers import DATABASE, python

NEITHER, BOTH = "neither", "both"
VARIANTS = {
    NEITHER: (False, False),
    "row-level security": (True, False),
    "encryption": (False, True),
    BOTH: (True, True),
}
"""Row-level security and encryption, on or off."""
PROCESSES = ("api", "worker", "postgres")
CALLERS, CLAIMERS, DUE_ROWS = 8, 4, 10_000
CACHED_RUNS, OTHERS = 50, 60
"""Runs in the worker's cache; later runs that push the measured ones out of it, as months would."""
CREATIONS_A_SECOND, SETTLING, LOOK_EVERY = 12, 2, 0.5
"""Every machine creates more than that; the seconds after it, and those between two looks whether all are marked."""
NO_POLICIES = """
SELECT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', oid::regclass) FROM pg_class WHERE relrowsecurity
"""


@dataclass
class Variant:
    """A stack with its setting of both, and the URL of its API."""

    servers: Machine
    url: str


async def run(results: Results, *, rounds: int, marks: int, seconds: float) -> None:
    """Measure the variants in turn, several times; each has servers of its own, which rest meanwhile."""
    with ExitStack() as stack:
        variants = {name: stack.enter_context(_started(*setting)) for name, setting in VARIANTS.items()}
        for variant in variants.values():
            await fill_due(variant.servers, variant.url, DUE_ROWS)
            await _measure(variant, 30, 1)
        for _ in range(rounds):
            measured = {name: await _measure(variant, marks, seconds) for name, variant in variants.items()}
            _note(results, measured)


@contextmanager
def _started(is_isolated: bool, is_encrypted: bool) -> Iterator[Variant]:  # noqa: FBT001 - the two settings of a variant
    """Start a stack whose runs wake at their time, and not ahead of it; no reconciliation falls into a measurement."""
    variables = {"MAX_LEAD_SECONDS": "0", "WORKER_CACHED_RUNS": str(CACHED_RUNS), "RECONCILE_EVERY_SECONDS": "3600"}
    if is_encrypted:
        variables["PAYLOAD_ENCRYPTION_KEYS"] = f"bench:{b64encode(os.urandom(32)).decode()}"
    with machine() as servers:
        if not is_isolated:
            worker, api = (python("-m", "bench.unisolated", module) for module in ("worker", "api.main"))
            servers.commands = (worker, api)
            with servers.postgres.connect(DATABASE) as database:
                for (statement,) in database.execute(NO_POLICIES).fetchall():
                    database.execute(statement)
        yield Variant(servers, servers.start_ours(**variables))


async def _measure(variant: Variant, marks: int, seconds: float) -> dict[str, Mapping[str, float]]:
    """Return the milliseconds of each process for a creation, a mark and a claim."""
    creations = marks + OTHERS
    at = datetime.now(UTC) + timedelta(seconds=creations / CREATIONS_A_SECOND + SETTLING)
    at = at.replace(microsecond=0)  # the service keeps milliseconds
    used = _Used(variant.servers)
    create = partial(create_at_once, variant.url, variant.servers.headers(), callers=CALLERS)
    await create(number=marks, scheduled_at=at.isoformat())
    await create(number=OTHERS)
    created = used.take()
    await asyncio.sleep((at - datetime.now(UTC)).total_seconds())
    used.take()
    began, due = time.monotonic(), 0
    with variant.servers.postgres.connect(DATABASE) as database:
        while due < marks:
            await asyncio.sleep(LOOK_EVERY)
            due = _count_due(database, at)
        marking, span = used.take(), time.monotonic() - began
        while time.monotonic() < began + 2 * span:
            await asyncio.sleep(LOOK_EVERY)
            _count_due(database, at)
        resting = used.take()
        database.execute(AGAIN)
    await asyncio.sleep(SETTLING)
    used.take()
    claims = await _claim(variant, seconds)
    claimed = used.take()
    return {
        "creation": {name: 1000 * created[name] / creations for name in PROCESSES},
        "mark": {name: 1000 * (marking[name] - resting[name]) / marks for name in PROCESSES},
        "claim": {name: 1000 * claimed[name] / claims for name in PROCESSES},
    }


class _Used:
    """Reads the processor time that has been used since the last time it was read."""

    def __init__(self, servers: Machine) -> None:
        self._servers, self._before = servers, servers.processor_seconds()

    def take(self) -> dict[str, float]:
        before, self._before = self._before, self._servers.processor_seconds()
        return {name: now - before[name] for name, now in self._before.items()}


async def _claim(variant: Variant, seconds: float) -> int:
    """Claim one activity after the other by a few executors; returns the number of claims."""
    claimed: list[int] = []
    async with AsyncExitStack() as executors:
        calls: list[Call] = [
            await executors.enter_async_context(executor(variant.servers, variant.url, 1, claimed))
            for _ in range(CLAIMERS)
        ]
        await loop(calls, seconds)
    return len(claimed)


def _count_due(database: Connection, at: datetime) -> int:
    counted = "SELECT count(*) FROM scheduled_activities WHERE status = 'DUE' AND scheduled_at = %s"
    (due,) = database.execute(counted, [at]).fetchone() or (0,)
    return int(due)


def _note(results: Results, measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Add the values of a round, and the ratio of each sum to that without both."""
    for name, works in measured.items():
        for work, spent in works.items():
            benchmark = f"privacy: processor time of a {work}"
            for process, milliseconds in spent.items():
                results.add(benchmark, name, milliseconds, process, "ms")
            together = sum(spent.values())
            results.add(benchmark, name, together, "together", "ms")
            if name != NEITHER:
                results.add(benchmark, name, together / sum(measured[NEITHER][work].values()), f"to {NEITHER}", "x")
