"""Test that guarded processes end with the process that has started them, and take along what they have started."""

# ruff: noqa: S603 - the programs are ours

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.processes import folder_lock
from tests.support.started_stacks import ROOT, wait_until

STARTER = """
import signal, subprocess, sys, time
from embedded.processes import guarded_process
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background inherits that it is ignored
output = sys.stdout.fileno()
with guarded_process(
    ["/bin/sh", "-c", sys.argv[1]], output=output, environment={}, patience_seconds=1, shell=sys.argv[2]
):
    time.sleep(600)
"""
ENDS_WHEN_ASKED = "sleep 600 & echo $! $$; wait"
SHELLS = [name for name in ("dash", "bash") if shutil.which(name)]
"""Those that /bin/sh mostly is; dash refuses a process group without `--`."""
IGNORES_THE_REQUEST = "trap '' TERM; sleep 600 & echo $! $$; wait; wait"


def runs(process_id: int) -> bool:
    """Return True while the process runs; an orphan may stay a zombie in a container without an init."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(") ")[2][0] != "Z"


@contextmanager
def starter_of(script: str, shell: str = "/bin/sh") -> Iterator[subprocess.Popen[str]]:
    """Start a process that guards a shell with this script; kill it at the end of the block."""
    command = [sys.executable, "-c", STARTER, script, shell]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        try:
            yield starter
        finally:
            starter.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("script", [ENDS_WHEN_ASKED, IGNORES_THE_REQUEST], ids=["ends", "ignores"])
def test_a_guarded_process_and_its_children_end_with_their_starter(script: str, number: signal.Signals) -> None:
    with starter_of(script) as starter:
        assert starter.stdout is not None
        child, process = map(int, starter.stdout.readline().split())
        assert runs(child)
        assert runs(process)
        starter.send_signal(number)
        wait_until(lambda: not runs(process))
        wait_until(lambda: not runs(child))


@pytest.mark.parametrize("shell", [*SHELLS, "/bin/sh"])
def test_the_guard_kills_a_group_that_ignores_the_request_in_each_shell(shell: str) -> None:
    path = shutil.which(shell)
    assert path is not None
    with starter_of(IGNORES_THE_REQUEST, path) as starter:
        assert starter.stdout is not None
        child, process = map(int, starter.stdout.readline().split())
        starter.kill()  # nothing but the guard is left to kill the two
        wait_until(lambda: not runs(process) and not runs(child))


def test_the_files_that_are_locked_are_their_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "stack.lock").touch(mode=0o666)
    with folder_lock(tmp_path):
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert modes == {"stack.lock": "0o600", "processes.lock": "0o600"}
