"""Test metrics and logs: gauges that rise while no worker runs, and logs without personal data."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import and_, event, update
from temporalio.client import Client

from db.models import CommerceUser, ScheduledActivity
from embedded.postgres import Postgres
from embedded.temporal_server import free_port
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE
from runs.lead import Lead
from runs.runtime import open_runtime
from tests.support.builders import CONTACTS, Tenant, contract_example, from_now
from tests.support.hand_off import claim, run_out
from tests.support.promql import metrics_of, queries, rules
from tests.support.reconciliation import reconciled
from tests.support.service import Service, http_client, temporal_client, until
from tests.support.worlds import idle_service, work
from workflows.findings import Part
from workflows.tenant_limits import FIGURES_SECONDS, METRICS_SECONDS
from workflows.words import ActivityStatus, Channel

URL = "/api/activities"
LATER = "2031-01-01T00:00:00.000Z"


def values(exposition: str, name: str) -> dict[str, float]:
    """Return a metric's values by label."""
    lines = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", exposition, re.MULTILINE)
    return {labels: float(value) for labels, value in lines}


@pytest.fixture
async def idle(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """Run a service without a worker."""
    async with idle_service(postgres, temporal, answer_deadline_seconds=0.5) as service:
        yield service


async def test_the_backlog_rises_while_nothing_runs(idle: Service) -> None:
    tenant = await idle.tenant()
    async with idle.beside() as patient, patient.client(tenant.id) as http:
        async with work(idle):
            created = [await http.post(URL, json=contract_example(scheduled_at=LATER)) for _ in range(3)]
            async with idle.database.transactions.begin() as connection:
                of_tenant = CommerceUser.tenant_id == tenant.id
                await connection.execute(update(CommerceUser).where(of_tenant).values(is_active=False))
            unresolved = await http.post(URL, json=contract_example(scheduled_at=LATER))
        assert [answer.json()["status"] for answer in (*created, unresolved)] == [*["READY"] * 3, "UNRESOLVED"]
        before = (await http.get("/metrics")).text
        assert values(before, "scheduled_activities_overdue") == {"": 0}
        assert values(before, "scheduled_activities_oldest_overdue_seconds") == {"": 0}
        assert values(before, "scheduled_activities_unresolved") == {"": 1}
        async with idle.database.transactions.begin() as connection:
            two = ScheduledActivity.id.in_([answer.json()["id"] for answer in created[:2]])
            past = datetime(2025, 1, 16, 9, tzinfo=UTC)
            await connection.execute(update(ScheduledActivity).where(two).values(scheduled_at=past))
        after = (await http.get("/metrics")).text
        assert values(after, "scheduled_activities_overdue") == {"": 2}
        assert values(after, "scheduled_activities_oldest_overdue_seconds")[""] > 50_000_000


async def test_activities_that_no_executor_claims_show_by_channel_and_so_do_absent_workers(idle: Service) -> None:
    tenant, paused = await idle.tenant(), await idle.tenant()
    async with idle.beside(lead=Lead(300)) as api, api.client(tenant.id) as http, api.client(paused.id) as other:

        async def gauges(name: str) -> dict[str, float]:
            return values((await http.get("/metrics")).text, f"scheduled_activities_{name}")

        assert await gauges("workers") == dict.fromkeys(QUEUES, 0)
        async with work(idle):
            for client, channel in ((http, "WHATSAPP"), (http, "EMAIL"), (other, "WHATSAPP")):
                created = await client.post(URL, json=contract_example(channel=channel))
                await until(client, created.headers["Location"], "DUE")
            for scheduled_at in (from_now(minutes=2), LATER):
                assert (await http.post(URL, json=contract_example(scheduled_at=scheduled_at))).status_code == 201
            async with asyncio.timeout(60):
                while await gauges("workers") != dict.fromkeys(QUEUES, 1):
                    await asyncio.sleep(0.2)
        assert (await gauges("task_backlog_age_seconds")).keys() == QUEUES
        assert await gauges("due_soon") == {"": 1}
        assert (await other.put("/api/activity-config/pause", json={"paused": True, "reason": "x"})).status_code == 200
        async with idle.database.transactions.begin() as connection:
            of_email = and_(ScheduledActivity.tenant_id == tenant.id, ScheduledActivity.channel == Channel.EMAIL)
            past = datetime.now(UTC) - timedelta(minutes=33)
            await connection.execute(update(ScheduledActivity).where(of_email).values(due_at=past))
        due, oldest = await gauges("due"), await gauges("oldest_due_seconds")
        assert {labels: count for labels, count in due.items() if count} == {EMAIL: 1, WHATSAPP: 1}
        assert oldest[EMAIL] > 33 * 60
        assert due.keys() == oldest.keys()
        assert await claim(http, channels=["EMAIL"])
        assert (await gauges("due"))[EMAIL] == 0
        assert await gauges("expired_leases") == {"": 0}
        await run_out(idle.database, tenant)
        assert await gauges("expired_leases") == {"": 1}


EMAIL, WHATSAPP = '{channel="EMAIL"}', '{channel="WHATSAPP"}'
QUEUES = {
    f'{{kind="{kind}",task_queue="{queue}"}}'
    for queue in (TASK_QUEUE, BULK_TASK_QUEUE)
    for kind in ("workflow", "activity")
}


@contextmanager
def reads_of_figures(service: Service) -> Iterator[list[str]]:
    """Yield a list to which each statement that reads the figures of the backlog is added."""
    reads: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "backlog_figures" in statement:
            reads.append(statement)

    event.listen(service.roles.api.autocommit.sync_engine, "before_cursor_execute", note)
    try:
        yield reads
    finally:
        event.remove(service.roles.api.autocommit.sync_engine, "before_cursor_execute", note)


async def test_the_backlog_is_read_every_15_seconds_however_often_it_is_scraped(
    service: Service, tenant: Tenant
) -> None:
    with reads_of_figures(service) as reads:
        assert FIGURES_SECONDS == 15
        async with service.beside(figures_seconds=100 * FIGURES_SECONDS) as api, api.client(tenant.id) as http:
            for _ in range(3):
                assert (await http.get("/metrics")).status_code == 200
        assert len(reads) == 1


async def test_requests_and_creations_are_counted_by_route_and_outcome(http: httpx.AsyncClient) -> None:
    async def counted(name: str, part: str) -> float:
        found = values((await http.get("/metrics")).text, name)
        return sum(value for labels, value in found.items() if part in labels)

    created, refused = 'code="created"', 'code="commerce_not_found"'
    posts = 'method="POST",route="/api/activities",status="201"'
    before = [await counted("scheduled_activity_creations_total", part) for part in (created, refused)]
    requests = await counted("http_requests_total", posts)
    body = contract_example()
    location = (await http.post(URL, json=body)).headers["Location"]
    await http.post(URL, json=contract_example(commerce_id=str(uuid4())))
    await http.get(location)
    after = [await counted("scheduled_activity_creations_total", part) for part in (created, refused)]
    assert [late - early for late, early in zip(after, before, strict=True)] == [1, 1]
    assert await counted("http_requests_total", posts) == requests + 1
    exposition = (await http.get("/metrics")).text
    assert location.rsplit("/", 1)[1] not in exposition
    assert 'route="/api/activities/{activity_id}"' in exposition


async def test_scrapers_at_once_share_a_text_and_a_later_one_sees_what_happened_before_it(
    service: Service, tenant: Tenant
) -> None:
    with reads_of_figures(service) as reads:
        async with service.beside() as api, api.client(tenant.id) as http:
            began = time.monotonic()
            await http.get("/metrics")  # the next text is composed a second later
            texts = {answer.text for answer in await asyncio.gather(*(http.get("/metrics") for _ in range(32)))}
            # On a quiet machine all of them share one text; they share one a second however long they take.
            assert len(texts) < (shared := len(reads)) <= 1 + (time.monotonic() - began) / METRICS_SECONDS
            await http.get("/api/activities", params={"no_such": "x"})
            before, after = texts.pop(), (await http.get("/metrics")).text
            refused = '{method="GET",route="/api/activities",status="400"}'
            counts = [values(text, "http_requests_total").get(refused, 0) for text in (before, after)]
            assert counts[1] == counts[0] + 1
            assert len(reads) == shared + 1


@pytest.fixture
async def worker_metrics(postgres: Postgres, temporal: Client) -> AsyncIterator[tuple[Service, str]]:
    """Run a service whose worker serves metrics; yields it with the URL of the metrics."""
    port = free_port()
    async with idle_service(postgres, temporal) as service:
        client = await temporal_client(
            temporal.service_client.config.target_host,
            namespace=service.temporal.namespace,
            runtime=open_runtime(f"127.0.0.1:{port}"),
        )
        async with service.worker(client):
            yield service, f"http://127.0.0.1:{port}/metrics"


async def test_every_mark_is_counted_once_with_its_lateness(worker_metrics: tuple[Service, str]) -> None:
    service, url = worker_metrics
    tenant = await service.tenant()
    async with service.client(tenant.id) as http, http_client() as prometheus:
        for body in (contract_example(), contract_example(scheduled_at=from_now(seconds=1))):
            created = await http.post(URL, json=body)
            await until(http, created.headers["Location"], "DUE")
        await http.post(URL, json=contract_example(scheduled_at=LATER))
        async with asyncio.timeout(60):
            while sum(values(found := (await prometheus.get(url)).text, f"{LATENESS}_count").values()) < 2:
                await asyncio.sleep(0.1)
    assert sum(values(found, f"{LATENESS}_count").values()) == 2
    assert values(found, "temporal_workflow_completed")


LATENESS = "scheduled_activity_lateness_ms"


async def test_the_end_of_each_round_and_its_failures_show_in_the_workers_metrics(
    worker_metrics: tuple[Service, str],
) -> None:
    service, url = worker_metrics
    async with http_client() as prometheus:
        async with service.database.transactions.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE activity_results RENAME TO away")
            began_at = (await connection.exec_driver_sql("SELECT extract(epoch FROM now())")).scalar_one()
        await reconciled(service.temporal)
        async with asyncio.timeout(60):
            found, ended = "", dict[str, float]()
            while len(ended) < len(Part):
                found = (await prometheus.get(url)).text
                ended = values(found, "reconciliation_completed_timestamp_seconds")
                await asyncio.sleep(0.1)
    assert sorted('part="rows"' in labels for labels in ended) == [False, True]
    assert all(int(began_at) <= at for at in ended.values())
    counted = values(found, "reconciliation_findings")
    assert sum(value for labels, value in counted.items() if 'finding="failed"' in labels) == 2


async def test_every_metric_that_a_rule_a_panel_or_the_scaling_asks_for_exists(
    worker_metrics: tuple[Service, str],
) -> None:
    service, url = worker_metrics
    tenant = await service.tenant()
    async with service.client(tenant.id) as http, http_client() as prometheus:
        created = await http.post(URL, json=contract_example())
        await until(http, created.headers["Location"], "DUE")
        assert await claim(http)
        assert (await http.post(URL, json=contract_example(scheduled_at=LATER))).status_code == 201
        is_open = ScheduledActivity.status == ActivityStatus.READY
        async with service.database.transactions.begin() as connection:
            await connection.execute(update(ScheduledActivity).where(is_open).values(idempotency_key="no run"))
        await reconciled(service.temporal)
        async with service.database.transactions.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE status_events RENAME TO away")
        async with service.beside(answer_deadline_seconds=1.0) as hasty, hasty.client(tenant.id) as impatient:
            assert (await impatient.post(URL, json=contract_example(scheduled_at=LATER))).status_code == 202
        async with asyncio.timeout(60):
            while "temporal_activity_execution_failed" not in (found := (await prometheus.get(url)).text):
                await asyncio.sleep(0.1)
        exposition = (await http.get("/metrics")).text + found
    names = set(re.findall(r"^(\w+)", exposition, re.MULTILINE))
    assert {name: missing for name, query in queries().items() if (missing := metrics_of(query) - names)} == {}


def test_every_alert_says_what_is_wrong_what_to_do_and_how_urgent_it_is() -> None:
    found = list(rules())
    assert len({rule["alert"] for rule in found}) == len(found) >= 5
    for rule in found:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "description"}


