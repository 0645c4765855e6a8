"""Run the stack of a chaos run: PostgreSQL, Temporal, two workers and two APIs, each behind proxies of its own."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import IO, Any
from uuid import UUID

import httpx
import psycopg
from temporalio.client import Client

from api.http.auth import Permission
from chaos.proxy import Line, Proxy
from db.migrations import upgrade
from db.roles import OWNER
from embedded.demo_data import load_demo_data
from embedded.demo_ids import OTHER_TENANT_ID, TENANT_ID
from embedded.postgres import Postgres, running_postgres
from embedded.processes import guarded_process
from embedded.signing_key import ensure_signing_key
from embedded.stack import API_COMMAND, WORKER_COMMAND, database_urls, process_environment
from embedded.stack_settings import StackSettings
from embedded.temporal_server import TemporalServer, free_port, running_temporal
from runs.client import connect_to
from settings import EncryptionSettings

DATABASE = "scheduled_activities"
TENANTS = (TENANT_ID, OTHER_TENANT_ID)
APIS, WORKERS = ("api-1", "api-2"), ("worker-1", "worker-2")
OTHER_DEFAULTS = (
    "synchronous_commit=off",
    "datestyle=SQL, DMY",
    "intervalstyle=sql_standard",
    "default_transaction_isolation=repeatable read",
    "extra_float_digits=0",
    "bytea_output=escape",
    "timezone=America/Mexico_City",
)
"""Defaults of the server that a session must not rest on."""
STARTED_WITHIN = timedelta(seconds=90)


class Part:
    """One process of the stack, which can be started again after its end."""

    def __init__(self, name: str, start: Callable[[], AbstractContextManager[Popen[bytes]]]) -> None:
        self.name = name
        self._start = start
        self._running = ExitStack()
        self.process: Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, after ending the one before."""
        self.stop()
        self.process = self._running.enter_context(self._start())

    def stop(self) -> None:
        """End the process, if it runs."""
        self._running.close()
        self.process = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)


class Stack:
    """The parts and the proxies by name: `postgres of worker-1`, `temporal of api-2`, `api-1`."""

    def __init__(self, folder: Path, library: Path | None = None) -> None:
        self.folder = folder
        self._library = library
        self._key = ensure_signing_key(folder)
        self.log: IO[bytes] = (folder / "chaos.log").open("ab")
        self.parts: dict[str, Part] = {}
        self.proxies: dict[str, Proxy] = {}
        self.temporal_port = free_port()
        self.postgres: Postgres
        self.temporal: Client

    async def start(self) -> None:
        """Start every part; returns when both APIs answer."""
        self.parts["postgres"] = Part("postgres", self._run_postgres)
        self.parts["temporal"] = Part("temporal", self._run_temporal)
        await asyncio.gather(*(asyncio.to_thread(self.parts[name].start) for name in ("postgres", "temporal")))
        self.postgres.create_database(DATABASE)
        await asyncio.to_thread(upgrade, self.postgres.url(DATABASE, OWNER))
        await asyncio.to_thread(load_demo_data, self.postgres.url(DATABASE))
        self.temporal = await connect_to(f"127.0.0.1:{self.temporal_port}", keys=EncryptionSettings().key_ring)
        for number, name in enumerate((*APIS, *WORKERS)):
            await self._add_process(name, offset_minutes=(5, -5)[number % 2])
        async with asyncio.timeout(STARTED_WITHIN.total_seconds()):
            for name in APIS:
                await self._wait_until_ready(name)

    async def _add_process(self, name: str, offset_minutes: int) -> None:
        """Start an API or a worker behind proxies of its own."""
        postgres = Proxy(self.postgres.socket_folder / ".s.PGSQL.5432")
        temporal = Proxy(("127.0.0.1", self.temporal_port))
        self.proxies |= {f"postgres of {name}": postgres, f"temporal of {name}": temporal}
        port = free_port()
        if name in APIS:
            self.proxies[name] = Proxy(("127.0.0.1", port))
            await self.proxies[name].start()
        await asyncio.gather(postgres.start(), temporal.start())
        settings = StackSettings(api_port=port, temporal_ui_port=free_port(), data_dir=self.folder)
        urls = database_urls(
            "api" if name in APIS else "worker",
            lambda role: f"postgresql+psycopg://{role}@{postgres.address}/{DATABASE}",
        )
        server = TemporalServer(temporal.address, None, self._process("temporal"))
        environment = {**process_environment(settings, urls, server, self._key), **self._clock(offset_minutes)}
        command = API_COMMAND if name in APIS else WORKER_COMMAND
        self.parts[name] = Part(name, lambda: guarded_process(command, output=self.log, environment=environment))
        self.parts[name].start()

    def _clock(self, offset_minutes: int) -> Mapping[str, str]:
        """Return the variables that set a process's clock wrong, if the library for it was given."""
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME": f"{offset_minutes:+d}m",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",  # a semaphore for all processes, which a killed one would keep
        }

    def _process(self, name: str) -> Popen[bytes]:
        process = self.parts[name].process
        assert process is not None  # noqa: S101 - it was started before
        return process

    @contextmanager
    def _run_postgres(self) -> Iterator[Popen[bytes]]:
        with running_postgres(self.folder / "postgres", settings=OTHER_DEFAULTS, output=self.log) as self.postgres:
            yield self.postgres.process

    @contextmanager
    def _run_temporal(self) -> Iterator[Popen[bytes]]:
        with running_temporal(database=self.temporal_file, port=self.temporal_port, output=self.log) as server:
            yield server.process

    @property
    def temporal_file(self) -> Path:
        """Return Temporal's database, a file of SQLite."""
        return self.folder / "temporal" / "temporal.db"

    async def _wait_until_ready(self, name: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            while True:
                try:
                    if (await http.get(f"{self.url(name)}/health/ready")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    def url(self, name: str) -> str:
        """Return the base URL of an API, through its proxy."""
        return f"http://{self.proxies[name].address}"

    def headers(self, tenant: UUID, caller: str) -> dict[str, str]:
        """Return the headers of a caller with every permission in the tenant, also for an API whose clock is slow."""
        token = self._key.token(caller, {tenant: list(Permission)}, timedelta(days=1), age=timedelta(minutes=10))
        return {"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant)}

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection to the database beside the proxies; it may write on a server that is read-only."""
        connection = self.postgres.connect(DATABASE)
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("SET datestyle = ISO")
        return connection

    async def heal(self) -> None:
        """Restore every line and start every process that has ended."""
        for proxy in self.proxies.values():
            proxy.set(Line.UP)
        for part in self.parts.values():
            part.signal(signal.SIGCONT)
            if part.process is None or part.process.poll() is not None:
                await asyncio.to_thread(part.start)

    def stop(self) -> None:
        """End every process, the last started first."""
        for part in reversed(self.parts.values()):
            part.signal(signal.SIGCONT)
            part.stop()
        self.log.close()
