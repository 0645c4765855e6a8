"""The faults of a chaos run: a schedule that a seed decides, and the way in which each is injected and ended."""

import asyncio
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from chaos.proxy import Line
from chaos.record import Click
from chaos.stack import APIS, WORKERS, Stack

OWN = (*APIS, *WORKERS)
LINES = (*APIS, *(f"{server} of {name}" for server in ("postgres", "temporal") for name in OWN))
TABLES = ("scheduled_activities", "status_events", "activity_results", "bulk_operation_items", "tenant_pauses")
MOST_CLICKS = 4
SMALLEST_BLOCK = 4096


@dataclass(frozen=True)
class Planned:
    """A fault at a time of the run, in seconds; `choice` is the seed of what it chooses when it comes."""

    at: float
    kind: str
    target: str
    seconds: float
    choice: int

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.kind} {self.target} {self.seconds:.1f} s"


Injector = Callable[["Faults", Planned], AbstractAsyncContextManager[None]]
"""Injects a fault when it is entered, and ends it when it is left."""


@dataclass
class Faults:
    """Inject the faults of a schedule; `clicks` are those of operators, and `injected` counts by kind."""

    stack: Stack
    clicks: list[Click] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)

    async def run(self, schedule: list[Planned], say: Callable[[str], None]) -> None:
        """Inject each fault at its time, beside those that still last; return when the last one has ended."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        busy: dict[str, asyncio.Lock] = {}
        async with asyncio.TaskGroup() as group:
            for planned in schedule:
                await asyncio.sleep(max(0.0, started + planned.at - loop.time()))
                lock = busy.setdefault(planned.target, asyncio.Lock())
                group.create_task(self._inject(planned, lock, say))

    async def _inject(self, planned: Planned, lock: asyncio.Lock, say: Callable[[str], None]) -> None:
        """Inject one fault for its time, after an earlier one of the same target has ended."""
        async with lock:
            say(str(planned))
            try:
                async with KINDS[planned.kind].inject(self, planned):
                    self.injected[planned.kind] += 1
                    await asyncio.sleep(planned.seconds)
            except (psycopg.Error, RPCError, sqlite3.Error, OSError, LookupError) as failure:
                say(f"          {planned.kind} met another fault, or nothing to hit: {type(failure).__name__}")


def _end_process(number: signal.Signals) -> Injector:
    """Return the fault that ends a process by a signal, and starts it again afterwards."""

    @asynccontextmanager
    async def inject(faults: Faults, planned: Planned) -> AsyncIterator[None]:
        part = faults.stack.parts[planned.target]
        part.signal(number)
        yield
        await asyncio.to_thread(part.start)

    return inject


def _disturb_line(line: Line) -> Injector:
    """Return the fault that keeps a proxy's connections in this state."""

    @asynccontextmanager
    async def inject(faults: Faults, planned: Planned) -> AsyncIterator[None]:
        proxy = faults.stack.proxies[planned.target]
        proxy.set(line)
        yield
        proxy.set(Line.UP)

    return inject


def _click(kind: str) -> Injector:
    """Return the fault that ends or resets some of the open runs, as an operator does in Temporal's web UI."""

    @asynccontextmanager
    async def inject(faults: Faults, planned: Planned) -> AsyncIterator[None]:
        temporal, random = faults.stack.temporal, Random(planned.choice)
        query = "WorkflowType = 'ScheduledActivityWorkflow' AND ExecutionStatus = 'Running'"
        async with asyncio.timeout(10):
            found = [run async for run in temporal.list_workflows(query, limit=200)]
            if not found:
                raise LookupError
            for run in random.sample(found, min(len(found), random.randint(1, MOST_CLICKS))):
                faults.clicks.append(Click(run.id, kind, datetime.now(UTC)))
                handle = temporal.get_workflow_handle(run.id, run_id=run.run_id)
                match kind:
                    case "terminate":
                        await handle.terminate("chaos")
                    case "cancel":
                        await handle.cancel()
                    case _:
                        await _reset(temporal, handle, random)
        yield

    return inject


async def _reset(temporal: Client, handle: WorkflowHandle[Any, Any], random: Random) -> None:
    """Reset a run to one of its finished workflow tasks."""
    finished = [
        event.event_id
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    if finished:
        await temporal.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or ""),
                workflow_task_finish_event_id=random.choice(finished),
                reason="chaos",
                request_id=str(uuid4()),
            )
        )


@asynccontextmanager
async def _freeze(faults: Faults, planned: Planned) -> AsyncIterator[None]:
    """Freeze a process; of PostgreSQL also those that serve its sessions, and those that write."""
    part = faults.stack.parts[planned.target]
    children: list[int] = []
    try:
        if planned.target == "postgres":
            with closing(await _connect(faults)) as connection:
                part.signal(signal.SIGSTOP)  # first, so that it starts no further process
                processes = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                children = [pid for (pid,) in connection.execute(processes)]
        part.signal(signal.SIGSTOP)
        _signal_all(children, signal.SIGSTOP)
        yield
    finally:
        _signal_all(children, signal.SIGCONT)
        part.signal(signal.SIGCONT)


def _signal_all(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


@asynccontextmanager
async def _end_sessions(faults: Faults, planned: Planned) -> AsyncIterator[None]:
    """End half of the sessions of PostgreSQL."""
    with closing(await _connect(faults)) as connection:
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        pids = [pid for (pid,) in connection.execute(others)]
        for pid in Random(planned.choice).sample(pids, len(pids) // 2):
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])
    yield


