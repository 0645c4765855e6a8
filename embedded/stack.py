"""Starts the whole stack in order, says when it is ready, and stops it in the opposite order: `make run`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from types import FrameType
from typing import NoReturn

import httpx

from db.migrations import upgrade
from embedded.demo_data import load_demo_data
from embedded.demo_file import curl_command, demo_facts, published
from embedded.folder_lock import folder_lock
from embedded.guarded_process import guarded_process
from embedded.log_lines import LogLines
from embedded.own_processes import API_COMMAND, DRAIN_SECONDS, WORKER_COMMAND, environment
from embedded.postgres import Postgres, running_postgres
from embedded.signing_key import ensure_signing_key
from embedded.stack_error import StackError
from embedded.stack_settings import StackSettings, read_settings, refuse_taken_ports
from embedded.temporal_server import TemporalServer, polled, running_temporal
from runs.client import TASK_QUEUE

_DATABASE = "scheduled_activities"
_LOOK_EVERY_SECONDS = 0.1
_READY_WITHIN_SECONDS = 60
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody wants the stack to stop: Ctrl-C, SIGTERM, or the terminal was closed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop, or until a part can't go on; only the first is a success."""
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--stop-with-parent", action="store_true", help="also stop when the caller, make, is gone")
    options = parser.parse_args(arguments)
    lines = LogLines(sys.stdout)
    for number in _SIGNALS:
        signal.signal(number, _request_stop)
    parent = os.getppid() if options.stop_with_parent else None
    with ExitStack() as parts:
        stack = Stack(read_settings(), lines, parts)
        try:
            stack.start()
            stack.watch(parent)
        except StopRequested as request:
            lines.say("stack", f"{request}: stopping the API, the worker, Temporal and PostgreSQL")
            parts.close()
            lines.say("stack", "stopped")
            return 0
        except StackError as error:
            _be_deaf()
            lines.say("stack", str(error))
            return 1


def _request_stop(number: int, _frame: FrameType | None) -> None:
    _be_deaf()
    raise StopRequested(signal.Signals(number).name)


def _be_deaf() -> None:
    """Don't let who presses again interrupt the stopping, which takes seconds at most."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@dataclass
class Stack:
    """The parts of one running stack; `parts` stops them, the last started first."""

    settings: StackSettings
    lines: LogLines
    parts: ExitStack
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start every part and return when a request would be answered."""
        folder = self.settings.data_dir.resolve()
        lock = self.parts.enter_context(folder_lock(folder))
        (folder / "demo.json").unlink(missing_ok=True)
        refuse_taken_ports(self.settings)
        key = ensure_signing_key(folder)
        postgres = self._start_postgres(folder / "postgres", lock)
        database_url = postgres.url(_DATABASE)
        temporal = self._start_temporal(folder / "temporal" / "temporal.db", lock)
        upgrade(database_url)
        load_demo_data(database_url)
        variables = environment(self.settings, database_url, temporal, key)
        self._start_own("worker", WORKER_COMMAND, variables, lock)
        self._start_own("api", API_COMMAND, variables, lock)
        self._wait_for("the worker", lambda: polled(temporal.address, TASK_QUEUE))
        self._wait_for("the API", lambda: _answers(f"{self.settings.api_url}/health/ready"))
        facts = demo_facts(self.settings, key, temporal)
        self.parts.enter_context(published(folder / "demo.json", facts))
        print(_welcome(self.settings, facts, postgres.folder), flush=True)

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

    def _wait_for(self, whom: str, is_ready: Callable[[], bool]) -> None:
        """Wait until somebody is ready, as long as everybody lives."""
        give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
        while not is_ready():
            self._look_after_all()
            if time.monotonic() > give_up_at:
                msg = f"{whom} isn't ready after {_READY_WITHIN_SECONDS} seconds, see above"
                raise StackError(msg)
            time.sleep(_LOOK_EVERY_SECONDS)

    def watch(self, parent: int | None) -> NoReturn:
        """Go on until we are asked to stop, a part dies, or our caller does."""
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            self._look_after_all()
            if parent is not None and os.getppid() != parent:
                reason = "the caller is gone"
                raise StopRequested(reason)

    def _look_after_all(self) -> None:
        for name, process in self.processes.items():
            code = process.poll()
            if code is not None:
                how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
                msg = f"{name} has ended {how}, see above: stopping everything"
                raise StackError(msg)


def _answers(url: str) -> bool:
    """Tell whether somebody answers with a success."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _welcome(settings: StackSettings, facts: Mapping[str, str], postgres: Path) -> str:
    """Write what a person needs to begin."""
    return f"""
API            {facts["baseUrl"]}
Documentation  {facts["baseUrl"]}/docs
Temporal UI    {facts["temporalUiUrl"]}
Metrics        {facts["baseUrl"]}/metrics and http://127.0.0.1:{settings.worker_metrics_port}/metrics (worker)
Data           {settings.data_dir} (demo.json has ids and tokens), PostgreSQL's in {postgres}

Create an activity:

{curl_command(facts)}

Or watch one become due: make demo. Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
