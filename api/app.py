"""The application: its routers and how errors are answered; it opens nothing."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import Lifespan
from temporalio.service import RPCError, RPCStatusCode

from api import health, scheduled_activities
from api.bodies import BODIES, escaped, invalid
from api.errors import (
    MEDIA_TYPE,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Problem,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from api.requests import RequestMiddleware
from db.failures import may_pass
from workflows.payloads import Fault


def create_app(lifespan: Lifespan[Any] | None = None) -> FastAPI:
    """The whole API over whatever `lifespan` opens as `state.resources`."""
    app: FastAPI = FastAPIOffline(
        title="Scheduled activities",
        description="Activities for stores: created over REST, executed at their time, each by one durable workflow.",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for router in (scheduled_activities.router, health.router):
        app.include_router(router)
    app.add_middleware(RequestMiddleware)
    app.add_exception_handler(Problem, _answer)
    for failure, translate in _TRANSLATIONS.items():
        app.add_exception_handler(failure, _translated(translate))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


async def _answer(request: Request, problem: Exception) -> JSONResponse:
    """The one place that writes problem+json."""
    assert isinstance(problem, Problem)  # noqa: S101 - Starlette's signature is wider than its promise
    body = problem.body(request.url.path, request.state.request_id)
    return JSONResponse(body, problem.status, problem.headers, media_type=MEDIA_TYPE)


def _translated(translate: Callable[[Any], Problem]) -> Callable[[Request, Exception], Any]:
    async def answer(request: Request, failure: Exception) -> JSONResponse:
        problem = translate(failure)
        if isinstance(problem, InternalError):
            raise failure
        return await _answer(request, problem)

    return answer


def _from_parameters(failure: RequestValidationError) -> Problem:
    faults = [
        Fault(pointer="".join(f"/{escaped(part)}" for part in error["loc"]), detail=f"{error['msg']}.")
        for error in failure.errors()
    ]
    return invalid(faults)


def _from_http(failure: HTTPException) -> Problem:
    if failure.status_code == MethodNotAllowed.status:
        return MethodNotAllowed("This path has no such method.", headers=dict(failure.headers or {}))
    if failure.status_code == NotFound.status:
        return NotFound("There is no such path.")
    return ValidationFailed(str(failure.detail))


def _from_database(failure: Exception) -> Problem:
    if may_pass(failure):
        return Unavailable("PostgreSQL can't be reached; try again.")
    return InternalError(type(failure).__name__)


def _from_temporal(failure: RPCError) -> Problem:
    if failure.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return RateLimited("Temporal is at its limit; slow down and try again.", headers={"Retry-After": "1"})
    if failure.status in {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
    }:
        return Unavailable("Temporal can't be reached; try again.")
    return InternalError(type(failure).__name__)


_TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    RequestValidationError: _from_parameters,
    HTTPException: _from_http,
    SQLAlchemyError: _from_database,
    OSError: _from_database,
    RPCError: _from_temporal,
}


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the bodies that we read ourselves."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _, schemas = models_json_schema(
            [(model, "validation") for model in BODIES.values()], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"] |= schemas.get("$defs", {})
    return app.openapi_schema or {}
