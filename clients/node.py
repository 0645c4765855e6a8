"""Run a program of `clients/node_modules`, after installing the packages of `clients/package-lock.json`."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
_LOCK = FOLDER / "package-lock.json"
_PROGRAMS = FOLDER / "node_modules" / ".bin"
_STAMP = FOLDER / "node_modules" / "installed-lock.sha256"
_INSTALL = ("ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=4")


def has_node() -> bool:
    """Return True if Node's package manager is on the PATH."""
    return shutil.which("npm") is not None


def install_once() -> None:
    """Install the packages, unless they are those installed last; exit if that fails."""
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    with _LOCK.open() as lock:  # of two starts at once, one installs and the other waits for it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _STAMP.exists() and _STAMP.read_text() == wanted:
            return
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("This needs Node 20 or newer with npm: install it, then run the same command again.")
        print("Installing the packages of clients/package-lock.json.", file=sys.stderr, flush=True)
        if subprocess.run([npm, *_INSTALL], cwd=FOLDER, check=False).returncode != 0:
            sys.exit("Installing the packages failed, see the output above.")
        _STAMP.write_text(wanted)


def run_program(
    name: str, *arguments: str | Path, environment: Mapping[str, str] | None = None, folder: Path = FOLDER
) -> subprocess.CompletedProcess[str]:
    """Run a program of the packages, and return its end with its output."""
    install_once()
    variables = os.environ | {"NO_COLOR": "1"} | dict(environment or {})
    command = [_PROGRAMS / name, *arguments]
    return subprocess.run(command, cwd=folder, env=variables, text=True, capture_output=True, check=False)


def main(arguments: list[str]) -> None:
    """Install the packages; run a TypeScript program in place of this process if one is named."""
    install_once()
    if arguments:
        os.execv(_PROGRAMS / "tsx", ["tsx", *arguments])  # noqa: S606 - it replaces this process


if __name__ == "__main__":
    main(sys.argv[1:])
