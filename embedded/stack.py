"""Start the whole stack in order, print when it is ready, and stop it in the opposite order: `make run`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen
from types import FrameType
from typing import NoReturn
from urllib.request import ProxyHandler, build_opener

from db.migrations import upgrade
from db.roles import API, OWNER, SYSTEM, WORKER
from embedded.demo_data import load_demo_data
from embedded.environment import published_variables, stack_variables
from embedded.postgres import Postgres, running_postgres
from embedded.processes import LogLines, StackError, folder_lock, guarded_process
from embedded.signing_key import AUDIENCE, ISSUER, SigningKey, ensure_signing_key
from embedded.stack_settings import StackSettings, check_ports
from embedded.temporal_server import LOOPBACK, TemporalServer, has_pollers, running_temporal
from embedded.views import link_views
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE
from settings import read_settings

_DATABASE = "scheduled_activities"
_LOOK_EVERY_SECONDS = 0.1
_READY_WITHIN_SECONDS = 60
WORKER_COMMAND = (sys.executable, "worker.py")
API_COMMAND = (sys.executable, "-m", "api.main")
DRAIN_SECONDS = 5
"""Seconds that the API and the worker have to finish their requests and steps after Ctrl-C."""
_OVERRIDDEN = ("PG", "TEMPORAL_", "AUTH_", "DATABASE_URL", "SYSTEM_DATABASE_URL", "MIGRATION_", "CODEC_")
_KEYS = "PAYLOAD_ENCRYPTION_KEYS"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Unwind to `main` after Ctrl-C, SIGTERM, a closed terminal, or the end of the caller."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop (returns 0) or until a part can't start or go on (returns 1)."""
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--stop-with-parent", action="store_true", help="also stop when the caller, make, ends")
    options = parser.parse_args(arguments)
    lines = LogLines(sys.stdout)
    for number in _SIGNALS:
        signal.signal(number, _request_stop)
    parent = os.getppid() if options.stop_with_parent else None
    with ExitStack() as parts:
        stack = Stack(read_settings(StackSettings), lines, parts)
        try:
            stack.start()
            stack.watch(parent)
        except StopRequested as request:
            lines.write("stack", f"{request}: stopping the API, the worker, Temporal and PostgreSQL")
            parts.close()
            lines.write("stack", "stopped")
            return 0
        except StackError as error:
            _ignore_signals()
            lines.write("stack", str(error))
            return 1


