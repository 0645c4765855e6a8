"""Run the servers of a benchmark: PostgreSQL with fsync, Temporal on disk, and processes that end with the block."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import IO
from uuid import UUID

import httpx

from api.http.auth import Permission
from db.migrations import upgrade
from embedded.demo_data import OTHER_TENANT_ID, TENANT_ID, load_demo_data
from embedded.postgres import Postgres, running_postgres
from embedded.processes import guarded_process
from embedded.signing_key import SigningKey, ensure_signing_key
from embedded.stack import API_COMMAND, WORKER_COMMAND, process_environment
from embedded.stack_settings import StackSettings
from embedded.temporal_server import TemporalServer, free_port, has_pollers, running_temporal
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE

PATIENCE_SECONDS = 60
DATABASE = "scheduled_activities"
COUNTING = ("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off")


@dataclass
class Machine:
    """The servers and the processes started beside them."""

    folder: Path
    postgres: Postgres
    temporal: TemporalServer
    key: SigningKey
    parts: ExitStack
    log: IO[bytes]
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], *, database: str = DATABASE, **variables: str) -> str:
        """Start a process with the environment of our API and worker; returns the base URL that it would serve."""
        port = free_port()
        settings = StackSettings(api_port=port, temporal_ui_port=free_port(), data_dir=self.folder)
        known = process_environment(settings, self.postgres.url(database), self.temporal, self.key)
        self.processes[name] = self.parts.enter_context(
            guarded_process(command, output=self.log, environment={**known, **variables})
        )
        return f"http://127.0.0.1:{port}"

    def start_ours(self, **variables: str) -> str:
        """Start our worker, with these variables, and our API as `make run` does; returns the API's base URL."""
        self.start("worker", WORKER_COMMAND, **variables)
        for task_queue in (TASK_QUEUE, BULK_TASK_QUEUE):
            wait_for(partial(has_pollers, self.temporal.address, task_queue))
        url = self.start("api", API_COMMAND)
        wait_for(lambda: answers(f"{url}/health/ready"))
        return url

    def database(self, name: str) -> str:
        """Create a database with our schema and the demonstration data; returns its name."""
        self.postgres.create_database(name)
        upgrade(self.postgres.url(name))
        load_demo_data(self.postgres.url(name))
        return name

    def headers(self, tenant_id: UUID = TENANT_ID) -> dict[str, str]:
        """Return the headers of a caller with every permission."""
        everything = {tenant: list(Permission) for tenant in (TENANT_ID, OTHER_TENANT_ID)}
        token = self.key.token("bench", everything, timedelta(days=1))
        return {"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant_id), "Content-Type": "application/json"}

    def statements(self, database: str = DATABASE) -> tuple[int, int]:
        """Return the number of statements a database has executed, and of buffers of 8 kB that they have touched."""
        counted = (
            "SELECT coalesce(sum(calls), 0)::int, coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int"
            " FROM pg_stat_statements JOIN pg_database ON oid = dbid WHERE datname = %s"
        )
        with self.postgres.connect() as opened:
            calls, buffers = opened.execute(counted, [database]).fetchone() or (0, 0)
        return calls, buffers

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor time used so far by each process with its children."""
        return {name: processor_seconds(process.pid) for name, process in self.processes.items()}

    def memory(self, name: str) -> int:
        """Return a process's memory in bytes, with its proportional share of shared pages."""
        return resident(self.processes[name].pid)


@contextmanager
def machine() -> Iterator[Machine]:
    """Run the servers on free ports with data in a temporary folder."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name, ExitStack() as parts:
        folder = Path(name)
        log = parts.enter_context((folder / "bench.log").open("ab"))
        postgres = parts.enter_context(running_postgres(folder / "postgres", settings=COUNTING, output=log))
        with postgres.connect() as opened:
            opened.execute("CREATE EXTENSION pg_stat_statements")
        temporal = parts.enter_context(
            running_temporal(
                database=folder / "temporal" / "temporal.db",
                port=free_port(),
                ui_port=None,
                output=log,
            )
        )
        running = Machine(folder, postgres, temporal, ensure_signing_key(folder), parts, log)
        running.processes |= {"postgres": postgres.process, "temporal": temporal.process}
        running.database(DATABASE)
        try:
            yield running
        except BaseException:
            print((folder / "bench.log").read_text(errors="replace")[-5000:], file=sys.stderr)
            raise


def python(*arguments: str) -> tuple[str, ...]:
    """Return a command line of this Python."""
    return (sys.executable, *arguments)


def wait_for(is_ready: Callable[[], bool]) -> None:
    """Wait until `is_ready` returns True.

    Raises:
        TimeoutError: it stayed False.
    """
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_ready():
        if time.monotonic() > give_up_at:
            msg = "a process isn't ready, see its output"
            raise TimeoutError(msg)
        time.sleep(0.1)


def answers(url: str, headers: Mapping[str, str] | None = None) -> bool:
    """Return True if the URL answers with a success."""
    try:
        return httpx.get(url, headers=headers, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def resident(pid: int) -> int:
    """Return the bytes held by a process and its children; PostgreSQL's sessions are children."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    shares = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) for line in shares if line.startswith("Pss:"))
    return own * 1024 + sum(resident(child) for child in children)


def processor_seconds(pid: int) -> float:
    """Return the processor time used by a process and its children, living and dead."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_seconds(int(child)) for child in children)
