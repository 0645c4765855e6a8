"""Processes that never outlive the one that started them, even when that one is killed with `kill -9`."""

import os
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# The shell becomes the command itself, so that its pid is the one we know. Before that it leaves a watcher behind:
# it holds the read end of a pipe whose write end only we have: `cat` ends when we close it or die, in whatever way.
# The watcher is in the command's process group, therefore nobody else can be given the command's pid meanwhile. Where
# orphans aren't reaped, in a container without an init, a zombie counts as ended.
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
    kill -s KILL -$$
} >/dev/null 2>&1 &
exec "$@" 3<&-
"""


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
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends: then ask it with `stop_signal`, and kill it after `patience_seconds`.

    It gets a session of its own, so that Ctrl-C in a terminal reaches only us and we choose the order of stopping.
    `owner` is the user to run it as, when not our own. `keep_open` are file descriptors it inherits, such as a lock
    that must not be free before its last process is gone.
    """
    process = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "sh", stop_signal, str(patience_seconds), *command],
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
    """Let go of the pipe, as our death would, wait for the end, and take the watcher along."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
