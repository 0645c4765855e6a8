"""Test that guarded processes end with the process that has started them, and take along what they have started."""

# ruff: noqa: S603 - the programs are ours

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.started_stacks import ROOT, wait_until

STARTER = """
import subprocess, sys, time
from embedded.processes import guarded_process
with guarded_process(["/bin/sh", "-c", sys.argv[1]], output=sys.stdout.fileno(), environment={}, patience_seconds=1):
    time.sleep(600)
"""
ENDS_WHEN_ASKED = "sleep 600 & echo $! $$; wait"
IGNORES_THE_REQUEST = "trap '' TERM; sleep 600 & echo $! $$; wait; wait"


def runs(process_id: int) -> bool:
    """Return True while the process runs; an orphan may stay a zombie in a container without an init."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(") ")[2][0] != "Z"


@contextmanager
def starter_of(script: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that guards a shell with this script; kill it at the end of the block."""
    command = [sys.executable, "-c", STARTER, script]
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
