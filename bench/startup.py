"""From `make run` on a machine that has run it before to the first 201."""

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
    """The first start makes the data folder; those after it are warm."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        for number in range(rounds + 1):
            seconds = _start(Path(folder) / "data")
            name = "first, with an empty data folder" if number == 0 else "warm"
            results.add("start-up to the first 201", name, seconds, "make run", "s")


def _start(folder: Path) -> float:
    """Start, create, stop."""
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
        headers = {"Authorization": f"Bearer {facts['token']}", "x-tenant-id": facts["tenantId"]}
        answer = httpx.post(f"{facts['baseUrl']}/api/activities", json=body(), headers=headers, trust_env=False)
        answer.raise_for_status()
        return time.monotonic() - started
