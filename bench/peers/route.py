"""Serve a peer behind our route, token and validation."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

import uvicorn
from fastapi import Depends, FastAPI, Request, Response

from api.activities.schemas import ScheduledActivityCreate, ScheduledActivityRead
from api.http.auth import Authenticator
from api.http.bodies import Json
from api.http.dependencies import CanCreate, Resources
from api.http.middleware import RequestMiddleware
from api.server import server_config
from db.due_watch import DueWatch
from db.engine import Database, open_database
from runs.client import connect
from runs.lead import Lead
from settings import ApiSettings
from workflows.messages import ScheduledActivityInput, Snapshot

Create = Callable[[ScheduledActivityInput], Awaitable[Snapshot]]


def _create(request: Request) -> Create:
    found: Create = request.state.create
    return found


def serve(opening: Callable[[Database], Any]) -> None:
    """Serve until killed; `opening` is a context manager that yields the peer's function to create."""
    settings = ApiSettings()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
        authenticator = Authenticator(settings.auth_issuer, settings.auth_audience, public_key=settings.auth_public_key)
        database = open_database(settings.database_url.get_secret_value(), settings.database_pool_size)
        async with opening(database) as create:
            resources = Resources(
                database=database,
                temporal=await connect(None, lazy=True),  # no peer asks it
                authenticator=authenticator,
                temporal_ui_url="",
                answer_deadline_seconds=settings.answer_deadline_seconds,
                lead=Lead(0),
                due_watch=DueWatch(database.url),
            )
            yield {"resources": resources, "create": create}
        await database.dispose()

    uvicorn.Server(server_config(_app(lifespan), host="127.0.0.1", port=settings.api_port)).run()
    os._exit(0)


def _app(lifespan: Any) -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.add_middleware(RequestMiddleware)

    @app.get("/health/ready")
    async def ready() -> str:
        return "ready"

    @app.post("/api/activities")
    async def create_activity(
        caller: CanCreate,
        body: Json[ScheduledActivityCreate],
        create: Annotated[Create, Depends(_create)],
    ) -> Response:
        scheduled = ScheduledActivityInput(
            id=uuid4(), tenant_id=caller.tenant_id, request=body.as_request(), actor=caller.subject
        )
        read = ScheduledActivityRead.of(await create(scheduled), None)
        return Response(read.model_dump_json(), 201, media_type="application/json")

    return app
