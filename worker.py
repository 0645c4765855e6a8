"""Run the Temporal worker: open its resources, register workflows and steps, and drain on SIGTERM."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import Runtime
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig

from activities_impl.bulk_operations import BulkOperations
from activities_impl.failures import DescribeFailures
from activities_impl.heartbeats import Heartbeats
from activities_impl.listed_runs import ListedRuns
from activities_impl.log_lines import LogSteps
from activities_impl.reconciliation import Reconciliation
from activities_impl.replay_gate import ReplayGates
from activities_impl.resolution import Resolution
from activities_impl.scheduled_activities import ScheduledActivities
from activities_impl.tenants import ActForTenants
from db.across_tenants import AcrossTenants
from db.engine import Database, open_database
from db.start import wait_for_database, wait_for_system_database
from logs import configure_logging
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE, connect
from runs.key_ring import KeyRing, key_ids
from runs.lead import Lead
from runs.payloads import first_key_id
from runs.runtime import open_runtime
from runs.sandbox import Sandbox
from runs.schedule import ensure_schedule
from runs.start import TASK_TIMEOUT
from runs.worker_actors import ReadActors
from runs.worker_key_notes import NoteKeyOfContinuation
from settings import WorkerSettings, read_settings
from traces.start import start_tracing
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.findings import Part
from workflows.reconciliation import ReconciliationWorkflow
from workflows.replay_gate import ReplayGateWorkflow
from workflows.scheduled_activity import ScheduledActivityWorkflow

if TYPE_CHECKING:
    from traces.tracing import Tracing

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
NO_LEAD = Lead(0)
SYSTEM_POOL_SIZE = 5
"""Reconciliation reads a few lists at a time across tenants."""
SCHEDULE_CHECK_SECONDS = 20
"""After a loss of Temporal's database, reconciliation begins again within a minute."""


TUNING: dict[str, Any] = {
    "max_concurrent_workflow_tasks": 32,
    "max_concurrent_workflow_task_polls": 32,
    "nonsticky_to_sticky_poll_ratio": 0.8,
    "sticky_queue_schedule_to_start_timeout": TASK_TIMEOUT,  # for so long the cached runs of a killed worker wait
}
"""Most of our tasks start a new run or wake a sleeping one, so they wait in the queue of all workers.

By default one of five polls reads that queue. Tasks then wait in the backlog, and the last of 32 callers waits seconds.

A worker takes no more tasks at a time than it can finish within their time-out when it is slow. The others wait in the
queue, where no time-out runs. With the default of 100, a worker with a quarter of a processor finished 245 of 300 tasks
too late: the server gave each of them out again.
"""

BULK_TUNING: dict[str, Any] = {
    "max_cached_workflows": 100,
    "max_concurrent_workflow_tasks": 2,
    "max_concurrent_workflow_task_polls": 2,
    "max_concurrent_activities": 8,
    "max_concurrent_activity_task_polls": 2,
    "sticky_queue_schedule_to_start_timeout": TASK_TIMEOUT,
}
"""Few slots, so that any number of bulk operations leaves the processor to creations and marks. A step of an operation
mostly sleeps: eight slots are eight operations at a time, and Temporal gives the tenants turns."""


def steps(
    client: Client, database: Database, across_tenants: AcrossTenants, lead: Lead = NO_LEAD
) -> list[Callable[..., Any]]:
    """List the steps of activities, of reconciliation and of the replay gate."""
    scheduled_activities, resolution = ScheduledActivities(database), Resolution(database)
    reconciliation = Reconciliation(client, database, across_tenants, lead)
    listed_runs = ListedRuns(client, database, across_tenants, lead)
    return [
        scheduled_activities.create,
        scheduled_activities.resolve_commerce,
        resolution.resolve_reason,
        resolution.resolve_target,
        resolution.resolve_attributes,
        scheduled_activities.record,
        scheduled_activities.mark_due,
        scheduled_activities.read_standing,
        scheduled_activities.restore,
        scheduled_activities.apply_change,
        reconciliation.expire_leases,
        reconciliation.create_follow_ups,
        reconciliation.take_back_follow_ups,
        reconciliation.settle_operations,
        reconciliation.compare_page,
        reconciliation.end_runs,
        reconciliation.remove_closed,
        listed_runs.settle_ended,
        listed_runs.end_listed,
        listed_runs.restore_open,
        listed_runs.restore_completed,
        listed_runs.find_stuck,
        ReplayGates(client).replay_open_runs,
    ]


def bulk_steps(client: Client, database: Database, lead: Lead = NO_LEAD) -> list[Callable[..., Any]]:
    """List the steps of bulk operations and of the replay gate."""
    bulk_operations = BulkOperations(client, database, lead)
    gate = ReplayGates(client)
    return [bulk_operations.collect, bulk_operations.change_some, bulk_operations.finish, gate.replay_open_runs]


