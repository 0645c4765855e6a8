"""Run benchmarks, print their tables and save their values: `python -m bench [create|cost|…] [--full] [--page]`."""

import argparse
import asyncio
import importlib
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import page
from bench.cleaning import TenantInUseError
from bench.results import PEERS, Results
from bench.target import Target, TargetError, read_process, read_target

SIZES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "create": ({"rounds": 3, "seconds": 1.5}, {"rounds": 5, "seconds": 15}),
    "steps": ({"rounds": 3, "seconds": 1}, {"rounds": 5, "seconds": 15}),
    "bare": ({"rounds": 3, "seconds": 1}, {"rounds": 5, "seconds": 15}),
    "batch": ({"rounds": 3, "seconds": 2}, {"rounds": 5, "seconds": 15}),
    "cost": ({"rounds": 3, "creations": 4}, {"rounds": 3, "creations": 100}),
    "due": (
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
    "cache": (
        {"rounds": 1, "cached": (50, 200), "marks": 100},
        {"rounds": 3, "cached": (200, 1_000, 2_000), "marks": 600},
    ),
    "privacy": ({"rounds": 2, "marks": 60, "seconds": 1}, {"rounds": 5, "marks": 100, "seconds": 3}),
    "startup": ({"rounds": 3}, {"rounds": 5}),
    "neighbours": ({"rounds": 3, "seconds": 8, "size": 30}, {"rounds": 3, "seconds": 60, "size": 50}),
}
"""The arguments of each benchmark: scaled down to minutes, and in full."""
OF_A_TARGET = ("create", "cost", "due", "herd", "profile")
"""The benchmarks that can measure a stack which runs already."""


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
    parser.add_argument("--rounds", type=int, help="the number of rounds of each benchmark")
    parser.add_argument("--token", default="TOKEN", metavar="NAME", help="the variable with the token; default: TOKEN")
    parser.add_argument(
        "--process",
        type=read_process,
        action="append",
        default=[],
        metavar="NAME=PID",
        help="a process of the running stack on this machine, such as worker=123, to measure its processor time",
    )
    parser.add_argument("--temporal-metrics", metavar="URL", help="the metrics of the running stack's Temporal server")
    options = parser.parse_args()
    results = Results()
    try:
        measure(options, results, choose_target(options))
    except (TargetError, TenantInUseError) as fault:
        sys.exit(str(fault))
    print(f"saved in {results.save()}")


def choose_target(options: argparse.Namespace) -> Target | None:
    """Return the running stack that the environment names; without one, install what the embedded stack needs beside.

    Raises:
        TargetError: the environment is incomplete, or a benchmark can't measure a running stack.
    """
    target = read_target(
        os.environ,
        options.token,
        process_ids=dict(options.process),
        temporal_metrics_url=options.temporal_metrics,
    )
    if target is None or options.benchmarks == ["profile"]:
        install_peers()
    if target and (options.page or not set(options.benchmarks) <= set(OF_A_TARGET) or not options.benchmarks):
        msg = f"API_URL names a running stack: name some of {', '.join(OF_A_TARGET)}, without --page, or unset it"
        raise TargetError(msg)
    return target


def measure(options: argparse.Namespace, results: Results, target: Target | None) -> None:
    """Run the benchmarks one after the other, and print the tables of each."""
    printed = 0
    for name in options.benchmarks or SIZES:
        arguments = choose_arguments(name, options) | ({"target": target} if target else {})
        asyncio.run(importlib.import_module(f"bench.{name}").run(results, **arguments))
        tables = results.tables()
        print(*tables[printed:], sep="\n\n", end="\n\n", flush=True)
        printed = len(tables)
        if options.page:
            page.write(results)


def choose_arguments(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of a benchmark that the options ask for."""
    arguments = dict(SIZES[name][options.full])
    if name == "sleepers" and options.sleepers:
        arguments["sizes"] = (*arguments["sizes"], options.sleepers)
    if name == "herd" and options.herd:
        size, ahead = options.herd
        arguments |= {"rounds": 1, "size": size, "ahead": ahead, "peers": False}
    return arguments | ({"rounds": options.rounds} if options.rounds else {})


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
