"""Run the operators' commands that neither the API nor Temporal's web UI offers."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from db.across_tenants import AcrossTenants
from db.engine import Database, open_database
from db.failures import kind
from db.payload_keys import find_missing_keys
from db.quotas import quota_statement
from db.tenant import act_for
from logs import configure_logging
from runs.client import TASK_QUEUE, connect
from runs.key_ring import key_ids
from runs.keys_in_use import count_keys_in_use
from runs.lead import Lead
from runs.payloads import first_key_id, keys_of
from runs.rebuild import Rebuilt, rebuild
from runs.recovery import Recovery
from runs.replay import DEFAULT_QUERY, replay
from settings import EncryptionSettings, WorkerSettings, read_settings
from workflows.findings import Finding, Listing, Page, Reconcile
from workflows.messages import ActivityRef, BringBack, RejectedError
from workflows.reconciliation import ReconciliationWorkflow
from workflows.tenant_limits import LARGEST_QUOTA, QUOTAS

Command = Callable[[argparse.Namespace, Client], Awaitable[int]]


async def list_keys(_: argparse.Namespace, client: Client) -> int:
    """List the keys of payloads with the open activities that need them, and name those that may go."""
    across_tenants = _open_across_tenants(read_settings(WorkerSettings))
    rows = await across_tenants.count_needed_keys()
    await across_tenants.dispose()
    needed = {row.key_id: row.activities for row in rows}
    ring, first = key_ids(keys_of(client)), first_key_id(client)
    in_use = await count_keys_in_use(client)
    for key_id in sorted({*ring, *in_use, *filter(None, needed)}, key=lambda one: (one != first, one)):
        counted = f"{needed.get(key_id, 0)} open activities began with it, {in_use[key_id]} runs and schedules need it"
        print(f"{key_id}: {counted}: {_judge_key(key_id, ring, first, is_needed=key_id in needed or key_id in in_use)}")
    print(f"without a key: {needed.get(None, 0)} open activities")
    return 0 if {*in_use, *filter(None, needed)} <= ring else 1


def _judge_key(key_id: str, ring: frozenset[str], first: str | None, *, is_needed: bool) -> str:
    """Say what the key is for in PAYLOAD_ENCRYPTION_KEYS, or that it may be removed there."""
    if key_id not in ring:
        return "MISSING in PAYLOAD_ENCRYPTION_KEYS"
    if key_id == first:
        return "encrypts"
    return "must stay" if is_needed else "may go"


async def rebuild_runs(options: argparse.Namespace, client: Client) -> int:
    """Start a run for every open activity without one, after Temporal has lost its runs. Safe to repeat.

    An activity for which that fails is named, and does not stop the others; the exit code is 1 then.
    """
    settings = read_settings(WorkerSettings)
    database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
    if fault := await _find_missing_keys(database, client):
        return _fail(fault)
    across_tenants = _open_across_tenants(settings)
    runs = rebuild(client, across_tenants, per_second=options.rate, lead=Lead(settings.max_lead_seconds))
    done = Rebuilt()
    async for done in runs:
        print(f"… {done.started} started, {done.open_already} were open already", file=sys.stderr)
    print(f"{done.started} runs started, {done.open_already} were open already")
    for activity_id, why in done.failed.items():
        print(f"FAILED {activity_id}: {why}")
    await across_tenants.dispose()
    await database.dispose()
    return 1 if done.failed else 0


async def bring_back(options: argparse.Namespace, client: Client) -> int:
    """Undo a termination: restore the activity's former status, with a new run that waits for its time."""
    settings = read_settings(WorkerSettings)
    database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
    if fault := await _find_missing_keys(database, client):
        return _fail(fault)
    act_for(options.tenant)
    try:
        now = await Recovery(client, database, Lead(settings.max_lead_seconds)).bring_back(
            ActivityRef(tenant_id=options.tenant, id=options.activity_id),
            options.actor,
            BringBack(reason=options.reason),
        )
    except RejectedError as refused:
        return _fail(f"Nothing was changed: {refused.rejection.detail}")
    except WorkflowAlreadyStartedError:
        return _fail("Nothing was changed: a run was started for it at the same moment. Look at it, then try again.")
    finally:
        await database.dispose()
    print(f"{options.activity_id} is {now.status} again, for {now.scheduled_at.isoformat()}, in run {now.run_id}")
    return 0


async def reconcile(options: argparse.Namespace, client: Client) -> int:
    """Compare all open activities with their runs now, as the schedule does for some. Needs a running worker."""
    compared = await client.execute_workflow(
        ReconciliationWorkflow.run,
        Reconcile(page=Page(grace_seconds=options.grace), listing=Listing(restored_to=options.restored_to)),
        id=f"reconciliation-{uuid4()}",
        task_queue=TASK_QUEUE,
        static_summary="started by an operator",
    )
    print(compared.model_dump_json(indent=2, include={"rows", "counts", "examples"}))
    return 1 if Finding.FAILED in compared.counts else 0


