"""Test traces by the SDK's in-memory exporter: from the HTTP request to the claim, and nothing of tenants in them."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client

from db.engine import open_database
from embedded.postgres import Postgres
from tests.support.builders import CONTACTS, Tenant, contract_example, insert_tenant
from tests.support.deployed import deployed
from tests.support.hand_off import claim
from tests.support.service import Service, open_roles, running_service, temporal_client, until
from tests.support.worlds import new_database, new_namespace
from traces.start import is_wanted
from traces.tracing import Tracing, read_traceparent

URL = "/api/activities"
UI = "http://ui"
ROOT = Path(__file__).parents[3]
LATER = "2031-01-01T00:00:00.000Z"


@dataclass
class Traced:
    """A traced service, a tenant of it and its caller, and the spans that have left it."""

    http: httpx.AsyncClient
    tenant: Tenant
    tracing: Tracing
    exporter: InMemorySpanExporter

    def spans(self) -> list[ReadableSpan]:
        """Return all spans so far."""
        self.tracing.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def of_trace(self, trace_id: int) -> dict[str, ReadableSpan]:
        """Return the spans of a trace by their name."""
        return {span.name: span for span in self.spans() if span.context.trace_id == trace_id}

    async def until_named(self, name: str) -> ReadableSpan:
        """Return the only span of this name, once it has ended."""
        async with asyncio.timeout(60):
            while name not in {span.name for span in self.spans()}:
                await asyncio.sleep(0.05)
        return self.named(name)

    def named(self, name: str) -> ReadableSpan:
        """Return the only span of this name."""
        (found,) = [span for span in self.spans() if span.name == name]
        return found


def linked(span: ReadableSpan) -> set[int]:
    """Return the traces that a span is linked to."""
    return {link.context.trace_id for link in span.links}


def own_id(span: ReadableSpan) -> int | None:
    """Return the id of a span."""
    return span.context.span_id if span.context else None


def parent(span: ReadableSpan) -> int | None:
    """Return the id of the span that this one is a child of."""
    return span.parent.span_id if span.parent else None


def said(span: ReadableSpan) -> dict[str, object]:
    """Return the attributes of a span."""
    return dict(span.attributes or {})


@pytest.fixture
async def traced(postgres: Postgres, temporal: Client) -> AsyncIterator[Traced]:
    """Run a service with traces, whose API and worker share an exporter."""
    exporter = InMemorySpanExporter()
    tracing = Tracing("test", exporter)
    namespace = await new_namespace(temporal)
    client = await temporal_client(
        temporal.service_client.config.target_host, namespace=namespace.namespace, interceptors=tracing.calls()
    )
    try:
        async with running_service(
            new_database(postgres),
            client,
            tracing=tracing,
            link_traces=tracing.link_current,
            codec_allowed_origin=UI,
        ) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                yield Traced(http, tenant, tracing, exporter)
    finally:
        tracing.close()


async def test_one_trace_leads_from_the_request_to_the_statements_and_the_mark_and_the_claim_are_linked(
    traced: Traced,
) -> None:
    created = await traced.http.post(URL, json=contract_example(), headers={"X-Request-Id": "follow-me"})
    await until(traced.http, created.headers["Location"], "DUE")
    (taken,) = await claim(traced.http)
    assert taken["id"] == created.json()["id"]

    request = traced.named(f"POST {URL}")
    creation = request.context.trace_id
    spans = traced.of_trace(creation)
    start, step, statement = spans["UpdateWithStart ScheduledActivityWorkflow"], spans["create"], spans["WITH"]
    assert request.parent is None
    assert [parent(span) for span in (start, step, statement)] == [own_id(span) for span in (request, start, step)]
    assert said(step)["request.id"] == said(request)["request.id"] == "follow-me"
    assert said(step)["activity.id"] == created.json()["id"]

    mark = await traced.until_named("mark_due")  # its row is read before its span ends
    assert mark.parent is None
    assert mark.context.trace_id != creation
    assert linked(mark) == {creation}
    claimed = traced.named("POST /api/executions/claim")
    assert linked(claimed) == {creation, mark.context.trace_id}
    assert claimed.context.trace_id not in linked(claimed)


async def test_a_retry_of_the_resolution_belongs_to_its_own_request_and_is_linked_to_the_creation(
    traced: Traced,
) -> None:
    created = await traced.http.post(URL, json=contract_example(scheduled_at=LATER, target_criteria=[]))
    assert created.status_code == 201
    await traced.http.patch(created.headers["Location"], json={"score": 1})
    creation = traced.named(f"POST {URL}").context.trace_id
    changed = traced.named("PATCH /api/activities/{activity_id}")
    step = traced.named("apply_change")
    assert step.context.trace_id == changed.context.trace_id != creation
    assert linked(step) == {creation}
    assert parent(traced.named("Update reschedule")) == own_id(changed)


async def test_spans_have_no_texts_of_tenants_no_parameters_and_no_messages_of_failures(traced: Traced) -> None:
    secret = {"reason": "monthly_promotion", "assignment_reason": "Llamar a María"}
    created = await traced.http.post(URL, json=contract_example(**secret))
    await until(traced.http, created.headers["Location"], "DUE")
    await traced.http.get(f"{URL}?search=Mar%C3%ADa")
    await traced.http.get(f"/Mar%C3%ADa?{created.json()['idempotencyKey']}")
    await traced.http.post(URL, json=contract_example(reason="Llamar a María"))
    await claim(traced.http)
    assert (await traced.http.request("JUANA", URL)).status_code == 405
    written = "\n".join(span.to_json() for span in traced.spans())
    assert "INSERT INTO scheduled_activities" in written
    for text in ("María", "Mar%C3", "JUANA", created.json()["idempotencyKey"], "Name of", "Tienda", *CONTACTS.values()):
        assert text not in written
    assert "GET unknown" in {span.name for span in traced.spans()}


async def test_a_preflight_is_answered_and_a_head_is_named_by_its_route(traced: Traced) -> None:
    asked = {"Origin": UI, "Access-Control-Request-Method": "POST"}
    assert (await traced.http.options("/codec/decode", headers=asked)).is_success
    assert (await traced.http.head(URL)).status_code == 200
    assert said(traced.named(f"HEAD {URL}"))["http.route"] == URL


async def test_only_the_probes_and_the_metrics_have_no_spans(traced: Traced) -> None:
    for path in ("/health/live", "/health/ready", "/metrics", "/of/metrics/and/health/ready"):
        await traced.http.get(path)
    assert said(traced.named("GET unknown"))["http.route"] == "unknown"
    assert not {span.name for span in traced.spans()} & {"GET /health/live", "GET /health/ready", "GET /metrics"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, dict) else str(value),
)
def test_the_standard_variables_decide(environment: dict[str, str], wanted: bool) -> None:  # noqa: FBT001 - the case
    assert is_wanted(environment) is wanted


def test_a_process_with_traces_says_what_it_does_not_support() -> None:
    program = "from traces.start import start_tracing; start_tracing('x')"
    for variables, fault in (
        ({"OTEL_TRACES_EXPORTER": "jaeger"}, "OTEL_TRACES_EXPORTER must be otlp, console or none, not jaeger"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "must be http/protobuf"),
    ):
        command = [sys.executable, "-c", program]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=variables)  # noqa: S603 - ours
        assert (ended.returncode, fault in ended.stderr) == (1, True)


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Run a receiver of OTLP; yield its address and what it has received."""
    received: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep what is exported."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


