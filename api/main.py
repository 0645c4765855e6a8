"""The API's process: open PostgreSQL and Temporal, and serve."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import phonenumbers
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.http.auth import Authenticator
from api.http.dependencies import Resources
from api.server import server_config
from db.due_watch import DueWatch
from db.engine import open_database
from db.start import wait_for_database
from logs import configure_logging
from runs.client import connect
from runs.key_ring import key_ids
from runs.lead import Lead
from runs.payloads import keys_of
from runs.runtime import open_runtime
from settings import ApiSettings, read_settings
from traces.start import start_tracing

if TYPE_CHECKING:
    from traces.tracing import Tracing


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Resources]]:
    """Open the resources that routes use. Neither PostgreSQL nor Temporal need be reachable at the start."""
    tracing: Tracing | None = app.state.tracing
    traced: dict[str, Any] = {"link_traces": tracing.link_current} if tracing else {}
    settings = read_settings(ApiSettings)
    database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
    async with DueWatch(database.url) as due_watch:
        # Loaded by need, the rules of all countries' numbers stop the event loop for 140 ms in all.
        phonenumbers.PhoneMetadata.load_all()
        # What is loaded by now stays: looking through it for garbage stopped the event loop for 150 ms at a time.
        gc.collect()
        gc.freeze()
        yield {
            "resources": Resources(
                database=database,
                temporal=await connect(
                    settings.key_ring,
                    runtime=open_runtime(),
                    lazy=True,
                    interceptors=tracing.calls() if tracing else (),
                ),
                authenticator=create_authenticator(settings),
                temporal_ui_url=settings.temporal_ui_url.rstrip("/"),
                codec_allowed_origin=settings.codec_allowed_origin,
                answer_deadline_seconds=settings.answer_deadline_seconds,
                lead=Lead(settings.max_lead_seconds),
                due_watch=due_watch,
                rate_limit_storage_uri=settings.rate_limit_storage_uri.get_secret_value(),
                **traced,
            )
        }
    await database.dispose()
    if tracing:
        tracing.close()


def create_traced_app(origins: Sequence[str]) -> FastAPI:
    """Create the application; trace it if the environment asks for traces."""
    app = create_app(lifespan, origins)
    app.state.tracing = tracing = start_tracing("api")
    if tracing:
        from traces.requests import trace_requests  # noqa: PLC0415 - an extra, which is loaded only here

        trace_requests(app, tracing)
    return app


def create_authenticator(settings: ApiSettings) -> Authenticator:
    """Create the verifier of tokens, or exit with a line that says what is wrong with the source of its keys."""
    try:
        return Authenticator(
            settings.auth_issuer,
            settings.auth_audience,
            jwks_url=settings.auth_jwks_url,
            public_key=settings.auth_public_key,
            jwks_stale_seconds=settings.auth_jwks_stale_seconds,
        )
    except ValueError as fault:
        sys.exit(str(fault))


class Server(uvicorn.Server):
    """uvicorn's server. It ends on a schema or keys that it can't work with; a stop answers waiting claims at once."""

    fault: str | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, also while PostgreSQL is away: creations are accepted then."""
        await super().startup(sockets)
        self._checking = asyncio.create_task(self._check_database())

    async def _check_database(self) -> None:
        opened = self.lifespan.state["resources"]
        self.fault = await wait_for_database(opened.database, key_ids(keys_of(opened.temporal)))
        self.should_exit = self.should_exit or bool(self.fault)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake the waiting claims, then shut down."""
        self._checking.cancel()
        self.lifespan.state["resources"].due_watch.stop()
        await super().shutdown(sockets)


if __name__ == "__main__":
    configure_logging("api")
    settings = read_settings(ApiSettings)
    create_authenticator(settings)  # before anything is opened
    app = create_traced_app(settings.origins)
    server = Server(server_config(app, host=settings.listen_host, port=settings.api_port, timeout_graceful_shutdown=30))
    server.run()
    if server.fault:
        print(server.fault, file=sys.stderr)  # noqa: T201 - as sys.exit would
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if server.fault or not server.started else 0)  # as in worker.py