def build_worker(
    client: Client,
    database: Database,
    across_tenants: AcrossTenants,
    *,
    lead: Lead = NO_LEAD,
    around: Sequence[Interceptor] = (),
    **options: Any,
) -> AbstractAsyncContextManager[None]:
    """Build the worker of all workflows and steps; `options` are more of the SDK's `Worker`.

    `around` are interceptors that are put around the service's own.

    It polls two queues, that of bulk operations with few slots.
    """
    note_key = NoteKeyOfContinuation(first_key_id(client))
    interceptors = [*around, LogSteps(), DescribeFailures(), ActForTenants(), Heartbeats(), ReadActors(), note_key]
    shared = {"interceptors": interceptors, "workflow_runner": Sandbox()}
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[ScheduledActivityWorkflow, ReconciliationWorkflow, ReplayGateWorkflow],
        activities=steps(client, database, across_tenants, lead),
        **{**shared, **TUNING, **options},
    )
    bulk_worker = Worker(
        client,
        task_queue=BULK_TASK_QUEUE,
        workflows=[BulkOperationWorkflow, ReplayGateWorkflow],
        activities=bulk_steps(client, database, lead),
        **{**shared, **options, **BULK_TUNING},
    )
    return _run_both(worker, bulk_worker)


@asynccontextmanager
async def _run_both(worker: Worker, bulk_worker: Worker) -> AsyncIterator[None]:
    """Run both until the block ends, then let them finish what is in flight at the same time."""
    async with worker, bulk_worker:
        try:
            yield
        finally:
            await asyncio.gather(worker.shutdown(), bulk_worker.shutdown())


def _deployment_config(settings: WorkerSettings) -> WorkerDeploymentConfig | None:
    """Let sleeping runs wake on the version that is current then; pinned ones would need their build for months."""
    if not settings.temporal_worker_build_id:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.temporal_deployment_name, settings.temporal_worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def freeze_garbage_collection() -> None:
    """Exclude the objects that live as long as the process from garbage collection, so that each collection is cheap.

    Rarer collections would save more, but left 50 MB of garbage after 1,000 sleeping runs.
    """
    gc.collect()
    gc.freeze()


async def finish_unless_stopped(work: Coroutine[Any, Any, Result], stop: asyncio.Event) -> Result | None:
    """Return the result of `work`; once `stop` is set, cancel it and return None."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    done, pending = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return working.result() if working in done else None


async def connect_patiently(keys: KeyRing | None, runtime: Runtime, tracing: "Tracing | None") -> Client:
    """Connect to Temporal, retrying for ever: a worker may start before it."""
    while True:
        try:
            return await connect(keys, runtime=runtime, interceptors=tracing.calls() if tracing else ())
        except RuntimeError as failure:
            log.warning("Temporal can't be reached yet, retrying", failure=str(failure)[:200])
            await asyncio.sleep(2)


async def keep_scheduled(
    client: Client, part: Part, every: timedelta, check_seconds: float = SCHEDULE_CHECK_SECONDS
) -> None:
    """Create the schedule of a part of reconciliation, and again whenever Temporal has lost it, until cancelled."""
    is_current = False
    while True:
        try:
            await ensure_schedule(client, part, every, is_current=is_current)
            is_current = True
        except Exception as failure:  # noqa: BLE001 - the SDK fails to read a schedule that a person has edited oddly
            what = "ensuring the schedule of reconciliation failed, retrying"
            log.warning(what, part=part, failure=f"{type(failure).__name__}: {failure}"[:200])
        await asyncio.sleep(check_seconds)


async def main() -> None:
    """Work until SIGTERM or SIGINT, then finish the steps in flight."""
    settings = read_settings(WorkerSettings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics_address = f"{settings.listen_host}:{settings.worker_metrics_port}" if settings.worker_metrics_port else None
    runtime, tracing = open_runtime(metrics_address), start_tracing("worker")
    database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
    if fault := await finish_unless_stopped(wait_for_database(database, key_ids(settings.key_ring)), stop):
        sys.exit(fault)
    system_database = open_database(settings.system_database_url.get_secret_value(), SYSTEM_POOL_SIZE)
    if fault := await finish_unless_stopped(wait_for_system_database(system_database), stop):
        sys.exit(fault)
    across_tenants = AcrossTenants(system_database)
    client = await finish_unless_stopped(connect_patiently(settings.key_ring, runtime, tracing), stop)
    if client:
        around = tracing.steps() if tracing else ()
        await work(client, (database, across_tenants), settings, stop, metrics_address, around)
    await across_tenants.dispose()
    await database.dispose()
    if tracing:
        tracing.close()


async def work(  # noqa: PLR0913, PLR0917 - what the process has opened
    client: Client,
    databases: tuple[Database, AcrossTenants],
    settings: WorkerSettings,
    stop: asyncio.Event,
    metrics_address: str | None,
    around: Sequence[Interceptor] = (),
) -> None:
    """Run the worker until `stop` is set, then let it finish what is in flight."""
    worker = build_worker(
        client,
        *databases,
        lead=Lead(settings.max_lead_seconds),
        around=around,
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_drain_seconds),
        max_cached_workflows=settings.worker_cached_runs,
        deployment_config=_deployment_config(settings),
    )
    async with worker:
        freeze_garbage_collection()
        log.info(
            "working",
            task_queues=[TASK_QUEUE, BULK_TASK_QUEUE],
            metrics=metrics_address and f"http://{metrics_address}/metrics",
        )
        every = timedelta(seconds=settings.reconcile_every_seconds)
        scheduling = [asyncio.create_task(keep_scheduled(client, part, every)) for part in Part]
        await stop.wait()
        for task in scheduling:
            task.cancel()
        log.info("draining", seconds=settings.worker_drain_seconds)


if __name__ == "__main__":
    configure_logging("worker")
    with suppress(KeyboardInterrupt):
        uvloop.run(main())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the SDK's threads may crash while the interpreter shuts down: a deployment would seem to fail
