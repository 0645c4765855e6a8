"""The servers that tests share; isolation comes from a tenant of its own for each test."""

import gc
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import HealthCheck, settings
from temporalio.client import Client

from embedded.postgres import Postgres, running_postgres
from embedded.temporal_server import DYNAMIC_CONFIG, TemporalServer, free_port, running_temporal
from logs import configure_logging
from tests.support.builders import Tenant
from tests.support.prepared_postgres import StoppablePostgres, copy_data, prepared_data
from tests.support.service import Service, running_service, temporal_client
from tests.support.worlds import new_database

UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME_SKIPPING = {"frontend.WorkflowTimeSkippingEnabled": "true"}
FORGETTING_AT_ONCE = {
    "history.transferProcessorEnsureCloseBeforeDelete": "false",
    "history.visibilityProcessorEnsureCloseBeforeDelete": "false",
}
"""Else a run that has closed just now is deleted half a minute later."""
ONE_PARTITION = {"matching.numTaskqueueReadPartitions": "1", "matching.numTaskqueueWritePartitions": "1"}
"""Queues stay loaded for minutes after their test, by default in four partitions that pass waiting tasks around."""
LONGEST = {"stack", "operating"}
"""The folders of tests that start processes and servers of their own."""
RARE_COLLECTION = {"GOGC": "400", "GOMEMLIMIT": "768MiB"}
"""Garbage collection takes a tenth of the processor time of Temporal's servers by default."""


# The same examples in every run, and no clock: a test fails because of a change, never because of chance or load.
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("steady")


os.environ.update(RARE_COLLECTION)
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage rarely, and never look at what lives as long as the process: modules and tests.

    By default that takes an eighth of the processor time of the tests' processes.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Leave the SDK's interruptions out of the unraisable exceptions that fail a test.

    Its deadlock detection interrupts the thread of a run that stands still for two seconds. On a busy machine that
    thread may be in a finalizer, which can't raise; the run is tried again.
    """
    collect = sys.unraisablehook

    def collect_others(unraisable: Any) -> None:
        if unraisable.exc_type.__name__ != "_InterruptDeadlockError":
            collect(unraisable)

    sys.unraisablehook = collect_others


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes for `-n auto`: none for a single file, which one process runs with fewer servers.

    Two for each processor, since tests wait for timers and servers more than they compute.
    """
    named = [Path(argument.split("::")[0]) for argument in config.args]
    files = len(set(named)) if all(path.suffix == ".py" for path in named) else None
    return 0 if files == 1 else min(2 * (os.cpu_count() or 1), 8, files or 8)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process has one of them left when the others have ended."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a UUID by its argument: the processes that collect the same tests have to agree on their names."""
    return argname if UUID_TEXT.fullmatch(str(val)) else None


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One event loop for the whole session, so that servers and clients outlive a test; the one of our processes."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of PostgreSQL that the servers of all processes of the tests begin with."""
    of_process = tmp_path_factory.getbasetemp()
    return prepared_data((of_process.parent if hasattr(request.config, "workerinput") else of_process) / "prepared")


@pytest.fixture(scope="session")
def postgres(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real server, with a database `template` that has the schema. Plans change by ANALYZE alone, never by time."""
    folder = tmp_path_factory.mktemp("postgres")
    copy_data(prepared, folder)
    with running_postgres(
        folder, durable=False, settings=["autovacuum=off", "wal_level=minimal", "max_wal_senders=0"]
    ) as server:
        yield server


@pytest.fixture
def own_postgres(prepared: Path, tmp_path: Path) -> Iterator[StoppablePostgres]:
    """Run a server for one test."""
    postgres = StoppablePostgres(prepared, tmp_path)
    yield postgres
    postgres.stop()


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[TemporalServer]:
    """A real server with its web UI."""
    with running_temporal(
        ui_port=free_port(),
        dynamic_config=DYNAMIC_CONFIG | TIME_SKIPPING | FORGETTING_AT_ONCE | ONE_PARTITION,
    ) as server:
        yield server


@pytest.fixture(scope="session")
async def temporal(temporal_server: TemporalServer) -> Client:
    """A client of the shared server."""
    return await temporal_client(temporal_server.address)


@pytest.fixture(scope="session")
async def service(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """The whole service, shared by all tests that break nothing."""
    async with running_service(new_database(postgres, "service"), temporal) as running:
        yield replace(running, is_patient=True)


@pytest.fixture
async def tenant(service: Service) -> Tenant:
    """Create a tenant for one test."""
    return await service.tenant()


@pytest.fixture
async def http(service: Service, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with every permission in that tenant."""
    async with service.client(tenant.id) as client:
        yield client


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Collect what the process writes to its log, as in production."""
    written = StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging("test", written)
    yield written
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()
