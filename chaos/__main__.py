"""Run the service under a load and faults, then compare every answer with what is stored: `make chaos`."""

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from chaos.collect import collect, settle
from chaos.faults import Faults, list_left_out, plan
from chaos.invariants import audit
from chaos.load import Load
from chaos.record import Record
from chaos.stack import Stack

SHOWN = 10
"""The most violations of an invariant that are printed; all are counted."""


def main() -> int:
    """Run once; return 1 if an invariant was violated."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="decides the faults and the load")
    parser.add_argument("--seconds", type=float, default=180, help="the time of load and faults; default 180")
    parser.add_argument(
        "--rate", type=float, default=1.0, help="the load, as a multiple of some eight creations a second"
    )
    parser.add_argument("--no-faults", action="store_true", help="only the load, to see that the audit finds nothing")
    parser.add_argument("--libfaketime", type=Path, help="libfaketime.so.1: sets each process's clock 5 minutes off")
    parser.add_argument("--small-disk", type=Path, help="an empty folder on a small disk of its own, which is filled")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:g} seconds", flush=True)
    parent = options.small_disk and options.small_disk.resolve()
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=parent))
    folder.chmod(0o711)  # PostgreSQL may run as a user who only passes through
    try:
        record, injected = asyncio.run(run(options, folder))
    except KeyboardInterrupt:
        sys.exit(f"interrupted; the processes' log is kept: {folder / 'chaos.log'}")
    violations = audit(record)
    report(record, violations)
    if any(violations.values()):
        print(f"the processes' log is kept: {folder / 'chaos.log'}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    left_out = list_left_out(injected, wrong_clocks=options.libfaketime is not None)
    print(f"not injected: {', '.join(left_out) or 'nothing'}")
    sys.stdout.flush()
    os._exit(int(any(violations.values())))  # as in worker.py


async def run(options: argparse.Namespace, folder: Path) -> tuple[Record, Counter[str]]:
    """Start the stack, run load and faults beside each other, and read the record once the system has settled.

    Also returns the number of faults of each kind that were injected.
    """
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:7.1f}  {line}", flush=True)

    stack = Stack(folder, options.libfaketime)
    try:
        await stack.start()
        load, faults = Load(stack, options.seed, options.rate), Faults(stack)
        await load.set_up()
        say("the stack is ready")
        schedule = [] if options.no_faults else plan(options.seed, options.seconds, full_disk=bool(options.small_disk))
        loading = asyncio.create_task(load.run())
        await asyncio.gather(faults.run(schedule, say), asyncio.sleep(options.seconds))
        await stack.heal()
        load.stop()
        await loading
        say("load and faults have ended, waiting until everything has settled")
        unsettled = await settle(stack)
        say("reading rows, trails and runs")
        record = await collect(stack, load, faults, unsettled)
        say(f"faults: {', '.join(f'{number} {kind}' for kind, number in sorted(faults.injected.items()))}")
        return record, faults.injected
    finally:
        await asyncio.to_thread(stack.stop)


def report(record: Record, violations: dict[str, list[str]]) -> None:
    """Print the answers by action and status, then every invariant with its violations."""
    answers = Counter((answer.action, answer.status) for answer in record.answers)
    for action in sorted({action for action, _ in answers}):
        by_status = sorted((str(status), number) for (of, status), number in answers.items() if of == action)
        print(f"  {action}: {', '.join(f'{number} {status}' for status, number in by_status)}")
    print(f"{len(record.rows)} activities, {len(record.answers)} answers, {len(record.runs)} runs")
    for name, found in violations.items():
        print(f"{'ok' if not found else f'{len(found)} VIOLATIONS':>14}  {name}")
        print(*(f"                {line}" for line in found[:SHOWN]), sep="\n", end="\n" if found else "")
    print(f"{sum(map(len, violations.values()))} violations of {len(violations)} invariants")


if __name__ == "__main__":
    main()
