"""The service as tests run it: the real API over HTTP and the real worker, beside a real PostgreSQL and Temporal."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import make_url
from temporalio.client import Client

from api.app import create_app
from api.http.auth import Authenticator, DeploymentPermission, Permission
from api.http.dependencies import Resources
from api.server import server_config
from db.across_tenants import AcrossTenants
from db.due_watch import DueWatch
from db.engine import Database, open_database
from db.roles import API, SYSTEM, WORKER
from embedded.signing_key import AUDIENCE, ISSUER, SigningKey
from runs.client import connect_to
from runs.lead import Lead
from tests.support.builders import Tenant, insert_tenant
from traces.requests import trace_requests
from traces.tracing import Tracing
from worker import build_worker
from workflows.tenant_limits import CONNECTIONS

KEY = SigningKey(Ed25519PrivateKey.generate())
TRUSTING_NOTHING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""By default each client of httpx reads all certificate authorities anew, which takes 25 ms; tests speak plain HTTP."""


PATIENCE_SECONDS = 30


class PatientClient(httpx.AsyncClient):
    """Send a request again while its answer is 503, as the API asks of its callers: a busy machine answers so."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Return the first answer that is no 503, or the last one."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while (answer := await super().send(request, **options)).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            if not isinstance(request.stream, httpx.ByteStream) or time.monotonic() > give_up_at:
                break
            await asyncio.sleep(0.5)
        return answer


def http_client(
    url: str = "",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    kind: type[httpx.AsyncClient] = httpx.AsyncClient,
) -> httpx.AsyncClient:
    """Build a client that speaks plain HTTP to this URL."""
    return kind(base_url=url, headers=headers, timeout=60, verify=TRUSTING_NOTHING)


@dataclass(frozen=True)
class Roles:
    """The connections of the service, by the roles of its processes."""

    api: Database
    worker: Database
    across_tenants: AcrossTenants

    async def dispose(self) -> None:
        """Close the idle connections."""
        await self.api.dispose()
        await self.worker.dispose()
        await self.across_tenants.dispose()


def url_of(database_url: str, role: str) -> str:
    """Return the URL of the same database for another role."""
    return make_url(database_url).set(username=role).render_as_string(hide_password=False)


def open_roles(database_url: str) -> Roles:
    """Open the database as the API and the worker do."""
    across_tenants = AcrossTenants(open_database(url_of(database_url, SYSTEM)))
    return Roles(open_database(url_of(database_url, API)), open_database(url_of(database_url, WORKER)), across_tenants)


@dataclass
class Service:
    """A running API, and what tests look at behind it."""

    url: str
    database: Database
    """Opened by the superuser, to look at all rows."""
    roles: Roles
    temporal: Client
    is_patient: bool = False
    """True if its callers ask again after 503: no test stops what it needs."""

    def client(self, tenant_id: UUID, *permissions: Permission, subject: str = "tester") -> httpx.AsyncClient:
        """An HTTP client with a token for one tenant; with every permission if none is named."""
        tenants, deployment = (
            {tenant_id: permissions or tuple(Permission)},
            () if permissions else tuple(DeploymentPermission),
        )
        token = KEY.token(subject, tenants, timedelta(hours=1), deployment=deployment)
        return self.caller({"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant_id)})

    def caller(self, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> httpx.AsyncClient:
        """An HTTP client with these headers alone."""
        return http_client(self.url, headers, PatientClient if self.is_patient else httpx.AsyncClient)

    def at(self, url: str) -> "Service":
        """The same service through the API at this URL, whose callers see every 503."""
        return replace(self, url=url, is_patient=False)

    @asynccontextmanager
    async def beside(self, *, origins: Sequence[str] = (), **settings: Any) -> AsyncIterator["Service"]:
        """Another API over the same servers, with other settings."""
        async with running_api(resources(self.roles.api, self.temporal, **settings), origins) as url:
            yield self.at(url)

    def worker(self, temporal: Client | None = None, **options: Any) -> AbstractAsyncContextManager[None]:
        """A worker of this service, or of another client, for as long as an `async with` block runs."""
        return build_worker(temporal or self.temporal, self.roles.worker, self.roles.across_tenants, **options)

    async def tenant(self) -> Tenant:
        """A tenant of its own with the demonstration's data, so that tests never meet."""
        async with self.database.transactions.begin() as connection:
            return await insert_tenant(connection)


