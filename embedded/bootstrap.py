"""Install `requirements.lock` into `.venv` if it has changed, then run one of the commands there."""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
COMMAND = VENV / "bin" / "activities"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed-lock.sha256"
PIP = re.compile(r"^pip==(?:.*\\\n)*.*\n", re.MULTILINE)
"""pip itself in the lock file, with its hashes."""

_LINT = (
    ("-m", "ruff", "format", "--check"),
    ("-m", "ruff", "check"),
    ("-m", "mypy", "."),
    ("-c", "from importlinter.cli import lint_imports_command as lint; lint()"),
)
_TEST = ("-m", "pytest", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "run": (("-m", "embedded.stack"),),
    "lint": _LINT,
    "test": (_TEST,),
    "check": (*_LINT, _TEST),
    "demo": (("-m", "embedded.demo"),),
    "executor": (("-m", "embedded.environment", "examples/executor.py"),),
    "executor-ts": (("-m", "embedded.environment", "-m", "clients.node", "examples/executor.ts"),),
    "env": (("-m", "embedded.environment"),),
    "token": (("-m", "embedded.token"),),
    "generate": (("-m", "clients.generate"),),
    "clients": (("-m", "clients.node"), ("-m", "pytest", "-n", "2", "--dist", "loadfile", "tests/clients")),
    "bench": (("-m", "bench"),),
    "chaos": (("-m", "chaos"),),
    "replay": (("-m", "embedded.environment", "operate.py", "replay"),),
    "e2e": (("-m", "pytest", "tests/e2e"),),
}


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the command named by the first argument with the other arguments; exits with its exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(f"usage: python3 -m embedded {'|'.join(COMMANDS)} [options]")
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip doesn't compile here: the first import does
    install_once()
    *first, last = COMMANDS[arguments[0]]
    for command in first:
        completed = subprocess.run([PYTHON, *command], check=False)
        if completed.returncode != 0:
            sys.exit(completed.returncode)
    os.execv(PYTHON, [str(PYTHON), *last, *arguments[1:]])  # noqa: S606 - the command replaces this process


def install_once() -> None:
    """Install the packages of the lock file, unless they are those installed last."""
    _check_version()
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if _installed() == wanted and COMMAND.exists():
        return
    with LOCK.open() as lock:  # of two starts at once, one installs and the other waits for it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed() != wanted:
            _install()
            STAMP.write_text(wanted)
        _install_command_line()


def _check_version() -> None:
    """Exit if `.venv` has another Python than the one that was asked for: a running stack may be using it."""
    folder = f"python{sys.version_info.major}.{sys.version_info.minor}"
    others = [found.name for found in VENV.glob("lib/python*") if found.name != folder]
    if others and PYTHON.exists():
        sys.exit(f".venv has {others[0]}, this is {folder}: use make PYTHON={others[0]}, or delete .venv to change it")


def _installed() -> str | None:
    """Return the hash of the lock file that `.venv` was installed from, or None without a complete `.venv`."""
    if not PYTHON.exists() or not STAMP.exists():
        return None
    return STAMP.read_text()


def _install() -> None:
    """Create `.venv` if it is missing and install the packages: with uv if it is on the PATH, else with pip."""
    print("Installing the packages of requirements.lock into .venv, once.", file=sys.stderr, flush=True)
    uv = shutil.which("uv")
    if uv is not None:
        if not PYTHON.exists():
            _do(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
        _do(uv, "pip", "sync", "--python", PYTHON, "--require-hashes", LOCK)
        return
    if not PYTHON.exists() or not list(VENV.glob("lib/python*/site-packages/pip")):
        _check_venv()
        _do(sys.executable, "-m", "venv", "--clear", VENV)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off")
    install = (*pip, "--no-compile", "--no-deps", "--require-hashes", "-r")
    if first := PIP.search(LOCK.read_text()):  # that of Python 3.11 takes twice as long for the others
        (VENV / "pip.lock").write_text(first[0])
        _do(*install, VENV / "pip.lock", "--quiet")
    _do(*install, LOCK, shows=show_progress)


def show_progress(output: Iterable[str]) -> None:
    """Show pip's output as a line that counts: it is silent for a minute or names every file."""
    packages, collected = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE)), 0
    for line in output:
        if line.startswith("Collecting "):
            collected += 1
            _show(f"{collected} of {packages} packages: {line.split()[1]}", lasts=collected % 10 == 0)
        elif line.startswith("Installing collected"):
            _show("unpacking all of them", lasts=True)
    _show("", lasts=False)


def _show(progress: str, *, lasts: bool) -> None:
    """Overwrite the terminal's line; a file gets only lines that last."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)
    elif lasts:
        print(progress, file=sys.stderr, flush=True)


def _install_command_line() -> None:
    """Install `clients/python` and its command, as an editable install does, by paths that a copied folder keeps."""
    for packages in VENV.glob("lib/python*/site-packages"):
        (packages / "activities_client.pth").write_text("../../../../clients/python\n")
    COMMAND.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m activities_client.cli "$@"\n')
    COMMAND.chmod(0o755)


def _check_venv() -> None:
    """Exit with the name of the missing package where Python is packaged in parts, as on Debian."""
    if any(importlib.util.find_spec(part) is None for part in ("venv", "ensurepip")):
        sys.exit("Python's venv is missing. Install it (Debian, Ubuntu: apt install python3-venv), or install uv.")


def _do(*command: str | Path, shows: Callable[[Iterable[str]], None] | None = None) -> None:
    """Run a command, its output as `shows` has it; exit if it fails, after its own error message."""
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE if shows else sys.stderr, text=True) as process:
            if shows and process.stdout:
                shows(process.stdout)
        code = process.returncode
    except KeyboardInterrupt:
        sys.exit("Stopped. The next start installs the rest.")
    if code != 0:
        sys.exit(f"Installing the packages failed, see the output above. Command: {' '.join(map(str, command))}")
