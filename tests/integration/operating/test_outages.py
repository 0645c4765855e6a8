"""Test outages of each server: nothing is lost, nothing hangs, and every answer says what to do."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from db.models import ScheduledActivity, StatusEvent
from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, TemporalServer, free_port, running_temporal
from runs.client import workflow_id
from tests.integration.operating.test_ended_creations import until_in_trouble
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.deployed import deployed_worker
from tests.support.locks import locked_before_mark, table_locked, until_blocked
from tests.support.prepared_postgres import StoppablePostgres
from tests.support.service import Service, running_service, temporal_client, until, until_listed, until_ready
from tests.support.worlds import idle_service, new_database, work
from worker import TUNING

URL = "/api/activities"
MOST_TASKS = TUNING["max_concurrent_workflow_tasks"]
LATER = "2031-01-01T00:00:00.000Z"
PATIENT: dict[str, Any] = {"answer_deadline_seconds": 60.0}
IMPATIENT: dict[str, Any] = {"answer_deadline_seconds": 0.5}


@asynccontextmanager
async def working_service(postgres: Postgres, temporal: Client, **settings: Any) -> AsyncIterator[Service]:
    """Run a service with a worker and its own database."""
    async with idle_service(postgres, temporal, **settings) as service, work(service):
        yield service


async def count(service: Service, table: Any, tenant: Tenant) -> int:
    """Count the tenant's rows in a table."""
    async with service.database.transactions.connect() as connection:
        found = await connection.execute(select(func.count()).select_from(table).where(table.tenant_id == tenant.id))
        return int(found.scalar_one())


async def description(service: Service, tenant: Tenant, key: str) -> WorkflowExecutionDescription:
    """Describe the run, as Temporal's web UI shows it."""
    return await service.temporal.get_workflow_handle(f"{tenant.id}:{key}").describe()


async def test_without_a_worker_it_is_accepted_and_becomes_ready_by_itself_once_there_is_one(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal, **IMPATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            accepted = await http.post(URL, json=contract_example(scheduled_at=LATER))
            assert (accepted.status_code, accepted.headers["Retry-After"]) == (202, "1")
            assert accepted.json()["status"] == "RESOLVING"
            seen = await until_listed(http, accepted.headers["Location"])
            assert (seen.status_code, seen.json()) == (200, accepted.json())
            assert (await http.get(f"{accepted.headers['Location']}/status-events")).json()["data"] == []
            async with work(service):
                ready = await until(http, accepted.headers["Location"], "READY")
    assert ready["id"] == accepted.json()["id"]
    assert ready["reason"] == {"code": "monthly_promotion", "label": "Promocion Mensual"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"commerce_id": str(uuid4())}, (404, "commerce_not_found", [])),
        ({"reason": "no such reason"}, (400, "unknown_reason", ["/reason"])),
        ({"attribute_keys": ["x", "y"]}, (400, "unknown_attribute_key", ["/attribute_keys/0", "/attribute_keys/1"])),
    ],
)
async def test_what_turns_out_to_be_impossible_later_is_told_where_the_caller_was_sent_to_look(
    postgres: Postgres, temporal: Client, wrong: dict[str, Any], told: tuple[int, str, list[str]]
) -> None:
    async with idle_service(postgres, temporal, **PATIENT) as service, service.beside(**IMPATIENT) as hasty:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http, hasty.client(tenant.id) as hurried:
            body = contract_example(scheduled_at=LATER) | wrong
            accepted = await hurried.post(URL, json=body)
            assert accepted.status_code == 202
            await until_listed(http, accepted.headers["Location"])
            async with work(service):
                async with asyncio.timeout(60):
                    while (answer := await http.get(accepted.headers["Location"])).status_code == 200:
                        await asyncio.sleep(0.05)
                pointers = [fault["pointer"] for fault in answer.json()["errors"]]
                assert (answer.status_code, answer.json()["code"], pointers) == told
                directly = await http.post(URL, json=body)
                same = ("status", "code", "detail", "errors", "title")
                assert [directly.json()[name] for name in same] == [answer.json()[name] for name in same]
                good = contract_example(scheduled_at=LATER) | {"idempotency_key": body["idempotency_key"]}
                assert (await http.post(URL, json=good)).status_code == 201


