"""Run benchmarks, print their tables and save their values: `python -m bench [create|cost|…] [--full] [--page]`."""

import argparse
import asyncio
import importlib
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import page
from bench.results import PEERS, Results

SIZES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "create": ({"rounds": 3, "seconds": 1.5}, {"rounds": 5, "seconds": 15}),
    "steps": ({"rounds": 3, "seconds": 1}, {"rounds": 5, "seconds": 15}),
    "bare": ({"rounds": 3, "seconds": 1}, {"rounds": 5, "seconds": 15}),
    "batch": ({"rounds": 3, "seconds": 2}, {"rounds": 5, "seconds": 15}),
    "cost": ({"rounds": 3, "creations": 4}, {"rounds": 3, "creations": 100}),
    "punctuality": (
        {"rounds": 3, "seconds": 2, "ahead": 2, "cron": 3},
        {"rounds": 3, "seconds": 60, "ahead": 5, "cron": 30},
    ),
    "herd": ({"rounds": 3, "size": 30, "ahead": 8}, {"rounds": 3, "size": 2000, "ahead": 600}),
    "sleepers": (
        {"sizes": (0, 300), "rounds": 3, "seconds": 1},
        {"sizes": (0, 5_000, 20_000), "rounds": 3, "seconds": 15},
    ),
    "reading": ({"rounds": 3, "seconds": 0.3, "rows": 50_000}, {"rounds": 3, "seconds": 2, "rows": 1_000_000}),
    "claims": ({"rounds": 3, "seconds": 1, "rows": 20_000}, {"rounds": 5, "seconds": 15, "rows": 500_000}),
    "profile": ({"rounds": 3, "seconds": 3, "marks": 0}, {"rounds": 3, "seconds": 20, "marks": 200}),
    "startup": ({"rounds": 3}, {"rounds": 5}),
    "neighbours": ({"rounds": 3, "seconds": 15, "size": 30}, {"rounds": 3, "seconds": 60, "size": 50}),
}
"""The arguments of each benchmark: scaled down to minutes, and in full."""


def main() -> None:
    """Run the chosen benchmarks in this order."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("benchmarks", nargs="*", choices=[*SIZES, []], help="default: all of them")
    parser.add_argument("--full", action="store_true", help="the full sizes: an hour and more")
    parser.add_argument("--page", action="store_true", help="write the tables and plots of docs/benchmarks.md too")
    parser.add_argument("--sleepers", type=int, help="one more size for that benchmark: 100000 takes an hour")
    parser.add_argument(
        "--herd", type=int, nargs=2, metavar=("SIZE", "AHEAD"), help="without peers, once: 10000 3000 takes two hours"
    )
    options = parser.parse_args()
    install_peers()
    results = Results()
    arguments = {name: dict(sizes[options.full]) for name, sizes in SIZES.items()}
    if options.sleepers:
        arguments["sleepers"] |= {"sizes": (*arguments["sleepers"]["sizes"], options.sleepers)}
    if options.herd:
        size, ahead = options.herd
        arguments["herd"] |= {"rounds": 1, "size": size, "ahead": ahead, "peers": False}
    printed = 0
    for name in options.benchmarks or arguments:
        asyncio.run(importlib.import_module(f"bench.{name}").run(results, **arguments[name]))
        tables = results.tables()
        print(*tables[printed:], sep="\n\n", end="\n\n", flush=True)
        printed = len(tables)
        if options.page:
            page.write(results)
    print(f"saved in {results.save()}")


def install_peers() -> None:
    """Install the frameworks of the comparison from their own lock file, unless they are installed."""
    with suppress(PackageNotFoundError):
        if all(version(name) for name in PEERS):
            return
    lock = Path(__file__).with_name("requirements.lock")
    uv = shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    subprocess.run([*installer, "--quiet", "--no-deps", "--require-hashes", "-r", lock], check=True)


if __name__ == "__main__":
    main()
