"""Start processes that end with their starter, relay their output line by line, and lock the folder they work in."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TextIO

_LOCK_PATIENCE_SECONDS = 30
_COLOURS = {"postgres": 34, "temporal": 35, "worker": 33, "api": 32, "stack": 36}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WIDTH = max(map(len, _COLOURS))

# The shell replaces itself by the command, so the command's pid is the one that Popen knows. Before that it starts a
# watcher, which holds the read end of a pipe whose write end only the starter has: `cat` ends when the starter closes
# it or dies, even by SIGKILL. The watcher belongs to the command's process group, so the system can't give the
# command's pid to another process meanwhile. A zombie counts as ended: a container without an init never reaps orphans.
# The last line ends what the command has started itself. dash accepts a process group only after `--`.
_GUARD = """
stop_signal=$1; tenths=$(($2 * 10)); shift 2
exec 3<&0 </dev/null
{
    cat <&3
    kill -s "$stop_signal" $$ && kill -s CONT $$
    while [ $tenths -gt 0 ] && kill -0 $$; do
        case $(cat /proc/$$/stat) in *") Z "*) break ;; esac
        sleep 0.1
        tenths=$((tenths - 1))
    done
    kill -s KILL -- -$$
} >/dev/null 2>&1 &
exec "$@" 3<&-
"""


class StackError(Exception):
    """Report that a part of the stack can't start or go on; the message is one line for the person who started it."""


@contextmanager
def guarded_process(  # noqa: PLR0913 - the options of starting a process
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    environment: Mapping[str, str],
    stop_signal: str = "TERM",
    patience_seconds: int = 10,
    owner: int | None = None,
    keep_open: Collection[int] = (),
    shell: str = "/bin/sh",
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block or the calling process ends.

    Then send `stop_signal`, and after `patience_seconds` kill it with everything that it has started.

    It runs in a session of its own: Ctrl-C in a terminal reaches the caller only, which chooses the order of stopping.
    `owner` is the user to run it as; by default the caller's. `keep_open` are file descriptors it inherits, such as a
    lock that must be held until its last process is gone. `shell` interprets the guard.
    """
    process = subprocess.Popen(
        [shell, "-c", _GUARD, "sh", stop_signal, str(patience_seconds), *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
        user=owner,
        group=owner,
        extra_groups=None if owner is None else [],
        pass_fds=tuple(keep_open),
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that the watcher reads, wait for the command's end, and kill the rest of its group."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class LogLines:
    """Write whole lines of several processes to one stream, each with its process's name; coloured in a terminal."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._in_terminal = stream.isatty()
        self._one_at_a_time = threading.Lock()

    def write(self, name: str, line: str) -> None:
        """Write one line under the name of a process."""
        prefix = f"{name:<{_WIDTH}} │"
        if self._in_terminal:
            prefix = f"\x1b[{_COLOURS.get(name, 0)}m{prefix}\x1b[0m"
        # Writing to a terminal that was closed fails; the stack must still stop in order.
        with self._one_at_a_time, suppress(OSError, ValueError):
            self._stream.write(f"{prefix} {line}\n")
            self._stream.flush()

    @contextmanager
    def output_of(self, name: str) -> Iterator[int]:
        """Open a file descriptor that a process writes its output to; a pseudo-terminal if the stream is a terminal."""
        source, sink = pty.openpty() if self._in_terminal else os.pipe()
        reader = threading.Thread(target=self._relay, args=(name, source), daemon=True)
        reader.start()
        try:
            yield sink
        finally:
            os.close(sink)
            reader.join(timeout=2)

    def _relay(self, name: str, source: int) -> None:
        """Copy lines until the last writer has closed the descriptor; a pseudo-terminal then raises OSError."""
        with open(source, encoding="utf-8", errors="replace") as lines, suppress(OSError):
            for line in lines:
                shown = line.rstrip("\r\n")
                self.write(name, shown if self._in_terminal else _COLOUR.sub("", shown))


@contextmanager
def folder_lock(folder: Path) -> Iterator[int]:
    """Lock the folder of a stack; yields a file descriptor that every process working in the folder must inherit.

    Raises:
        StackError: it can't be written, another stack has locked it, or processes of a killed stack still run in it.

    """
    with ExitStack() as opened:
        try:
            folder.mkdir(
                mode=0o711, parents=True, exist_ok=True
            )  # 711: PostgreSQL may run as a user who passes through
            stack, processes = (
                opened.enter_context(_open_lock(folder / f"{one}.lock")) for one in ("stack", "processes")
            )
        except OSError as failure:
            msg = f"DATA_DIR: {failure}"
            raise StackError(msg) from failure
        if not _lock(stack.fileno(), patience_seconds=0):
            msg = f"another stack runs in {folder}: stop it, or set DATA_DIR to another folder"
            raise StackError(msg)
        if not _lock(processes.fileno(), patience_seconds=_LOCK_PATIENCE_SECONDS):
            msg = f"processes of a stack that was killed still work in {folder}"
            raise StackError(msg)
        yield processes.fileno()


def _open_lock(path: Path) -> IO[str]:
    """Open a file to lock, its owner's alone: any user who can read it could lock it."""
    file = open(path, "w", encoding="utf-8", opener=partial(os.open, mode=0o600))  # noqa: SIM115 - Path has no opener
    os.fchmod(file.fileno(), 0o600)  # of a version before it was open to all
    return file


def _lock(file: int, patience_seconds: float) -> bool:
    """Take a lock that lasts until the last process has closed the file; returns False if it stays taken."""
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
