"""The API's process: open PostgreSQL and Temporal, and serve."""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from sqlalchemy import create_engine

from api.app import create_app
from api.http.auth import Authenticator
from api.http.dependencies import Resources
from api.server import server_config
from db.due_watch import DueWatch
from db.engine import open_database
from db.migrations import schema_fault
from logs import configure_logging
from runs.client import connect
from runs.lead import Lead
from settings import ApiSettings


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[dict[str, Resources]]:
    """Open the resources that routes use. Temporal need not be reachable at the start."""
    settings = ApiSettings()
    database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
    async with DueWatch(database.url) as due_watch:
        yield {
            "resources": Resources(
                database=database,
                temporal=await connect(lazy=True),
                authenticator=Authenticator(
                    settings.auth_issuer,
                    settings.auth_audience,
                    jwks_url=settings.auth_jwks_url,
                    public_key=settings.auth_public_key,
                ),
                temporal_ui_url=settings.temporal_ui_url.rstrip("/"),
                answer_deadline_seconds=settings.answer_deadline_seconds,
                lead=Lead(settings.max_lead_seconds),
                due_watch=due_watch,
            )
        }
    await database.dispose()


def require_current_schema(settings: ApiSettings) -> None:
    """End the process with one line if the database's schema is not the one that the code needs."""
    engine = create_engine(settings.database_url.get_secret_value())
    with engine.connect() as connection:
        fault = schema_fault(connection)
    engine.dispose()
    if fault:
        sys.exit(fault)


class Server(uvicorn.Server):
    """uvicorn's server; at a stop, claims that wait for due activities are answered at once."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake the waiting claims, then shut down."""
        self.lifespan.state["resources"].due_watch.stop()
        await super().shutdown(sockets)


app = create_app(lifespan)

if __name__ == "__main__":
    configure_logging("api")
    settings = ApiSettings()
    require_current_schema(settings)
    server = Server(server_config(app, host=settings.listen_host, port=settings.api_port, timeout_graceful_shutdown=30))
    server.run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if server.started else 1)  # as in worker.py