async def _connect(faults: Faults) -> psycopg.Connection[Any]:
    return await asyncio.to_thread(faults.stack.connect)


def _lock_rows(faults: Faults, planned: Planned) -> AbstractAsyncContextManager[None]:
    """Lock some of the rows that are due soonest: their marks, claims and changes wait."""
    number = 1 + planned.choice % 8
    soonest = "SELECT FROM scheduled_activities WHERE status IN ('READY', 'DUE', 'DISPATCHED') ORDER BY scheduled_at"
    return _hold(faults, f"{soonest} LIMIT {number} FOR UPDATE SKIP LOCKED")


def _lock_table(faults: Faults, planned: Planned) -> AbstractAsyncContextManager[None]:
    return _hold(faults, f"LOCK TABLE {planned.target} IN ACCESS EXCLUSIVE MODE")


@asynccontextmanager
async def _hold(faults: Faults, statement: str) -> AsyncIterator[None]:
    """Hold the locks of a statement."""
    with closing(await _connect(faults)) as connection:
        connection.execute("SET lock_timeout = '2s'")
        with connection.transaction():
            if not (await asyncio.to_thread(connection.execute, statement)).rowcount:
                raise LookupError
            yield


@asynccontextmanager
async def _read_only(faults: Faults, _: Planned) -> AsyncIterator[None]:
    """Make every transaction read-only by default, as on a server that a failover has left behind."""
    await _configure(faults, "SET default_transaction_read_only = on")
    try:
        yield
    finally:
        await _configure(faults, "RESET default_transaction_read_only")


async def _configure(faults: Faults, setting: str) -> None:
    """Change a setting of the server; repeat it while the server is away."""
    for _ in range(60):
        with suppress(psycopg.Error), closing(await _connect(faults)) as connection:
            connection.execute(f"ALTER SYSTEM {setting}")
            connection.execute("SELECT pg_reload_conf()")
            return
        await asyncio.sleep(0.5)


@asynccontextmanager
async def _lock_file(faults: Faults, _: Planned) -> AsyncIterator[None]:
    """Lock Temporal's database: it can be read, and nothing can be written."""
    with closing(sqlite3.connect(faults.stack.temporal_file, isolation_level=None, timeout=2)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@asynccontextmanager
async def _fill_disk(faults: Faults, _: Planned) -> AsyncIterator[None]:
    """Fill the disk that both databases are on."""
    ballast = faults.stack.folder / "ballast"
    with ballast.open("wb") as file:
        filled, size = 0, 2**26
        while size >= SMALLEST_BLOCK:
            try:
                os.posix_fallocate(file.fileno(), filled, size)
                filled += size
            except OSError:
                size //= 2
    try:
        yield
    finally:
        ballast.unlink()


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it may hit, and the most seconds that it lasts."""

    targets: tuple[str, ...]
    seconds: float
    inject: Injector


FULL_DISK, WRONG_CLOCKS = "full disk", "clocks 5 minutes off"
KINDS = {
    "kill": Kind((*OWN, "temporal"), 3, _end_process(signal.SIGKILL)),
    "stop": Kind(OWN, 3, _end_process(signal.SIGTERM)),
    "restart at once": Kind(("postgres",), 3, _end_process(signal.SIGQUIT)),
    "freeze": Kind((*OWN, "postgres", "temporal"), 12, _freeze),
    "cut": Kind(LINES, 6, _disturb_line(Line.CUT)),
    "freeze line": Kind(LINES, 12, _disturb_line(Line.FROZEN)),
    "half-open line": Kind(LINES, 12, _disturb_line(Line.HALF_OPEN)),
    "end sessions": Kind(("postgres",), 0, _end_sessions),
    "lock rows": Kind(("postgres",), 10, _lock_rows),
    "lock table": Kind(TABLES, 7, _lock_table),
    "read-only": Kind(("postgres",), 5, _read_only),
    "lock file": Kind(("temporal",), 6, _lock_file),
    "terminate runs": Kind(("runs",), 0, _click("terminate")),
    "cancel runs": Kind(("runs",), 0, _click("cancel")),
    "reset runs": Kind(("runs",), 0, _click("reset")),
    FULL_DISK: Kind(("postgres and temporal",), 6, _fill_disk),
}


OPTIONS = {FULL_DISK: "--small-disk", WRONG_CLOCKS: "--libfaketime"}
"""The kinds of fault that need an option."""


def list_left_out(injected: Mapping[str, int], *, wrong_clocks: bool) -> list[str]:
    """Name the kinds of fault that were not injected, whatever the reason, each with the option that it needs."""
    left_out = [kind for kind in KINDS if not injected.get(kind)] + ([] if wrong_clocks else [WRONG_CLOCKS])
    return [f"{kind} ({OPTIONS[kind]})" if kind in OPTIONS else kind for kind in left_out]


def plan(seed: int, seconds: float, *, full_disk: bool = False) -> list[Planned]:
    """Return the schedule of a seed: kinds in a random order, each as often as any other."""
    random = Random(seed)
    kinds = [kind for kind in KINDS if full_disk or kind != FULL_DISK]
    planned: list[Planned] = []
    deck: list[str] = []
    at = 2.0
    while at < seconds - 1:
        deck = deck or random.sample(kinds, len(kinds))
        kind = deck.pop()
        target, most = random.choice(KINDS[kind].targets), KINDS[kind].seconds
        lasting = min(random.uniform(most / 4, most), seconds - at)
        planned.append(Planned(at, kind, target, lasting, random.getrandbits(32)))
        at += random.uniform(1, 5)
    return planned
