"""Measure attacks of one tenant on another: its creations, `/health/live`, and the longest stall of the API's loop."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any
from uuid import uuid4

import httpx

from bench.load import Measured, body, connection, posting
from bench.machine import Machine, machine
from bench.results import Results
from bench.servers import DATABASE
from embedded.demo_ids import OTHER_COMMERCE_ID, OTHER_TENANT_ID
from workflows.tenant_limits import CATALOGUE_ENTRIES, USERS_OF_COMMERCE
from workflows.words import Role

BETWEEN_SECONDS = 0.1
"""The innocent tenant creates and asks for `/health/live` at this interval, too seldom to be a load."""
WATCH_SECONDS = 0.02
"""The loop is asked this often whether it stands still."""


@dataclass
class Attacker:
    """The tenant that attacks, and what its calls were answered."""

    servers: Machine
    url: str
    size: int
    answers: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Open a client with many connections."""
        headers = self.servers.headers(OTHER_TENANT_ID)
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=60, limits=limits, trust_env=False
        ) as http:
            yield http

    def note(self, what: str, answer: httpx.Response) -> httpx.Response:
        """Count an answer by its status."""
        self.answers[f"{what}: {answer.status_code}"] += 1
        return answer


@dataclass
class Probed:
    """The latencies of an innocent tenant, its refused creations, and the longest stall of the API in milliseconds."""

    creations: Measured
    live: Measured
    stall: float = 0
    refused: int = 0


Attack = Callable[[Attacker], AbstractAsyncContextManager[None]]
Innocent = Callable[[Machine, str, float], Awaitable[Probed]]


async def run(results: Results, *, rounds: int, seconds: float, size: int, attacks: tuple[str, ...] = ()) -> None:
    """Measure each attack beside a quiet time of its own; `size` is the number of calls that it makes at once."""
    with machine() as servers, innocent_process() as innocent:
        url = servers.start_ours()
        await innocent(servers, url, 2)
        for name in attacks or tuple(ATTACKS):
            await _measure(results, Attacker(servers, url, size), innocent, name, rounds, seconds)


async def _measure(  # noqa: PLR0913, PLR0917 - the circumstances of an attack
    results: Results, attacker: Attacker, innocent: Innocent, name: str, rounds: int, seconds: float
) -> None:
    for _ in range(rounds):
        quiet = await innocent(attacker.servers, attacker.url, seconds)
        async with ATTACKS[name](attacker):
            beside = await innocent(attacker.servers, attacker.url, seconds)
        for metric, before, after in (
            ("creation p50", quiet.creations.percentile(0.5), beside.creations.percentile(0.5)),
            ("creation p99", quiet.creations.percentile(0.99), beside.creations.percentile(0.99)),
            ("/health/live p99", quiet.live.percentile(0.99), beside.live.percentile(0.99)),
        ):
            results.add(name, metric, before, "quiet", "ms")
            results.add(name, metric, after, "beside", "ms")
            results.add(name, metric, after / before, "ratio", "times")
        results.add(name, "creations refused", quiet.refused, "quiet", "")
        results.add(name, "creations refused", beside.refused, "beside", "")
        results.add(name, "loop of the API", quiet.stall, "longest stall, quiet", "ms")
        results.add(name, "loop of the API", beside.stall, "longest stall, beside", "ms")
    for answer, number in sorted(attacker.answers.items()):
        results.add(name, "answers to the attacker", number, answer, "")


