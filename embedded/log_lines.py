"""Several processes' output in one stream, told apart by a name before each line."""

import os
import pty
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_COLOURS = {"postgres": 34, "temporal": 35, "worker": 33, "api": 32, "stack": 36}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WIDTH = max(map(len, _COLOURS))


class LogLines:
    """Writes whole lines to one stream, whichever process they come from; coloured in a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._in_terminal = stream.isatty()
        self._one_at_a_time = threading.Lock()

    def say(self, name: str, line: str) -> None:
        """Write one line in the name of a process."""
        prefix = f"{name:<{_WIDTH}} │"
        if self._in_terminal:
            prefix = f"\x1b[{_COLOURS.get(name, 0)}m{prefix}\x1b[0m"
        # A terminal that was closed must not keep us from stopping in order.
        with self._one_at_a_time, suppress(OSError, ValueError):
            self._stream.write(f"{prefix} {line}\n")
            self._stream.flush()

    @contextmanager
    def output_of(self, name: str) -> Iterator[int]:
        """Open a file descriptor for a process to write to; in a terminal it seems to be one to the process as well."""
        source, sink = pty.openpty() if self._in_terminal else os.pipe()
        reader = threading.Thread(target=self._relay, args=(name, source), daemon=True)
        reader.start()
        try:
            yield sink
        finally:
            os.close(sink)
            reader.join(timeout=2)

    def _relay(self, name: str, source: int) -> None:
        """Copy lines until nobody can write any more; a terminal tells that by an error."""
        with open(source, encoding="utf-8", errors="replace") as lines, suppress(OSError):
            for line in lines:
                shown = line.rstrip("\r\n")
                self.say(name, shown if self._in_terminal else _COLOUR.sub("", shown))
