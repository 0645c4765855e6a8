"""/health and /metrics: liveness, readiness and metrics, without a token."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from api.http.dependencies import Opened, Resources
from api.http.errors import ALWAYS, list_problems
from api.http.fields import Answer
from api.http.headers import with_headers
from db.schema import schema_fault
from runs.patience import ANSWER_PATIENCE

router = APIRouter(tags=["health"])


class Liveness(Answer):
    """The answer of a process that responds."""

    status: Literal["live"] = "live"


class Readiness(Answer):
    """The readiness of a process."""

    status: Literal["ready", "not ready"]
    missing: dict[str, str] = Field(description="The fault of each server that can't be reached or doesn't fit.")


@router.get("/health/live", responses=list_problems(*ALWAYS))
async def get_liveness() -> Liveness:
    """Check that the process responds. Restart it if it doesn't."""
    return Liveness()


@router.get(
    "/health/ready",
    response_model=Readiness,
    responses={
        200: {"description": "The process is ready."},
        503: {
            "model": Readiness,
            "description": "The process is not ready. `missing` names what can't be reached or doesn't fit.",
            **with_headers("Retry-After"),
        },
        **list_problems(*ALWAYS),
    },
)
async def get_readiness(opened: Opened) -> JSONResponse:
    """Check that PostgreSQL, with a schema that fits, and Temporal can be reached. Send requests only then."""
    async with asyncio.TaskGroup() as group:
        asked = {
            "postgresql": group.create_task(_check_postgresql(opened)),
            "temporal": group.create_task(_check_temporal(opened)),
        }
    missing = {name: fault for name, task in asked.items() if (fault := task.result())}
    if missing:
        return JSONResponse({"status": "not ready", "missing": missing}, 503, {"Retry-After": "2"})
    return JSONResponse({"status": "ready", "missing": {}})


@router.get("/metrics", include_in_schema=False)
async def get_metrics(opened: Opened) -> Response:
    """Return the metrics in Prometheus' text format, composed once a second at most; further requests wait."""
    return Response(await opened.exposition.read(), media_type="text/plain; version=0.0.4")


async def _check_postgresql(opened: Resources) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_PATIENCE.total_seconds()), opened.database.autocommit.connect() as connection:
            return await connection.run_sync(schema_fault)
    except (SQLAlchemyError, OSError) as failure:
        return f"no answer ({type(failure).__name__})"


async def _check_temporal(opened: Resources) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_PATIENCE.total_seconds()):
            serving = await opened.temporal.service_client.check_health(timeout=ANSWER_PATIENCE)
    except (RPCError, RuntimeError, OSError) as failure:
        return f"no answer ({type(failure).__name__})"
    return None if serving else "not serving"
