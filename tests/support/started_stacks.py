"""Start stacks as users do, as processes, and observe them from outside."""

# ruff: noqa: S603 - the program is ours

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from embedded.temporal_server import free_port

ROOT = Path(__file__).parents[2]
STACK = (sys.executable, "-m", "embedded.stack")
PATIENCE_SECONDS = 120


def wait_until(is_so: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.1)


def some_ports() -> dict[str, str]:
    return {name: str(free_port()) for name in ("API_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT")}


@dataclass
class Stack:
    """A stack in a process of its own."""

    folder: Path
    command: Sequence[str] = STACK
    variables: dict[str, str] = field(default_factory=some_ports)

    def __post_init__(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.variables | {"DATA_DIR": str(self.folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def demo_json(self) -> Path:
        """The file of addresses and tokens, which exists while the stack is ready."""
        return self.folder / "demo.json"

    def ready(self) -> dict[str, str]:
        """Wait until the stack is ready, and return the content of demo.json."""
        wait_until(lambda: self.demo_json.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        facts: dict[str, str] = json.loads(self.demo_json.read_text())
        return facts

    def process_ids(self) -> set[int]:
        """Return the processes with this stack's folder in their command line or environment."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(self.folder) in words:
                found.add(int(process.name))
        return found


@contextmanager
def running(folder: Path, command: Sequence[str] = STACK, **variables: str) -> Iterator[Stack]:
    """Run a stack with these variables until the block ends, then kill it: nothing of it may stay."""
    stack = Stack(folder, command, some_ports() | variables)
    try:
        yield stack
    finally:
        stack.process.kill()
        stack.process.wait()
        wait_until(lambda: not stack.process_ids())
