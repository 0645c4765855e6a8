"""Run a benchmark against a stack that runs already, as the environment names it, and remove its traces afterwards."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import text
from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from bench.cleaning import MARK, check_tenants, clean_up, opened_database
from bench.machine import machine
from bench.servers import DATABASE, Counters, Servers, temporal_counters
from embedded.demo_data import STORES, load_demo_data
from embedded.processes import guarded_process

REQUIRED = ("SYSTEM_DATABASE_URL", "TEMPORAL_ADDRESS", "TENANT_ID")


class TargetError(Exception):
    """Report that the environment names only a part of a stack."""


@dataclass(frozen=True)
class Target:
    """The addresses of a running stack, and tokens with every permission in tenants that only benchmarks use."""

    api_url: str
    database_url: str = field(repr=False)
    tokens: Mapping[UUID, str] = field(repr=False)
    """By tenant; the first tenant is that of the activities."""
    process_ids: Mapping[str, int] = field(default_factory=dict)
    """The processes of the stack that run on this machine, by name; the processor time of others is not known."""
    temporal_metrics_url: str | None = None


def read_target(environment: Mapping[str, str], token_variable: str, **details: Any) -> Target | None:
    """Read the stack that the environment names, or return None if it names no API.

    Raises:
        TargetError: it names only a part of a stack.
    """
    if not environment.get("API_URL"):
        return None
    missing = [name for name in (*REQUIRED, token_variable) if not environment.get(name)]
    if missing:
        msg = f"API_URL names a running stack: set {', '.join(missing)} as well, or unset it to measure an embedded one"
        raise TargetError(msg)
    token = environment[token_variable]
    tokens = {UUID(environment["TENANT_ID"]): token}
    if environment.get("OTHER_TENANT_ID"):
        tokens[UUID(environment["OTHER_TENANT_ID"])] = environment.get("OTHER_TENANT_TOKEN", token)
    return Target(environment["API_URL"].rstrip("/"), environment["SYSTEM_DATABASE_URL"], tokens, **details)


def read_process(words: str) -> tuple[str, int]:
    """Read the name of a process of the stack, and its id on this machine, from `worker=123`."""
    name, _, process_id = words.partition("=")
    return name, int(process_id)


@asynccontextmanager
async def open_servers(target: Target | None) -> AsyncIterator[Servers]:
    """Start servers, or prepare the tenants of a target and remove what the block has created there.

    Raises:
        TenantInUseError: a tenant of the target has rows that no benchmark has written.
    """
    if target is None:
        with machine() as started:
            yield started
        return
    tenant_ids = tuple(target.tokens)
    check_tenants(target.database_url, tenant_ids)
    with TemporaryDirectory(prefix="bench-") as folder, ExitStack() as parts:
        log = parts.enter_context((Path(folder) / "bench.log").open("ab"))
        servers = RunningServers(Path(folder), parts, log, tenant_ids, dict(target.process_ids), target=target)
        client = await servers.connect()
        await clean_up(client, target.database_url, tenant_ids)  # a killed benchmark may have left something
        stores = zip(tenant_ids, STORES, strict=False)
        load_demo_data(
            target.database_url, [replace(store, tenant_id=tenant_id, name=MARK) for tenant_id, store in stores]
        )
        try:
            yield servers
        finally:
            await clean_up(client, target.database_url, tenant_ids)


@dataclass
class RunningServers(Servers):
    """The servers of a target. Only what a benchmark itself needs is started, such as the worker of the floor."""

    target: Target = field(kw_only=True)

    def start(self, name: str, command: Sequence[str]) -> str:
        """Start a process with the environment of this one, which names the same servers; it serves nothing."""
        process = self.parts.enter_context(guarded_process(command, output=self.log, environment=os.environ))
        if self.process_ids:
            self.process_ids[name] = process.pid
        return ""

    def start_ours(self, **_: str) -> str:
        """Return the base URL of the running API. Its settings are its own."""
        return self.target.api_url

    async def connect(self) -> Client:
        """Connect a bare client to Temporal, as the environment describes."""
        environment: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
        return await Client.connect(**environment)

    def headers(self, tenant_id: UUID | None = None) -> dict[str, str]:
        """Return the headers of a caller."""
        tenant_id = tenant_id or self.tenant_ids[0]
        token = self.target.tokens[tenant_id]
        return {
            "Authorization": f"Bearer {token}",
            "x-tenant-id": str(tenant_id),
            "Content-Type": "application/json",
        }

    def counters(self, database: str = DATABASE) -> Counters:  # noqa: ARG002 - a target has one database of ours
        """Return the counters that the role may read; they count the work of others as well."""
        with opened_database(self.target.database_url) as connection:
            found: Counters = {("WAL", "B"): float(connection.execute(_WAL).scalar_one())}
            for name, size in connection.execute(_SIZES):
                found[f"growth of database {name}", "B"] = float(size)
            if connection.execute(_COUNTS_STATEMENTS).scalar_one():
                found["SQL statements", ""] = float(connection.execute(_STATEMENTS).scalar_one())
        if self.target.temporal_metrics_url:
            found |= temporal_counters(self.target.temporal_metrics_url)
        return found


_WAL = text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
_SIZES = text(
    "SELECT datname, pg_database_size(oid) FROM pg_database"
    " WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT')"
)
"""Temporal's databases are among them if they are on the same server and the role may connect to them."""
_COUNTS_STATEMENTS = text("SELECT to_regclass('pg_stat_statements') IS NOT NULL")
_STATEMENTS = text(
    "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database ON oid = dbid"
    " WHERE datname = current_database()"
)