@contextmanager
def innocent_process() -> Iterator[Innocent]:
    """Run the innocent tenant in a process of its own, so that the attacker's own work isn't measured."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:

        async def innocent(servers: Machine, url: str, seconds: float) -> Probed:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(process, _probe_there, url, servers.headers(), seconds)

        yield innocent


def _probe_there(url: str, headers: dict[str, str], seconds: float) -> Probed:
    return asyncio.run(_probe(url, headers, seconds))


async def _probe(url: str, headers: dict[str, str], seconds: float) -> Probed:
    """Create activities, and ask for `/health/live`, at an interval for so long."""
    probed = Probed(Measured(seconds), Measured(seconds))
    until = time.perf_counter() + seconds

    async def create() -> None:
        async with posting(url, headers) as call:

            async def create_or_count() -> None:
                try:
                    await call()
                except RuntimeError as refusal:
                    print(f"neighbours: the innocent tenant was refused: {refusal}", file=sys.stderr)
                    probed.refused += 1

            await _repeat(create_or_count, probed.creations, BETWEEN_SECONDS, until)

    async def ask() -> None:
        async with connection(url, {}) as opened:
            await _repeat(lambda: opened.get("/health/live"), probed.live, WATCH_SECONDS, until)

    await asyncio.gather(create(), ask())
    probed.stall = 1000 * max(probed.live.latencies)
    return probed


async def _repeat(call: Callable[[], Any], measured: Measured, interval: float, until: float) -> None:
    while (before := time.perf_counter()) < until:
        await call()
        measured.latencies.append(time.perf_counter() - before)
        await asyncio.sleep(interval)


CAMPAIGN = 400


@asynccontextmanager
async def bulk_operations(attacker: Attacker) -> AsyncIterator[None]:
    """Begin many bulk operations at once, each over a whole campaign, and stop all of them at the end."""
    async with attacker.client() as http:
        await _ensure_campaign(http)
        change = {"filter": {"channel": "EMAIL"}, "reason": "bench", "shift_seconds": 60, "per_second": 100}
        ids = [str(uuid4()) for _ in range(attacker.size)]
        begun = asyncio.gather(
            *(http.post("/api/activities/reschedule", json=change | {"operation_id": one}) for one in ids)
        )
        yield
        for answer in await begun:
            attacker.note("begin", answer)
        stops = [f"/api/operations/{one}/stop" for one in ids]
        for answer in await asyncio.gather(*(http.post(stop) for stop in stops)):
            attacker.note("stop", answer)
        for stop in stops:
            while (answer := await http.post(stop)).status_code not in {200, 404}:
                attacker.note("stop again", answer)


async def _ensure_campaign(http: httpx.AsyncClient) -> None:
    found = (await http.get("/api/activities", params={"channel": "EMAIL"})).json()
    missing = CAMPAIGN - found["meta"]["total"]
    items = [body(channel="EMAIL", commerce_id=str(OTHER_COMMERCE_ID)) for _ in range(missing)]
    for first in range(0, missing, 100):
        content = json.dumps({"activities": items[first : first + 100]})
        (await http.post("/api/activities/batch", content=content)).raise_for_status()


SENDERS = 5
LAST_CONTACTED = ("LAST_CONTACTED_ALL_CHANNELS", "LAST_CONTACTED_SAME_CHANNEL")
MANY_CRITERIA = [{"type": LAST_CONTACTED[days % 2], "config": {"within_days": days}} for days in range(1, 94)] + [
    {"type": "ROLE_MATCH", "config": {"role": role.value}} for role in Role
]
"""As many different ones as a request may have."""
MOST, BEYOND = USERS_OF_COMMERCE.default, 20_000
"""As many users as a commerce may have, and more than a tenant can add: a lowered limit leaves what there is."""


def _users(number: int) -> str:
    """Return the statement that adds users, none of whom can be reached, each contacted once."""
    return f"""
        WITH users AS (
            INSERT INTO commerce_users (tenant_id, commerce_id, external_id, name, roles, contacts)
            SELECT '{OTHER_TENANT_ID}', '{OTHER_COMMERCE_ID}', 'crowd-' || n, 'N', '{{OTHER}}',
                '[{{"contact_type": "EMAIL"}}]'
            FROM generate_series(2, {number}) n ON CONFLICT DO NOTHING RETURNING *)
        INSERT INTO contact_log (tenant_id, commerce_id, commerce_user_id, channel, contacted_at)
        SELECT tenant_id, commerce_id, id, 'WHATSAPP', now() - random() * interval '100 days' FROM users
    """  # noqa: S608 - constants of this repository


REASONS = f"""
    INSERT INTO reasons (tenant_id, code, label, aliases, name_keys)
    SELECT '{OTHER_TENANT_ID}', 'r' || n, 'Reason ' || n, ARRAY['also ' || n, 'and ' || n], '{{}}'
    FROM generate_series(1, {CATALOGUE_ENTRIES.default}) n ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this repository


