"""Test deployments while runs sleep: replay names what would break, patches break nothing, restarts lose nothing."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import PinnedVersioningOverride, VersioningBehavior, WorkerDeploymentVersion
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities_impl.heartbeats import Heartbeats
from activities_impl.replay_gate import WOULD_BREAK, ReplayGates
from activities_impl.tenants import ActForTenants
from embedded.postgres import Postgres
from embedded.stack import database_urls
from embedded.temporal_server import TemporalServer, free_port, running_temporal
from runs.client import TASK_QUEUE, workflow_id
from runs.replay import DEFAULT_QUERY, replay
from runs.sandbox import Sandbox
from runs.worker_actors import ReadActors
from tests.support.activities import created, trail
from tests.support.builders import contract_example, from_now
from tests.support.bulk import statuses
from tests.support.changed_workflow import Careless, Patched
from tests.support.deployed import deployed_worker
from tests.support.service import Service, running_service, temporal_client, until, url_of
from tests.support.worlds import new_database
from worker import steps
from workflows.messages import ReplayGate, ReplayGatePassed
from workflows.replay_gate import ReplayGateWorkflow
from workflows.scheduled_activity import ScheduledActivityWorkflow

ROOT = Path(__file__).parents[3]
OURS = (
    "workflows",
    "runs",
    "activities_impl",
    "db",
    "api",
    "traces",
    "operate.py",
    "worker.py",
    "settings.py",
    "logs.py",
)


@pytest.fixture
async def own(postgres: Postgres) -> AsyncIterator[tuple[TemporalServer, str, Client]]:
    """Run a Temporal server and create a database for one test."""
    with running_temporal() as server:
        yield server, new_database(postgres), await temporal_client(server.address)


async def command(folder: Path, server: TemporalServer, url: str, *words: str) -> tuple[int, str]:
    """Run a command of the code in a folder; return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *words),
        cwd=folder,
        env=variables(server.address, url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def variables(address: str, url: str) -> dict[str, str]:
    urls = database_urls("worker", partial(url_of, url))
    return {**urls, "TEMPORAL_ADDRESS": address, "PATH": os.environ["PATH"]}


async def test_replay_passes_on_the_code_that_wrote_the_histories_and_names_each_run_that_would_break(
    own: tuple[TemporalServer, str, Client], tmp_path: Path
) -> None:
    server, url, client = own
    async with running_service(url, client) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            asleep, moved, cancelled, due = [await created(http) for _ in range(4)]
            await http.patch(f"/api/activities/{moved['id']}", json={"scheduled_at": from_now(hours=2)})
            await http.post(f"/api/activities/{cancelled['id']}/cancel", json={"reason": "x"})
            await http.post(f"/api/activities/{due['id']}/execute-now")
    async with asyncio.timeout(60):
        while (await client.count_workflows("ExecutionStatus = 'Completed'")).count < 2:
            await asyncio.sleep(0.1)

    good = await replay(client, DEFAULT_QUERY, None)
    assert (good.runs, good.broken) == (4, {})
    assert (await replay(client, DEFAULT_QUERY, None, workflows=[Patched])).broken == {}
    bad = await replay(client, DEFAULT_QUERY, None, workflows=[Careless])
    assert len(bad.broken) == 4

    for name in OURS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    assert await command(tmp_path, server, url, "operate.py", "replay") == (0, "4 runs replayed, 0 would break\n")
    story = tmp_path / "workflows" / "scheduled_activity.py"
    changed = story.read_text().replace("    async def _resolve_and_record(self) -> Snapshot:\n", SHADOWED)
    story.write_text(changed)
    code, said = await command(tmp_path, server, url, "operate.py", "replay", "--query", "ExecutionStatus='Running'")
    assert (code, said.splitlines()[-1]) == (1, "2 runs replayed, 2 would break"), said
    for activity in (asleep, moved):
        assert f"WOULD BREAK {workflow_id(tenant.id, activity['idempotencyKey'])} (run " in said


SHADOWED = """    async def _resolve_and_record(self) -> Snapshot:
        await workflow.sleep(1)
        return await self._as_before()

    async def _as_before(self) -> Snapshot:
"""


@asynccontextmanager
async def deployed(client: Client, build: str, url: str, story: type) -> AsyncIterator[None]:
    """Run a worker of one build and make the build current."""
    async with running_service(url, client, work=False) as service:
        version = WorkerDeploymentVersion("scheduled-activities", build)
        worker = Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[story],
            activities=steps(client, service.roles.worker, service.roles.across_tenants),
            interceptors=[ActForTenants(), ReadActors()],
            workflow_runner=Sandbox(),
            deployment_config=WorkerDeploymentConfig(
                version=version,
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
            ),
        )
        async with worker:
            await _make_current(client, version)
            yield


