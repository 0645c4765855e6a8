"""Measure the time from `make run` to the first 201 with the packages installed, and what each process imports."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.load import body
from bench.results import Results
from embedded.processes import guarded_process
from embedded.temporal_server import free_port

IMPORTS = {
    "Python alone": "sys",
    "worker": "worker",
    "API": "api.main",
    "operators' commands": "operate",
    "command line": "activities_client.cli",
}
"""The modules that processes start with."""
PORTS = ("API_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT")


async def run(results: Results, *, rounds: int) -> None:
    """Measure a first start with an empty data folder, then warm ones, and the imports of each process."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        for number in range(rounds + 1):
            seconds = _start(Path(folder) / "data")
            name = "first, with an empty data folder" if number == 0 else "warm"
            results.add("start-up to the first 201", name, seconds, "make run", "s")
    for _ in range(rounds):
        for name, module in IMPORTS.items():
            results.add("imports of a start", name, _import(module), "processor time", "ms")


def _import(module: str) -> float:
    """Import a module in a process of its own; returns the milliseconds of processor time."""
    before = os.times()
    subprocess.run((sys.executable, "-c", f"import {module}"), check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return 1000 * used


def _start(folder: Path) -> float:
    """Start the stack, create an activity and stop; returns the seconds until the 201."""
    ports = {name: str(free_port()) for name in PORTS}
    started = time.monotonic()
    command = (sys.executable, "-m", "embedded", "run")
    environment = {**os.environ, **ports, "DATA_DIR": str(folder)}
    with guarded_process(command, output=subprocess.DEVNULL, environment=environment, patience_seconds=30) as process:
        while not (folder / "demo.json").exists():
            if process.poll() is not None:
                raise RuntimeError(process.returncode)
            time.sleep(0.02)
        facts = json.loads((folder / "demo.json").read_text())
        headers = {"Authorization": f"Bearer {facts['TOKEN']}", "x-tenant-id": facts["TENANT_ID"]}
        answer = httpx.post(f"{facts['API_URL']}/api/activities", json=body(), headers=headers, trust_env=False)
        answer.raise_for_status()
        return time.monotonic() - started