async def replay_runs(options: argparse.Namespace, client: Client) -> int:
    """Replay open and closed runs on the code in this folder, and name those that would break. Changes nothing."""
    replayed = await replay(client, options.query, options.limit or None)
    for run, failure in replayed.broken.items():
        print(f"WOULD BREAK {run}: {failure}")
    print(f"{replayed.runs} runs replayed, {len(replayed.broken)} would break")
    return 1 if replayed.broken else 0


async def set_quota(options: argparse.Namespace, _: Client) -> int:
    """Set a tenant's quota; `default` takes its own number away. It is in force within 30 seconds."""
    quota = QUOTAS[options.name]
    statement = quota_statement(options.tenant, quota.name, options.value)
    database = open_database(read_settings(WorkerSettings).database_url.get_secret_value())
    act_for(options.tenant)
    async with database.begin_as(options.actor) as connection:
        await connection.execute(statement)
    await database.dispose()
    value = quota.default if options.value is None else options.value
    print(f"{quota.name} of tenant {options.tenant} is {'unlimited' if value is None else value} within 30 seconds")
    return 0


def _quota_value(text: str) -> int | None:
    if text == "default":
        return None
    if not text.isdecimal() or int(text) > LARGEST_QUOTA:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {LARGEST_QUOTA}, or `default`")
    return int(text)


def _open_across_tenants(settings: WorkerSettings) -> AcrossTenants:
    return AcrossTenants(open_database(settings.system_database_url.get_secret_value()))


async def _find_missing_keys(database: Database, client: Client) -> str | None:
    """Return what keeps a command from starting runs, as it keeps the worker and the API from starting, or None."""
    async with database.autocommit.connect() as connection:
        return await find_missing_keys(connection, key_ids(keys_of(client)))


def _fail(sentence: str) -> int:
    """Print why the command failed; returns its exit code."""
    print(sentence, file=sys.stderr)
    return 1


def arguments() -> argparse.ArgumentParser:
    """Build the parser of the commands and their options."""
    parser = argparse.ArgumentParser(prog="operate.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run, is_lazy=False)
        return added

    rebuilding = command("rebuild", rebuild_runs)
    rebuilding.add_argument("--rate", type=float, default=100, help="runs started a second, at most; default: 100")
    bringing = command("bring-back", bring_back)
    bringing.add_argument("activity_id", type=UUID)
    bringing.add_argument("--tenant", type=UUID, required=True, help="tenant of the activity")
    bringing.add_argument("--reason", help="reason that the trail shows")
    bringing.add_argument("--actor", default="operator", help="your name in the trail; default: operator")
    reconciling = command("reconcile", reconcile)
    reconciling.add_argument(
        "--grace", type=float, default=10, help="age in seconds from which rows are compared; default: 10"
    )
    reconciling.add_argument(
        "--restored-to",
        type=lambda words: datetime.fromisoformat(words).astimezone(UTC),
        metavar="TIME",
        help="point to which PostgreSQL was restored, as in 2026-01-16T09:00:00Z; default: a day ago",
    )
    replaying = command("replay", replay_runs)
    replaying.add_argument("--query", default=DEFAULT_QUERY, help=f"query for the runs; default: {DEFAULT_QUERY}")
    replaying.add_argument(
        "--limit", type=int, default=1000, help="number of runs, the latest first; 0: all; default: 1000"
    )
    command("keys", list_keys)
    quotas = commands.add_parser("quota", help="Quotas of tenants.").add_subparsers(required=True, metavar="ACTION")
    setting = quotas.add_parser("set", help=set_quota.__doc__, description=set_quota.__doc__)
    setting.set_defaults(run=set_quota, is_lazy=True)  # Temporal isn't needed
    setting.add_argument("tenant", type=UUID)
    setting.add_argument("name", choices=sorted(QUOTAS), metavar="name", help=f"one of {', '.join(sorted(QUOTAS))}")
    setting.add_argument("value", type=_quota_value, help="a number, or `default`")
    setting.add_argument("--actor", default="operator", help="your name in the audit; default: operator")
    return parser


async def main(words: Sequence[str] | None = None) -> int:
    """Carry out one command; returns its exit code."""
    options = arguments().parse_args(words)
    try:
        keys = read_settings(EncryptionSettings).key_ring
        done: int = await options.run(options, await connect(keys, lazy=options.is_lazy))
    except (RPCError, RuntimeError, WorkflowFailureError) as failure:
        return _fail(f"Temporal: {failure}. What was done before stays; repeat the command.")
    except (SQLAlchemyError, OSError) as failure:
        return _fail(f"PostgreSQL: {kind(failure)}. What was done before stays; repeat the command.")
    return done


if __name__ == "__main__":
    configure_logging("operate")
    code = asyncio.run(main())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as in worker.py