async def until_answered(
    http: httpx.AsyncClient, url: str, is_so: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """The answer, as soon as it is so; asked for ever less often."""
    seconds = 0.05
    async with asyncio.timeout(60):
        while not is_so(answer := (await http.get(url)).json()):
            await asyncio.sleep(seconds)
            seconds = min(1.3 * seconds, 0.5)
    found: dict[str, Any] = answer
    return found


async def until(http: httpx.AsyncClient, url: str, status: str) -> dict[str, Any]:
    """The activity, as soon as it has this status."""
    return await until_answered(http, url, lambda activity: activity["status"] == status)


async def until_ready(http: httpx.AsyncClient) -> None:
    """Wait until the API is ready: where it asks a busy server, it may not be for a moment."""
    async with asyncio.timeout(60):
        while not (await http.get("/health/ready")).is_success:
            await asyncio.sleep(0.1)


async def until_listed(http: httpx.AsyncClient, url: str) -> httpx.Response:
    """The answer for an activity without a row, once Temporal lists its run; until then it is 503."""
    async with asyncio.timeout(60):
        while (answer := await http.get(url)).status_code == 503:
            await asyncio.sleep(0.05)
    return answer


def resources(database: Database, temporal: Client, **settings: Any) -> Resources:
    """Build the API's resources; `settings` overrides the tests' defaults."""
    authenticator = Authenticator(ISSUER, AUDIENCE, public_key=KEY.public_pem())
    defaults: dict[str, Any] = {
        "temporal_ui_url": "http://ui",
        "answer_deadline_seconds": 20.0,
        "lead": Lead(0),
        "figures_seconds": 0,
        "quota_patience_seconds": 60.0,
    }
    return Resources(
        database=database,
        temporal=temporal,
        authenticator=authenticator,
        due_watch=DueWatch(database.url),
        **(defaults | settings),
    )


async def browser_of(temporal: Client) -> Client:
    """A client of the same namespace as a browser is one: it knows JSON, and nothing of our types and headers."""
    return await Client.connect(temporal.service_client.config.target_host, namespace=temporal.namespace)


async def temporal_client(address: str, **options: Any) -> Client:
    """A client as the service connects it; with `keys`, it encrypts."""
    return await connect_to(address, **{"keys": None} | options)


@asynccontextmanager
async def running_service(
    database_url: str, temporal: Client, *, work: bool = True, tracing: Tracing | None = None, **settings: Any
) -> AsyncIterator[Service]:
    """Serve until the block ends; `work=False` runs no worker, and `tracing` traces requests and steps."""
    database = open_database(database_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.dispose)
        roles = open_roles(database_url)
        stack.push_async_callback(roles.dispose)
        if work:
            around = tracing.steps() if tracing else ()
            worker = build_worker(temporal, roles.worker, roles.across_tenants, around=around)
            await stack.enter_async_context(worker)
        opened = resources(roles.api, temporal, **settings)
        url = await stack.enter_async_context(running_api(opened, tracing=tracing))
        yield Service(url, database, roles, temporal)


_OPENED: ContextVar[Resources] = ContextVar("opened")
"""The resources of an API, in the context of its server."""


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Resources]]:
    opened = _OPENED.get()
    async with opened.due_watch:
        yield {"resources": opened}


@cache
def _shared_app(origins: tuple[str, ...]) -> FastAPI:
    """Build the application once: it has no state of its own, and builds each route at its first request."""
    return create_app(_lifespan, origins)


@asynccontextmanager
async def running_api(
    opened: Resources, origins: Sequence[str] = (), tracing: Tracing | None = None, *, connections: int = CONNECTIONS
) -> AsyncIterator[str]:
    """The API on a port of its own, in this event loop."""
    if tracing:
        app = create_app(_lifespan, origins)
        trace_requests(app, tracing)
    else:
        app = _shared_app(tuple(origins))
    context = copy_context()
    context.run(_OPENED.set, opened)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server_config(app)
        config.limit_concurrency = connections
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve(sockets=[listener]), context=context)
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            opened.due_watch.stop()
            server.should_exit = True
            await serving