def _request_stop(number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    raise StopRequested(signal.Signals(number).name)


def _ignore_signals() -> None:
    """Ignore further signals, so that a second Ctrl-C doesn't interrupt the orderly stop."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@dataclass
class Stack:
    """Start and watch the parts of one stack; `parts` stops them, the last started first."""

    settings: StackSettings
    lines: LogLines
    parts: ExitStack
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start every part; returns when the API answers requests."""
        folder = self.settings.data_dir.resolve()
        lock = self.parts.enter_context(folder_lock(folder))
        (folder / "demo.json").unlink(missing_ok=True)
        check_ports(self.settings)
        key = ensure_signing_key(folder)
        postgres = self._start_postgres(folder / "postgres", lock)
        temporal = self._start_temporal(folder / "temporal" / "temporal.db", lock)
        upgrade(postgres.url(_DATABASE, OWNER))
        load_demo_data(postgres.url(_DATABASE, SYSTEM))
        of_worker, of_api = (database_urls(name, partial(postgres.url, _DATABASE)) for name in ("worker", "api"))
        worker, api = (process_environment(self.settings, urls, temporal, key) for urls in (of_worker, of_api))
        self._start_own("worker", WORKER_COMMAND, worker, lock)
        self._start_own("api", API_COMMAND, api, lock)
        for task_queue in (TASK_QUEUE, BULK_TASK_QUEUE):
            self._wait_for("the worker", partial(has_pollers, temporal, task_queue))
        self._wait_for("the API", lambda: _answers(f"{self.settings.api_url}/health/ready"))
        published = stack_variables(self.settings, key, temporal, of_worker)
        self.parts.enter_context(published_variables(folder / "demo.json", published))
        print(_welcome(self.settings, temporal, postgres.folder), flush=True)

    def _start_postgres(self, folder: Path, lock: int) -> Postgres:
        output = self.parts.enter_context(self.lines.output_of("postgres"))
        postgres = self.parts.enter_context(running_postgres(folder, output=output, keep_open=[lock]))
        self.processes["postgres"] = postgres.process
        postgres.create_database(_DATABASE)
        return postgres

    def _start_temporal(self, database: Path, lock: int) -> TemporalServer:
        output = self.parts.enter_context(self.lines.output_of("temporal"))
        temporal = self.parts.enter_context(
            running_temporal(
                database=database,
                port=self.settings.temporal_port,
                ui_port=self.settings.temporal_ui_port,
                codec_endpoint=f"{self.settings.api_url}/codec" if os.environ.get(_KEYS) else None,
                output=output,
                keep_open=[lock],
            )
        )
        self.processes["temporal"] = temporal.process
        return temporal

    def _start_own(self, name: str, command: Sequence[str], variables: Mapping[str, str], lock: int) -> None:
        output = self.parts.enter_context(self.lines.output_of(name))
        self.processes[name] = self.parts.enter_context(
            guarded_process(
                command,
                output=output,
                environment=variables,
                patience_seconds=2 * DRAIN_SECONDS,
                keep_open=[lock],
            )
        )

    def _wait_for(self, part: str, is_ready: Callable[[], bool]) -> None:
        """Wait until `is_ready` returns True, while all processes live."""
        give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
        while not is_ready():
            self._check_processes()
            if time.monotonic() > give_up_at:
                msg = f"{part} isn't ready after {_READY_WITHIN_SECONDS} seconds, see above"
                raise StackError(msg)
            time.sleep(_LOOK_EVERY_SECONDS)

    def watch(self, parent: int | None) -> NoReturn:
        """Watch the processes for ever.

        Raises:
            StackError: a process has ended.
            StopRequested: the caller's process has ended.

        """
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            self._check_processes()
            if parent is not None and os.getppid() != parent:
                reason = "the calling process has ended"
                raise StopRequested(reason)

    def _check_processes(self) -> None:
        for name, process in self.processes.items():
            code = process.poll()
            if code is not None:
                how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
                msg = f"{name} has ended {how}, see above: stopping everything"
                raise StackError(msg)


def database_urls(process: str, url_of: Callable[[str], str]) -> dict[str, str]:
    """Return the variables of PostgreSQL of the worker or the API; `url_of` returns the URL of a role."""
    if process == "api":
        return {"DATABASE_URL": url_of(API)}
    return {"DATABASE_URL": url_of(WORKER), "SYSTEM_DATABASE_URL": url_of(SYSTEM)}


def process_environment(
    settings: StackSettings, urls: Mapping[str, str], temporal: TemporalServer, key: SigningKey
) -> Mapping[str, str]:
    """Return the environment of the API and the worker: ours, with the addresses and keys of this stack."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OVERRIDDEN)}
    return inherited | {
        **urls,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "TEMPORAL_UI_URL": temporal.ui_url or "",
        "CODEC_ALLOWED_ORIGIN": temporal.ui_url or "",
        "LISTEN_HOST": LOOPBACK,
        "API_PORT": str(settings.api_port),
        "WORKER_METRICS_PORT": str(settings.worker_metrics_port),
        "WORKER_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_PUBLIC_KEY": key.public_pem(),
    }


def _answers(url: str) -> bool:
    """Return True if the URL answers with a success."""
    direct = build_opener(ProxyHandler({}))  # httpx would take longer to import than the API to answer
    try:
        with direct.open(url, timeout=5):
            return True
    except OSError:
        return False


def _format_views(ui_url: str) -> str:
    """Return a line with the link of each view of Temporal's web UI."""
    return "\n".join(f"  {name:<27}  {url}" for name, url in link_views(ui_url).items())


def _welcome(settings: StackSettings, temporal: TemporalServer, postgres: Path) -> str:
    """Return the addresses and the first commands, for the person at the terminal."""
    return f"""
API            {settings.api_url}
Documentation  {settings.api_url}/docs
Temporal UI    {temporal.ui_url}
{_format_views(temporal.ui_url or "")}
Metrics        {settings.api_url}/metrics and http://{LOOPBACK}:{settings.worker_metrics_port}/metrics (worker)
Data           {settings.data_dir} (demo.json has ids and tokens), PostgreSQL's in {postgres}

In another terminal, in this folder:

make demo              post an activity, see it become due and executed
make executor          claim whatever becomes due, and report its result
eval "$(make env)"     set API_URL, TOKEN, TENANT_ID, ... for the commands of README.md

.venv/bin/activities create --at +1h    and get, list, watch, move, cancel, explain, late, import: --help

Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
