"""Test the set-up that the first command of a fresh clone does."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from embedded.bootstrap import LOCK, PIP, ROOT, show_progress


def test_pip_is_shown_as_a_count_of_packages(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"Collecting package-{number}==1.0 (from -r requirements.lock)\n" for number in range(1, 26)]
    show_progress([*lines, "  Downloading package.whl (1 kB)\n", "Installing collected packages: package-1\n"])
    shown = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in shown] == ["10", "20", "unpacking all"]
    assert shown[1].endswith(" packages: package-20==1.0")


def test_the_pip_of_the_lock_file_is_installed_by_its_hashes_alone() -> None:
    (found,) = PIP.finditer(LOCK.read_text())
    first, *hashes = found[0].splitlines()
    assert first.startswith("pip==")
    assert {line.strip().split(":")[0] for line in hashes} == {"--hash=sha256"}
    assert "\\" not in hashes[-1]


def test_a_fresh_clone_installs_its_lock_file_and_a_command_line_that_still_works_in_a_copied_folder(
    tmp_path: Path,
) -> None:
    """By pip, with a lock file of no packages: what was started then ends, because its own packages are missing.

    The command line is a link to `clients/python`, by uv or pip alike.
    """
    clone, copied = tmp_path / "a", tmp_path / "b b"
    shutil.copytree(ROOT / "embedded", clone / "embedded", ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "requirements.lock").write_text("# nothing\n")
    package = clone / "clients" / "python" / "activities_client" / "cli"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text("import sys; print(__file__, sys.argv[1:])")
    command = [sys.executable, "-m", "embedded", "env"]
    environment = {"PATH": "/nowhere"}  # without uv
    ended = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert ended.stderr.startswith("Installing the packages of requirements.lock into .venv, once.\n")
    assert "ModuleNotFoundError" in ended.stderr
    assert (clone / ".venv" / "installed-lock.sha256").read_text() == sha256(b"# nothing\n").hexdigest()
    clone.rename(copied)
    installed = [str(copied / ".venv" / "bin" / "activities"), "create", "--at", "now"]
    environment = {"PATH": "/usr/bin:/bin"}
    ran = subprocess.run(installed, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    assert ran == f"{copied}/clients/python/activities_client/cli/__main__.py ['create', '--at', 'now']\n"


def test_another_python_than_that_of_the_packages_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "embedded", tmp_path / "embedded", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".venv" / "lib" / "python3.9").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").touch()
    command = [sys.executable, "-m", "embedded", "env"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "use make PYTHON=python3.9" in refused.stderr
