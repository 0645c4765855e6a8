"""Measure the time from `make run` to the first 201, on a machine with the packages installed."""

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

PORTS = ("API_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT")


async def run(results: Results, *, rounds: int) -> None:
    """Measure a first start with an empty data folder, then warm ones."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        for number in range(rounds + 1):
            seconds = _start(Path(folder) / "data")
            name = "first, with an empty data folder" if number == 0 else "warm"
            results.add("start-up to the first 201", name, seconds, "make run", "s")


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
