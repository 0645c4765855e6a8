"""Keeps two stacks out of one folder, and a new one until the last process of a killed one is gone."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.stack_error import StackError

_PATIENCE_SECONDS = 30


@contextmanager
def folder_lock(folder: Path) -> Iterator[int]:
    """Hold the folder; the file descriptor is for every process that works in it to inherit.

    Raises:
        StackError: another stack holds it, or the processes of a killed one don't end.

    """
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)  # where PostgreSQL has to run as nobody, it must get through
    with (folder / "stack.lock").open("w") as ours, (folder / "processes.lock").open("w") as everybodys:
        if not _lock(ours.fileno(), patience_seconds=0):
            msg = f"another stack runs in {folder}: stop it, or set DATA_DIR to another folder"
            raise StackError(msg)
        if not _lock(everybodys.fileno(), patience_seconds=_PATIENCE_SECONDS):
            msg = f"processes of a stack that was killed still work in {folder}"
            raise StackError(msg)
        yield everybodys.fileno()


def _lock(file: int, patience_seconds: float) -> bool:
    """Take a lock that lasts as long as somebody has the file open."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                return False
            time.sleep(0.1)
        else:
            return True
