"""Run the servers of a benchmark: PostgreSQL with fsync, Temporal on disk, and processes that end with the block."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from uuid import UUID

from temporalio.client import Client

from api.http.auth import Permission
from bench.servers import DATABASE, Counters, Servers, answers, resident, temporal_counters, wait_for
from db.migrations import upgrade
from db.roles import OWNER
from embedded.demo_data import load_demo_data
from embedded.demo_ids import OTHER_TENANT_ID, TENANT_ID
from embedded.postgres import Postgres, running_postgres
from embedded.processes import guarded_process
from embedded.signing_key import SigningKey, ensure_signing_key
from embedded.stack import API_COMMAND, WORKER_COMMAND, database_urls, process_environment
from embedded.stack_settings import StackSettings
from embedded.temporal_server import TemporalServer, free_port, has_pollers, running_temporal
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE

COUNTING = ("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off")


@dataclass
class Machine(Servers):
    """Servers that are started for the benchmark, and the processes beside them."""

    postgres: Postgres = field(kw_only=True)
    temporal: TemporalServer = field(kw_only=True)
    key: SigningKey = field(kw_only=True)
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)
    commands: tuple[Sequence[str], Sequence[str]] = (WORKER_COMMAND, API_COMMAND)
    """The command lines of our worker and our API."""

    def start(self, name: str, command: Sequence[str], *, database: str = DATABASE, **variables: str) -> str:
        """Start a process with the environment of our API and worker; returns the base URL that it would serve."""
        port = free_port()
        settings = StackSettings(api_port=port, temporal_ui_port=free_port(), data_dir=self.folder)
        url_of = partial(self.postgres.url, database)
        urls = database_urls(name, url_of) if name in {"worker", "api"} else {"DATABASE_URL": url_of()}
        known = process_environment(settings, urls, self.temporal, self.key)
        process = self.parts.enter_context(
            guarded_process(command, output=self.log, environment={**known, **variables})
        )
        self.processes[name], self.process_ids[name] = process, process.pid
        return f"http://127.0.0.1:{port}"

    def start_ours(self, **variables: str) -> str:
        """Start our worker and our API, with these variables, as `make run` does; returns the API's base URL."""
        worker, api = self.commands
        self.start("worker", worker, **variables)
        for task_queue in (TASK_QUEUE, BULK_TASK_QUEUE):
            wait_for(partial(has_pollers, self.temporal, task_queue))
        url = self.start("api", api, **variables)
        wait_for(lambda: answers(f"{url}/health/ready"))
        return url

    def kill(self, name: str) -> None:
        """Kill a process, as a crash does; its processor time is not known any more."""
        self.processes.pop(name).kill()
        del self.process_ids[name]

    async def connect(self) -> Client:
        """Connect a bare client to Temporal."""
        return await Client.connect(self.temporal.address)

    def database(self, name: str) -> str:
        """Create a database with our schema and the demonstration data; returns its name."""
        self.postgres.create_database(name)
        upgrade(self.postgres.url(name, OWNER))
        load_demo_data(self.postgres.url(name))
        return name

    def headers(self, tenant_id: UUID | None = None) -> dict[str, str]:
        """Return the headers of a caller with every permission."""
        everything = {tenant: list(Permission) for tenant in self.tenant_ids}
        token = self.key.token("bench", everything, timedelta(days=1))
        tenant_id = tenant_id or self.tenant_ids[0]
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

    def counters(self, database: str = DATABASE) -> Counters:
        """Return the counters since the start; the WAL covers all databases, but only this one is written."""
        with self.postgres.connect() as opened:
            (wal,) = opened.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchone() or (0,)
        return {
            **temporal_counters(self.temporal.metrics_url),
            ("SQL statements", ""): float(self.statements(database)[0]),
            ("WAL", "B"): float(wal),
        }

    def memory(self, name: str) -> int:
        """Return a process's memory in bytes, with its proportional share of shared pages."""
        return resident(self.process_ids[name])


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
        running = Machine(
            folder,
            parts,
            log,
            (TENANT_ID, OTHER_TENANT_ID),
            postgres=postgres,
            temporal=temporal,
            key=ensure_signing_key(folder),
        )
        running.process_ids |= {"postgres": postgres.process.pid, "temporal": temporal.process.pid}
        running.database(DATABASE)
        try:
            yield running
        except BaseException:
            print((folder / "bench.log").read_text(errors="replace")[-5000:], file=sys.stderr)
            raise