async def test_postgresql_stopped_in_mid_creation_shows_as_a_pending_step_and_the_waiting_call_gets_its_201(
    own_postgres: StoppablePostgres, temporal: Client
) -> None:
    async with working_service(own_postgres.server, temporal, **PATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example(scheduled_at=LATER)
            with suppress(psycopg.Error), table_locked(own_postgres.server, service, "reasons"):
                waiting = asyncio.create_task(http.post(URL, json=body))
                await until_blocked(own_postgres.server, service)
                own_postgres.stop()
            steps = await pending_steps(service, tenant, body["idempotency_key"])
            assert list(steps) == ["resolve_commerce"]
            for name, step in steps.items():
                assert step.activity_type.name == name
                assert step.last_failure.application_failure_info.type == "DatabaseUnavailable"
                assert step.attempt >= 1
            assert not waiting.done()
            own_postgres.start()
            created = await waiting
            assert (created.status_code, created.json()["status"]) == (201, "READY")
            await service.database.dispose()
            assert await count(service, ScheduledActivity, tenant) == 1
            assert await count(service, StatusEvent, tenant) == 1


async def pending_steps(service: Service, tenant: Tenant, key: str) -> dict[str, Any]:
    """Return the pending steps by the name that operators see, once all have a visible failure."""
    async with asyncio.timeout(60):
        while True:
            steps = (await description(service, tenant, key)).raw_description.pending_activities
            if steps and all(step.HasField("last_failure") for step in steps):
                return {step.activity_id: step for step in steps}
            await asyncio.sleep(0.1)


async def test_with_postgresql_away_a_creation_is_accepted_and_looking_is_503_until_it_is_back(
    own_postgres: StoppablePostgres, temporal: Client
) -> None:
    async with working_service(own_postgres.server, temporal) as service, service.beside(**IMPATIENT) as hasty:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http, hasty.client(tenant.id) as hurried:
            existing = await http.post(URL, json=contract_example(scheduled_at=LATER))
            own_postgres.stop()
            accepted = await hurried.post(URL, json=contract_example(scheduled_at=LATER))
            assert (accepted.status_code, accepted.json()["status"]) == (202, "RESOLVING")
            for location in (existing.headers["Location"], accepted.headers["Location"]):
                for url in (location, f"{location}/status-events"):
                    answer = await http.get(url)
                    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                    assert int(answer.headers["Retry-After"]) >= 1
            readiness = await http.get("/health/ready")
            assert (readiness.status_code, list(readiness.json()["missing"])) == (503, ["postgresql"])
            assert (await http.get("/health/live")).status_code == 200
            figures = await http.get("/metrics")
            assert figures.status_code == 200
            assert "http_requests_total" in figures.text
            assert "scheduled_activities_overdue NaN" in figures.text
            own_postgres.start()
            assert (await until(http, accepted.headers["Location"], "READY"))["id"] == accepted.json()["id"]
            await until_ready(http)
            assert "scheduled_activities_overdue NaN" not in (await http.get("/metrics")).text


async def test_an_activity_whose_time_comes_while_postgresql_is_away_is_marked_when_it_is_back(
    own_postgres: StoppablePostgres, temporal: Client
) -> None:
    async with working_service(own_postgres.server, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            with suppress(SQLAlchemyError):
                async with locked_before_mark(service, http) as (created, _):
                    own_postgres.stop()
            location = f"{URL}/{created['id']}"
            assert list(await pending_steps(service, tenant, created["idempotencyKey"])) == ["mark_due"]
            own_postgres.start()
            due = await until(http, location, "DUE")
            assert due["latenessMs"] > 0
            trail = (await http.get(f"{location}/status-events")).json()["data"]
    assert [event["eventType"] for event in trail] == ["CREATED", "DUE"]


@pytest.mark.parametrize(
    "planted",
    [
        "ADD CONSTRAINT planted CHECK (score <> 666)",
        "ALTER COLUMN assignment_reason TYPE varchar(5)",
    ],
    ids=["integrity", "data"],
)
async def test_a_row_that_postgresql_refuses_is_the_end_of_it_and_nothing_hangs(
    postgres: Postgres, temporal: Client, planted: str
) -> None:
    async with working_service(postgres, temporal) as service:
        async with service.database.transactions.begin() as connection:
            await connection.execute(text(f"ALTER TABLE scheduled_activities {planted}"))
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = contract_example(score=666, assignment_reason="María, +525555550101")
            for _ in range(2):
                answer = await http.post(URL, json=body)
                assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
                assert "can be used again" in answer.json()["detail"]
            run = await description(service, tenant, body["idempotency_key"])
            assert run.status is WorkflowExecutionStatus.FAILED
            assert run.search_attributes["ActivityStatus"] == ["FAILED"]
            failure = (await run_of(service, run).fetch_history()).events[-1].workflow_execution_failed_event_attributes
            assert "María" not in str(failure)
            assert "SQLSTATE" in failure.failure.message
            good = body | {"score": 1, "assignment_reason": "ok"}
            assert (await http.post(URL, json=good)).status_code == 201


def run_of(service: Service, run: WorkflowExecutionDescription) -> Any:
    """Return a handle of exactly this run."""
    return service.temporal.get_workflow_handle(run.id, run_id=run.run_id)


async def test_a_worker_takes_no_more_tasks_at_a_time_than_it_can_finish_in_time(
    postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal, answer_deadline_seconds=1) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            bodies = [contract_example(scheduled_at=LATER) for _ in range(MOST_TASKS + 8)]
            answers = []
            for first in range(0, len(bodies), 8):
                some = bodies[first : first + 8]
                answers += await asyncio.gather(*(http.post(URL, json=body) for body in some))
            assert {answer.status_code for answer in answers} == {202}
            runs = [
                service.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"])) for body in bodies
            ]
            async with work(service):
                with table_locked(postgres, service, "reasons"):
                    for run in runs:
                        await until_in_trouble(run)
                for answer in answers:
                    await until(http, answer.headers["Location"], "READY")
        tasks = [task for run in runs for task in tasks_of((await run.fetch_history()).events)]
    assert most_at_once(tasks) <= MOST_TASKS


def tasks_of(events: Sequence[HistoryEvent]) -> Iterator[tuple[int, int]]:
    """Yield the times of the server at which each workflow task was given out and finished, in nanoseconds."""
    started = 0
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            started = event.event_time.ToNanoseconds()
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            yield started, event.event_time.ToNanoseconds()


def most_at_once(intervals: Iterable[tuple[int, int]]) -> int:
    """Return the greatest number of intervals that overlap; one that ends as another begins does not overlap it."""
    changes = sorted(change for began, ended in intervals for change in ((began, 1), (ended, -1)))
    return max(accumulate(change for _, change in changes))


async def test_a_worker_killed_in_mid_creation_is_replaced_by_another_and_the_call_gets_its_201(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    async with idle_service(postgres, temporal, **PATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            with table_locked(postgres, service, "reasons"), deployed_worker(service, tmp_path) as worker:
                waiting = asyncio.create_task(http.post(URL, json=contract_example(scheduled_at=LATER)))
                await until_blocked(postgres, service)
                worker.process.kill()
            async with work(service):
                created = await waiting
            assert (created.status_code, created.json()["status"]) == (201, "READY")
            assert await count(service, ScheduledActivity, tenant) == 1
            assert await count(service, StatusEvent, tenant) == 1


@pytest.mark.parametrize(
    ("call", "becomes"),
    [
        (("PATCH", "", {"scheduled_at": "SOON"}), "READY"),
        (("POST", "/cancel", {"reason": "x"}), "CANCELED"),
        (("POST", "/execute-now", None), "DUE"),
    ],
)
async def test_a_change_that_was_written_by_a_worker_who_died_over_it_is_told_as_done_and_the_run_catches_up(
    postgres: Postgres, temporal: Client, tmp_path: Path, call: tuple[str, str, Any], becomes: str
) -> None:
    async with idle_service(postgres, temporal, answer_deadline_seconds=8.0) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            async with work(service):
                created = await http.post(URL, json=contract_example(scheduled_at=LATER))
            location, key = created.headers["Location"], created.json()["idempotencyKey"]
            method, path, body = call
            with deployed_worker(service, tmp_path, "tests/support/dying_worker.py") as worker:
                await asyncio.to_thread(worker.wait_for_log, "working")
                if becomes == "READY":
                    body = {"scheduled_at": from_now(seconds=12)}
                answer = await http.request(method, f"{location}{path}", json=body)
            assert (answer.status_code, answer.json()["status"]) == (200, becomes), answer.text
            async with work(service):
                if becomes == "READY":
                    assert (await until(http, location, "DUE"))["latenessMs"] < 60_000
                run = service.temporal.get_workflow_handle(f"{tenant.id}:{key}")
                assert await run.result() == (becomes if becomes != "READY" else "DUE")
            trail = (await http.get(f"{location}/status-events")).json()["data"]
    assert "CHANGE_WITHDRAWN" not in {event["eventType"] for event in trail}
    assert len(trail) == (3 if becomes == "READY" else 2)


async def test_a_caller_who_hangs_up_loses_nothing(postgres: Postgres, temporal: Client) -> None:
    async with working_service(postgres, temporal, **PATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as gone, service.client(tenant.id) as http:
            body = contract_example(scheduled_at=LATER)
            with table_locked(postgres, service, "reasons"):
                calling = asyncio.create_task(gone.post(URL, json=body))
                await until_blocked(postgres, service)
                calling.cancel()
                repeated = await http.post(URL, json=body)
                assert (repeated.status_code, repeated.json()["decided"]) == (409, False)
            ready = await until(http, repeated.headers["Location"], "READY")
            assert ready["id"] == repeated.json()["activity"]["id"]


class StoppableTemporal:
    """A server of its own that a test stops, kills or freezes; it keeps its runs."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "temporal.sqlite"
        self._port = free_port()
        self._running = ExitStack()
        self.server = self.start()

    def start(self) -> TemporalServer:
        """Start the server on its existing data."""
        self.server = self._running.enter_context(
            running_temporal(
                database=self._database,
                port=self._port,
                ui_port=None,
                dynamic_config=DYNAMIC_CONFIG,
            )
        )
        return self.server

    def stop(self) -> None:
        """Stop the server in order."""
        self._running.close()

    def kill(self) -> None:
        """Kill the server."""
        self.server.process.kill()
        self.stop()

    def freeze(self) -> None:
        """Freeze the server with every connection open."""
        self.server.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Thaw or restart the server."""
        if self.server.process.poll() is None:
            self.server.process.send_signal(signal.SIGCONT)
        else:
            self.start()


@pytest.fixture
def own_temporal(tmp_path: Path) -> Iterator[StoppableTemporal]:
    """Run a server for one test."""
    server = StoppableTemporal(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("outage", ["stop", "kill", "freeze"])
async def test_with_temporal_away_a_creation_is_503_and_the_same_key_works_afterwards(
    postgres: Postgres, own_temporal: StoppableTemporal, outage: str
) -> None:
    client = await temporal_client(own_temporal.server.address)
    async with running_service(new_database(postgres), client, **IMPATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            before = await created_after_all(http, contract_example(scheduled_at=from_now(seconds=6)))
            getattr(own_temporal, outage)()
            body = contract_example()
            away = await http.post(URL, json=body)
            assert (away.status_code, away.json()["code"]) == (503, "unavailable")
            assert int(away.headers["Retry-After"]) >= 1
            assert "same idempotency key" in away.json()["detail"]
            readiness = await http.get("/health/ready")
            assert (readiness.status_code, list(readiness.json()["missing"])) == (503, ["temporal"])
            assert (await http.get(f"{URL}/{uuid4()}")).status_code == 503
            own_temporal.go_on()
            created = await created_after_all(http, body)
            due = await until(http, created, "DUE")
            assert due["idempotencyKey"] == body["idempotency_key"]
            assert await until(http, before, "DUE")
            assert await count(service, ScheduledActivity, tenant) == 2


async def created_after_all(http: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """Repeat a request that was answered 503 with the same key; returns the Location."""
    async with asyncio.timeout(60):
        while (answer := await http.post(URL, json=body)).status_code == 503:
            await asyncio.sleep(0.5)
    assert answer.status_code in {201, 202, 409}, answer.text
    assert answer.status_code != 409 or answer.json()["sameRequest"]
    return answer.headers["Location"]


async def test_an_api_that_starts_while_temporal_keeps_silent_answers_within_its_deadline(
    postgres: Postgres, own_temporal: StoppableTemporal
) -> None:
    own_temporal.freeze()
    client = await temporal_client(own_temporal.server.address, lazy=True)
    async with running_service(new_database(postgres), client, work=False, **IMPATIENT) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            http.timeout = httpx.Timeout(30)
            assert (await http.post(URL, json=contract_example())).status_code == 503
            assert (await http.get("/health/ready")).status_code == 503
            assert (await http.get(f"{URL}/{uuid4()}")).status_code == 503
            own_temporal.go_on()
            await until_ready(http)
            assert (await http.post(URL, json=contract_example())).status_code == 202