async def _make_current(client: Client, version: WorkerDeploymentVersion) -> None:
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=version.deployment_name, build_id=version.build_id
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request, retry=True)
            except RPCError:  # the server hasn't heard of the worker yet
                await asyncio.sleep(0.1)
            else:
                return


async def test_runs_that_sleep_over_a_deployment_wake_on_the_new_code_if_the_change_is_patched(
    own: tuple[TemporalServer, str, Client],
) -> None:
    _, url, client = own
    async with running_service(url, client, work=False) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            old: list[dict[str, Any]] = []
            while not old or "DUE" in await statuses(http, old):  # they have to sleep when their worker ends
                async with deployed(client, "1", url, ScheduledActivityWorkflow):
                    old = [await created(http, scheduled_at=from_now(seconds=8)) for _ in range(3)]
            async with deployed(client, "2", url, Patched):
                new = await created(http, scheduled_at=from_now(seconds=1))
                for activity in (*old, new):
                    await until(http, f"/api/activities/{activity['id']}", "DUE")
                    assert [event[0] for event in await trail(http, activity["id"])] == ["CREATED", "DUE"]
        assert await summaries(client, workflow_id(tenant.id, old[0]["idempotencyKey"])) == {"breathes"}
        assert await summaries(client, workflow_id(tenant.id, new["idempotencyKey"])) == {
            "looks around first",
            "breathes",
        }


async def summaries(client: Client, run: str) -> set[str]:
    """Return the new steps that a run has executed."""
    history = await client.get_workflow_handle(run).fetch_history()
    found = set()
    for event in history.events:
        if event.HasField("timer_started_event_attributes"):
            (summary,) = await client.data_converter.decode([event.user_metadata.summary])
            found.add(summary)
    return {summary for summary in found if not summary.startswith("until ")}


@asynccontextmanager
async def waiting(client: Client, build: str, story: type) -> AsyncIterator[WorkerDeploymentVersion]:
    """Run a worker of a build that is not current."""
    version = WorkerDeploymentVersion("scheduled-activities", build)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[story, ReplayGateWorkflow],
        activities=[ReplayGates(client, [story]).replay_open_runs],
        interceptors=[Heartbeats()],
        workflow_runner=Sandbox(),
        deployment_config=WorkerDeploymentConfig(
            version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE
        ),
    )
    async with worker:
        yield version


