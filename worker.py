"""The Temporal process: opens the resources, offers workflows and activities, and drains on SIGTERM."""

import asyncio
import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from datetime import timedelta

import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker

from activities_impl.failures import DescribeFailures
from activities_impl.resolution import Resolution
from activities_impl.scheduled_activities import ScheduledActivities
from db.engine import open_engine
from db.migrations import schema_fault
from logs import configure_logging
from settings import WorkerSettings
from workflows.client import TASK_QUEUE, connect
from workflows.sandbox import Sandbox
from workflows.scheduled_activity import ScheduledActivityWorkflow

log = structlog.get_logger(__name__)


def build_worker(client: Client, engine: AsyncEngine, *, drain: timedelta = timedelta(0)) -> Worker:
    """All that this service does in Temporal, over one client and one pool of connections."""
    scheduled_activities, resolution = ScheduledActivities(engine), Resolution(engine)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[ScheduledActivityWorkflow],
        activities=[
            scheduled_activities.resolve_commerce,
            resolution.resolve_reason,
            resolution.resolve_target,
            resolution.resolve_attributes,
            scheduled_activities.record,
            scheduled_activities.mark_due,
            scheduled_activities.apply_change,
        ],
        interceptors=[DescribeFailures()],
        workflow_runner=Sandbox(),
        max_cached_workflows=200,  # a cached run holds about 100 kB, and a sleeping one needs none
        graceful_shutdown_timeout=drain,
    )


def metrics_runtime(host: str, port: int) -> Runtime:
    """The SDK's metrics and ours on http://{host}:{port}/metrics; lateness needs wider buckets than latencies."""
    metrics = PrometheusConfig(
        bind_address=f"{host}:{port}",
        histogram_bucket_overrides={
            "scheduled_activity_lateness_ms": [10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 600_000, 3.6e6],
        },
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def spare_the_collector() -> None:
    """Keep what lives as long as the process out of every collection, and collect less often: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def connect_patiently(runtime: Runtime) -> Client:
    """Wait for Temporal as long as it takes: a worker that starts first is no error."""
    while True:
        try:
            return await connect(runtime=runtime)
        except RuntimeError as failure:
            log.warning("Temporal can't be reached yet", failure=str(failure)[:200])
            await asyncio.sleep(2)


async def main() -> None:
    """Work until SIGTERM or SIGINT, then finish what is in flight."""
    settings = WorkerSettings()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    port = settings.worker_metrics_port or free_port(settings.listen_host)
    runtime = metrics_runtime(settings.listen_host, port)
    engine = open_engine(settings)
    async with engine.connect() as connection:
        fault = await connection.run_sync(schema_fault)
    if fault:
        sys.exit(fault)
    client = await connect_patiently(runtime)
    async with build_worker(client, engine, drain=timedelta(seconds=settings.worker_drain_seconds)):
        spare_the_collector()
        log.info("working", task_queue=TASK_QUEUE, metrics=f"http://{settings.listen_host}:{port}/metrics")
        await stop.wait()
        log.info("draining", seconds=settings.worker_drain_seconds)
    await engine.dispose()


if __name__ == "__main__":
    configure_logging("worker")
    with suppress(KeyboardInterrupt):
        uvloop.run(main())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the SDK's threads may crash while the interpreter shuts down, which would look like a failed deploy