async def test_a_log_line_is_json_with_request_tenant_and_activity_and_without_people(
    log: StringIO, postgres: Postgres, temporal: Client
) -> None:
    async with idle_service(postgres, temporal) as service, work(service):
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            personal = contract_example(reason="Llamar a María", assignment_reason="+525555550101 María")
            headers = {"X-Request-Id": "look-for-me"}
            refused = await http.post(URL, json=personal, headers=headers)
            assert refused.status_code == 400
            created = await http.post(URL, json=personal | {"reason": "monthly_promotion"}, headers=headers)
            await until(http, created.headers["Location"], "DUE")
            async with service.database.transactions.begin() as connection:
                await connection.exec_driver_sql(
                    "ALTER TABLE scheduled_activities ALTER COLUMN assignment_reason TYPE varchar(30)"
                )
            broken = await http.post(URL, json=contract_example(assignment_reason="María " * 20))
            assert broken.status_code == 500
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    mine = [line for line in lines if line.get("request_id") == "look-for-me"]
    assert [line["status"] for line in mine if line["event"] == "request answered"] == [400, 201]
    assert {line["tenant_id"] for line in mine} == {str(tenant.id)}
    assert mine[-1]["activity_id"] == created.json()["id"]
    assert {line["process"] for line in lines} == {"test"}
    failed = [line for line in lines if line["event"] == "step failed"]
    assert {line["type"] for line in failed} == {"DataRefused"}
    assert all("sql" in "".join(line["trace"]) for line in failed if line["attempt"] == 1)
    for secret in ("María", "5555550101", "Name of", "Tienda", *CONTACTS.values()):
        assert secret not in log.getvalue()