async def start_gate(client: Client, version: WorkerDeploymentVersion) -> WorkflowHandle[Any, ReplayGatePassed]:
    """Start the gate of a build as Temporal's Worker Controller does."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await client.start_workflow(
                    ReplayGateWorkflow.run,
                    ReplayGate(runs_of_each_age=100),
                    id=f"gate-{version.build_id}",
                    task_queue=TASK_QUEUE,
                    versioning_override=PinnedVersioningOverride(version),
                )
            except RPCError:  # the server hasn't heard of the worker yet
                await asyncio.sleep(0.1)


async def test_the_gate_of_a_build_passes_if_the_open_runs_replay_and_names_each_run_that_would_break(
    own: tuple[TemporalServer, str, Client],
) -> None:
    _, url, client = own
    async with running_service(url, client, work=False) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http, deployed(client, "1", url, ScheduledActivityWorkflow):
            sleepers = [await created(http) for _ in range(3)]
    async with asyncio.timeout(60):
        while (await client.count_workflows("ExecutionStatus = 'Running'")).count < len(sleepers):
            await asyncio.sleep(0.1)
    async with waiting(client, "2", Patched) as version:
        assert (await (await start_gate(client, version)).result()).runs == len(sleepers)
    async with waiting(client, "3", Careless) as version:
        with pytest.raises(WorkflowFailureError) as refused:
            await (await start_gate(client, version)).result()
    step = refused.value.cause
    assert isinstance(step, ActivityError)
    assert isinstance(step.cause, ApplicationError)
    assert step.cause.type == WOULD_BREAK
    for activity in sleepers:
        assert workflow_id(tenant.id, activity["idempotencyKey"]) in str(step.cause)


WORKING = '"event": "working"'


async def persistently(http: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """Repeat the same request until the answer is 201, or 409 for an activity that exists."""
    async with asyncio.timeout(120):
        while True:
            answer = await http.post("/api/activities", json=body)
            if answer.status_code in (201, 202):
                return str(answer.json()["id"])
            if answer.status_code == 409 and answer.json()["sameRequest"]:
                return str(answer.json()["activity"]["id"])
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.5)


async def test_workers_killed_and_restarted_in_a_burst_lose_nothing_and_do_nothing_twice(
    own: tuple[TemporalServer, str, Client], tmp_path: Path
) -> None:
    _, url, client = own
    async with running_service(url, client, work=False) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            with ExitStack() as workers:
                first = workers.enter_context(deployed_worker(service, tmp_path))
                await persistently(http, contract_example())
                bodies = [contract_example(scheduled_at=from_now(seconds=5)) for _ in range(40)]
                burst = asyncio.gather(*(persistently(http, body) for body in bodies))
                await asyncio.sleep(0.3)
                second = workers.enter_context(deployed_worker(service, tmp_path))
                first.process.kill()
                await asyncio.to_thread(second.wait_for_log, WORKING)
                third = workers.enter_context(deployed_worker(service, tmp_path))
                await asyncio.to_thread(third.wait_for_log, WORKING)
                assert await asyncio.to_thread(second.process.end) == 0
                ids = await burst
                assert len(set(ids)) == len(bodies)
                for activity_id in ids:
                    await until(http, f"/api/activities/{activity_id}", "DUE")
                    assert await trail(http, activity_id) == [("CREATED", None, "READY"), ("DUE", "READY", "DUE")]


async def test_a_worker_that_waits_for_temporal_ends_at_once_when_it_is_told_to(
    service: Service, tmp_path: Path
) -> None:
    with deployed_worker(service, tmp_path, TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}") as worker:
        await asyncio.to_thread(worker.wait_for_log, "Temporal can't be reached yet")
        assert await asyncio.to_thread(worker.process.end) == 0


def count_terminated(metrics: str) -> int:
    """Return how many terminated runs rounds have found; a round that finds none writes zeros."""
    lines = [line for line in metrics.splitlines() if line.startswith("reconciliation_findings{")]
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if 'finding="terminated"' in line)


async def test_a_worker_with_a_build_id_upgrades_sleepers_and_one_process_is_all_that_reconciliation_needs(
    own: tuple[TemporalServer, str, Client], tmp_path: Path
) -> None:
    _, url, client = own
    port = free_port()
    settings = {"TEMPORAL_WORKER_BUILD_ID": "7", "RECONCILE_EVERY_SECONDS": "1", "WORKER_METRICS_PORT": str(port)}
    async with running_service(url, client, work=False) as service:
        with deployed_worker(service, tmp_path, **settings):
            await _make_current(client, WorkerDeploymentVersion("scheduled-activities", "7"))
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                activity = await created(http)
                run = client.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))
                info = (await run.describe()).raw_description.workflow_execution_info.versioning_info
                assert info.deployment_version.build_id == "7"
                assert info.behavior == VersioningBehavior.AUTO_UPGRADE.value
                await run.terminate(reason="wrong button")
                await until(http, f"/api/activities/{activity['id']}", "FAILED")
                async with asyncio.timeout(60):
                    while not (
                        terminated := count_terminated((await http.get(f"http://127.0.0.1:{port}/metrics")).text)
                    ):
                        await asyncio.sleep(0.2)
                assert terminated == 1