async def test_the_processes_export_one_trace_to_a_collector_and_send_what_is_left_when_they_end(
    postgres: Postgres, temporal: Client, tmp_path: Path
) -> None:
    url, namespace = new_database(postgres), await new_namespace(temporal)
    database = open_database(url)
    async with database.transactions.begin() as connection:
        tenant = await insert_tenant(connection)
    await database.dispose()
    with collector() as (endpoint, received):
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        with (
            deployed("worker", url, namespace, tmp_path, **variables) as worker,
            deployed("api", url, namespace, tmp_path, **variables) as api,
        ):
            await api.until_readiness(200)
            async with Service(api.url, database, open_roles(url), namespace).client(tenant.id) as http:
                created = await http.post(URL, json=contract_example(scheduled_at=LATER))
                assert created.status_code == 201, created.text
            api.process.end()
            assert worker.process.end() == 0
    exported = [
        (attribute.value.string_value, span.name, span.trace_id)
        for request in received
        for resource in request.resource_spans
        for attribute in resource.resource.attributes
        if attribute.key == "service.name"
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    (trace_id,) = [trace_id for _, name, trace_id in exported if name == f"POST {URL}"]
    of_request = {(service, name) for service, name, trace in exported if trace == trace_id}
    assert ("scheduled-activities-api", "UpdateWithStart ScheduledActivityWorkflow") in of_request
    assert ("scheduled-activities-worker", "create") in of_request
    assert ("scheduled-activities-worker", "WITH") in of_request


def test_what_is_no_traceparent_names_no_span() -> None:
    assert read_traceparent("00-0-0-00") is read_traceparent(None) is None
