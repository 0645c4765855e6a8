"""Run the project's programs as processes of their own, forked from one that has imported what they import.

An import of the API takes seconds of processor time, and tests start programs by the hundred. The tests of the
embedded stack and of the command lines of the documents start Python itself, as users do.
"""

import os
import runpy
import signal
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from threading import Lock

from tests.support.started_stacks import ROOT

OUTPUT, ERRORS = 1, 2
"""The file descriptors of the standard streams."""

_forks = get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.imported"])
_one_at_a_time = Lock()  # multiprocessing reads the end of a process wherever another one is started


class Program:
    """A running program: the path of its file in the project's folder, then its arguments."""

    def __init__(
        self,
        *command: str,
        environment: Mapping[str, str],
        output: Path,
        errors: Path | None = None,
        folder: Path = ROOT,
        strict: bool = False,
    ) -> None:
        """Start it with these variables; its errors go to `output` too by default, and `strict` is `-W error`."""
        for path in (output, errors or output):
            path.touch()
        self._process = _forks.Process(
            target=_execute, args=(command, dict(environment), output, errors or output, folder, strict), daemon=True
        )
        with _one_at_a_time:
            self._process.start()

    def poll(self) -> int | None:
        """Return its exit code, or the negative number of the signal that has ended it; None while it runs."""
        with _one_at_a_time:
            return self._process.exitcode

    def wait(self, seconds: float = 120) -> int:
        """Wait for its end and return the exit code."""
        give_up_at = time.monotonic() + seconds
        while (code := self.poll()) is None:
            assert time.monotonic() < give_up_at, "the program has not ended"
            time.sleep(0.02)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with _one_at_a_time:
            if self._process.exitcode is None and self._process.pid:
                os.kill(self._process.pid, number)

    def end(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self.send_signal(signal.SIGKILL)
        self.wait()


def run_program(
    *command: str, environment: Mapping[str, str], folder: Path = ROOT, strict: bool = False
) -> CompletedProcess[str]:
    """Run a program until it ends."""
    with TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        program = Program(*command, environment=environment, output=out, errors=err, folder=folder, strict=strict)
        try:
            code = program.wait()
        finally:
            program.kill()
        return CompletedProcess(command, code, out.read_text(), err.read_text())


def _execute(  # noqa: PLR0913, PLR0917 - what starting Python takes too
    command: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    errors: Path,
    folder: Path,
    strict: bool,  # noqa: FBT001
) -> None:
    """Become the program."""
    os.environ.clear()
    os.environ.update(environment)
    for path, descriptor in ((output, OUTPUT), (errors, ERRORS)):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    if strict:
        warnings.simplefilter("error")
    sys.argv = [*command]
    runpy.run_path(str(ROOT / command[0]), run_name="__main__")