Call = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def _repeated(call: Call, *, prepare: str = "", senders: int = SENDERS) -> Attack:
    """Return an attack in which a few senders make one call again and again."""

    @asynccontextmanager
    async def attack(attacker: Attacker) -> AsyncIterator[None]:
        if prepare:
            with attacker.servers.postgres.connect(DATABASE) as opened:
                opened.execute(prepare)
        is_over = asyncio.Event()

        async def send(http: httpx.AsyncClient) -> None:
            while not is_over.is_set():
                attacker.note("send", await call(http))

        async with attacker.client() as http, asyncio.TaskGroup() as group:
            for _ in range(senders):
                group.create_task(send(http))
            yield
            is_over.set()

    return attack


def _posted(path: str, **changes: Any) -> Call:
    """Return the call that posts an activity, a new one each time."""
    return lambda http: http.post(path, json=body(commerce_id=str(OTHER_COMMERCE_ID), **changes))


def _sent(path: str, content: bytes, media_type: str = "application/json") -> Call:
    """Return the call that posts the same content each time."""
    return lambda http: http.post(path, content=content, headers={"Content-Type": media_type})


@asynccontextmanager
async def large_activities(attacker: Attacker) -> AsyncIterator[None]:
    """Create activities with as many values as a body may have, and list them again and again."""
    value = {f"m{number}": number for number in range(19_000)}
    made = _posted(CREATE, attributes=[{"key": "promotions", "value": value}], channel="SALESMAN")
    async with attacker.client() as http:
        for _ in range(20):
            attacker.note("create", await made(http))
    listing = _repeated(lambda http: http.get(CREATE, params={"per_page": 100, "channel": "SALESMAN"}))
    async with listing(attacker):
        yield


CREATE, EXPLAIN, CLAIM = "/api/activities", "/api/activities/explain", "/api/executions/claim"
LONG = b"[" + b"[]," * 85_000 + b"[]]"
SYNC = json.dumps(
    {
        "items": [
            {"external_id": f"s{number}", "name": "S", "users": [{"external_id": f"u{user}"} for user in range(100)]}
            for number in range(1_000)
        ]
    }
).encode()
POLL = {"channels": ["PUSH"], "executor": "bench", "wait_seconds": 20}


def _criteria(path: str, users: int) -> Attack:
    return _repeated(_posted(path, target_criteria=MANY_CRITERIA), prepare=_users(users))


ATTACKS: dict[str, Attack] = {
    "bulk operations": bulk_operations,
    "unknown reason in a full catalogue": _repeated(_posted(EXPLAIN, reason="raeson 512 " * 9), prepare=REASONS),
    f"explain with 100 criteria, {MOST:,} users": _criteria(EXPLAIN, MOST),
    f"creation with 100 criteria, {MOST:,} users": _criteria(CREATE, MOST),
    f"explain with 100 criteria, {BEYOND:,} users": _criteria(EXPLAIN, BEYOND),
    f"creation with 100 criteria, {BEYOND:,} users": _criteria(CREATE, BEYOND),
    "bodies of very many values": _repeated(_sent(CREATE, LONG), senders=4),
    "synchronizations of 1,000 commerces": _repeated(_sent("/api/commerces/sync", SYNC), senders=4),
    "creations by 100 connections": _repeated(_posted(CREATE), senders=100),
    "reads by 100 connections": _repeated(lambda http: http.get(CREATE), senders=100),
    "large activities": large_activities,
    "claims that wait": _repeated(lambda http: http.post(CLAIM, json=POLL), senders=190),
    "32 scrapers of /metrics": _repeated(lambda http: http.get("/metrics"), senders=32),
}
"""Each attack goes on while its block runs, and has ended when the block has."""
