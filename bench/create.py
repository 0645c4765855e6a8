"""Compare creations of our API with the least that Temporal can do, and with other frameworks."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from bench import floor
from bench.load import Call, Measured, loop, many_posting
from bench.machine import Machine
from bench.results import Results
from bench.servers import Servers, answers, python, wait_for
from bench.target import Target, open_servers

CLIENTS = (1, 32)
EACH = "processor time each"
OURS, FLOOR, DBOS, PROCRASTINATE, NAIVE = "ours", "floor", "DBOS", "procrastinate", "naive Temporal"
PEERS = {
    DBOS: ("dbos_steps", "dbos"),
    PROCRASTINATE: ("procrastinate_job", "procrastinate"),
    NAIVE: ("naive_temporal", "naive"),
}
"""The module and the database of each; DBOS works in its API's process, the others have a worker process."""

Calling = Callable[[int], AbstractAsyncContextManager[list[Call]]]


async def run(results: Results, *, rounds: int, seconds: float, target: Target | None = None) -> None:
    """Measure the contenders in turn, several times, so that other load of the machine affects all of them."""
    async with open_servers(target) as servers:
        contenders = await _contenders(servers)
        for name, calling in contenders.items():
            await _measure(servers, calling, 4, 2)
            print(f"create: {name} is warm", flush=True)
        for _ in range(rounds):
            for clients in CLIENTS:
                for name, calling in contenders.items():
                    measured, processor = await _measure(servers, calling, clients, seconds)
                    _note(results, f"create, {clients} at once", name, measured, processor)
    _compare(results, contenders)


async def _contenders(servers: Servers) -> Mapping[str, Calling]:
    """Start all contenders; each stays idle while another is measured."""
    client = await servers.connect()
    servers.start("floor worker", python("-m", "bench.floor"))

    @asynccontextmanager
    async def bare(clients: int) -> AsyncIterator[list[Call]]:
        yield [floor.creating(client)] * clients

    urls = {OURS: servers.start_ours()}
    if isinstance(servers, Machine):
        urls |= start_peers(servers, *PEERS)
    return {FLOOR: bare} | {name: partial(many_posting, url, servers.headers()) for name, url in urls.items()}


def start_peers(servers: Machine, *names: str, **variables: str) -> dict[str, str]:
    """Start the peers, each with its own database on the same server; returns their base URLs."""
    urls = {}
    for name in names:
        module, database = PEERS[name]
        servers.database(database)
        urls[name] = servers.start(name, python("-m", f"bench.peers.{module}"), database=database, **variables)
    for name, url in urls.items():
        wait_for(lambda url=url: answers(f"{url}/health/ready"))  # type: ignore[misc]
        module, database = PEERS[name]
        if name != DBOS:
            servers.start(f"{name} worker", python("-m", f"bench.peers.{module}", "work"), database=database)
    return urls


async def _measure(servers: Servers, calling: Calling, clients: int, seconds: float) -> tuple[Measured, float | None]:
    """Run a closed loop; returns its latencies and, if known, the processor time of all servers and the caller."""
    async with calling(clients) as calls:
        before = _processor(servers)
        measured = await loop(calls, seconds)
        return measured, _processor(servers) - before if servers.process_ids else None


def _processor(servers: Servers) -> float:
    return time.process_time() + sum(servers.processor_seconds().values())


def _note(results: Results, benchmark: str, name: str, measured: Measured, processor: float | None) -> None:
    results.add(benchmark, name, measured.rate, "rate", "/s")
    results.add(benchmark, name, measured.percentile(0.5), "p50", "ms")
    results.add(benchmark, name, measured.percentile(0.99), "p99", "ms")
    if processor is not None:
        results.add(benchmark, name, 1000 * processor / len(measured.latencies), EACH, "ms")


def _compare(results: Results, contenders: Collection[str]) -> None:
    """Add the ratios within each round; a disturbance of a round affects both sides of its ratio."""
    one, many = (f"create, {clients} at once" for clients in CLIENTS)
    for name in [name for name in contenders if name != OURS]:
        for title, benchmark, metric, above in (
            ("rate, 32 at once", many, "rate", OURS),
            ("p50, 1 at once", one, "p50", OURS),
            ("creations per processor second, 32 at once", many, EACH, name),
        ):
            if (benchmark, OURS, metric) not in results.rows:
                continue
            below = name if above == OURS else OURS
            ours, theirs = (results.rows[benchmark, side, metric].values for side in (above, below))
            for upper, lower in zip(ours, theirs, strict=True):
                results.add("create, ours to others", name, upper / lower, title, "x")
