"""Define what a benchmark needs of the servers that it measures, and read the figures of processes."""

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import UUID

import httpx
from temporalio.client import Client

DATABASE = "scheduled_activities"
PATIENCE_SECONDS = 60
Counters = dict[tuple[str, str], float]
"""Counters of the servers by their name and unit."""


@dataclass
class Servers(ABC):
    """PostgreSQL, Temporal, the worker and the API; `parts` ends whatever the benchmark has started itself."""

    folder: Path
    parts: ExitStack
    log: IO[bytes]
    tenant_ids: tuple[UUID, ...]
    """The tenant of the activities, and another one to measure beside it if there is one."""
    process_ids: dict[str, int] = field(default_factory=dict)
    """The processes whose processor time is known, by name."""

    @abstractmethod
    def start(self, name: str, command: Sequence[str]) -> str:
        """Start a process that connects to the same servers; returns the base URL that it would serve."""

    @abstractmethod
    def start_ours(self, **variables: str) -> str:
        """Start our worker and API with these variables, unless they run already; returns the API's base URL."""

    @abstractmethod
    async def connect(self) -> Client:
        """Connect a bare client to Temporal."""

    @abstractmethod
    def headers(self, tenant_id: UUID | None = None) -> dict[str, str]:
        """Return the headers of a caller with every permission, by default in the tenant of the activities."""

    @abstractmethod
    def counters(self, database: str = DATABASE) -> Counters:
        """Return the counters of the servers."""

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor time used so far by each known process with its children."""
        return {name: processor_seconds(process_id) for name, process_id in self.process_ids.items()}


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


def temporal_counters(metrics_url: str) -> Counters:
    """Read from Temporal's metrics how often the server has called its database, and written rows of its lists."""
    lines = httpx.get(metrics_url, trust_env=False).raise_for_status().text.splitlines()
    calls = [line for line in lines if line.startswith("persistence_requests{")]
    writes = [line for line in lines if line.startswith("task_latency_count{") and 'task_type="Visibility' in line]
    own = [line for line in writes if 'namespace="temporal_system"' not in line]
    return {
        ("server persistence calls", ""): _sum(calls),
        ("visibility writes", ""): _sum(own),
    }


def _sum(lines: list[str]) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


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
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            own += processor_seconds(int(child))
    return own
