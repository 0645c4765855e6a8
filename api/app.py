"""The application: its routers and its handlers of exceptions. It opens no connection."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic.alias_generators import to_camel
from starlette.types import Lifespan

from api.activities import batch, bulk, changes, counts, create, explain, listing, operations, read
from api.codec import codec
from api.commerces import commerces, contact_log, erasure, sync, users
from api.configuration import (
    api_keys,
    attribute_keys,
    attribute_policies,
    audit,
    bulk_settings,
    catalogues,
    dispatch_settings,
    me,
    pause,
    quotas,
    retention_settings,
    target_configs,
    task_result_types,
)
from api.executions import claims, leases, results
from api.http import docs, health
from api.http.cors import Cors
from api.http.errors import MEDIA_TYPE, InternalError, MethodNotAllowed, Problem
from api.http.failures import TRANSLATIONS, allowed_methods, problem_of
from api.http.middleware import RequestMiddleware
from api.openapi import compose_openapi, format_document

ROUTERS = (
    listing.router,
    create.router,
    counts.router,  # before the one of single activities, whose ids it would be one of
    read.router,
    changes.router,
    batch.router,
    bulk.router,
    operations.router,
    explain.router,
    sync.router,
    commerces.router,
    users.router,
    contact_log.router,
    erasure.router,
    catalogues.REASONS,
    catalogues.USER_STATUSES,
    attribute_keys.router,
    attribute_policies.router,
    target_configs.router,
    pause.router,
    dispatch_settings.router,
    bulk_settings.router,
    retention_settings.router,
    claims.router,
    leases.router,
    results.router,
    task_result_types.router,
    quotas.router,
    me.router,
    codec.router,
    api_keys.router,
    audit.router,
    health.router,
    docs.router,
)


DESCRIPTION = """\
Schedule tasks and messages for commerces. Each one is kept by a durable workflow until its time.

A path that has `GET` answers `HEAD` too. Send each header and query parameter once: a repeated one is 400 and named in
`errors`, as is a query parameter that the operation doesn't have, and a repeated `Authorization` is 401. Only a
parameter that is an array here may be repeated, and `If-Match` may have several lines. Send bodies in UTF-8 and
uncompressed: a `Content-Encoding` is 415. A byte order mark before a body or a line is ignored.

Send either a token, with `x-tenant-id`, or an API key in `x-api-key`. A key belongs to one tenant and needs no
`x-tenant-id`.

Each token's subject, and each API key, may send so many requests and items in a tenant: `RateLimit-Policy` and
`RateLimit` of each answer have the limits and what is left, and 429 has `Retry-After`. `GET /api/quotas` lists the
tenant's limits.
"""


TAGS = {
    "activities": "Create, read and change activities one by one, or in a batch.",
    "many at once": "Cancel, move or resolve again all activities that match a filter, and follow such an operation.",
    "executions": "Claim due activities as an executor, and keep or release their leases.",
    "results": "Report what became of an activity, and read it.",
    "commerces": "Commerces, their users, and the log of contacts.",
    "configuration": "Catalogues, policies, criteria and settings of the tenant.",
    "audit": "Read the changes of configuration, pauses, quotas and API keys, and the erasures.",
    "credentials": "Read what a token or an API key may do.",
    "API keys": "Create and revoke the API keys of machines.",
    "health": "Liveness and readiness of a process, without a token.",
}


def create_app(lifespan: Lifespan[FastAPI] | None = None, origins: Sequence[str] = ()) -> FastAPI:
    """Create the API over the resources that `lifespan` opens as `state.resources`.

    Pages of these `origins` may use it in a browser.
    """
    app = FastAPI(
        title="Scheduled activities",
        description=DESCRIPTION,
        version="1",
        contact={"name": "The maintainers of scheduled activities"},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "The service that this document was read from"}],
        openapi_tags=[{"name": name, "description": description} for name, description in TAGS.items()],
        lifespan=lifespan,
        # FastAPI's own telemetry records messages of exceptions: traces come from `traces/`, without them.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: to_camel(route.name),
    )
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route("/openapi.json", _get_document, include_in_schema=False)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    app.add_middleware(RequestMiddleware)
    app.add_middleware(Cors, origins=origins)  # around the other, so that a page can read problems too
    app.add_exception_handler(Problem, _answer_problem)
    for failure in TRANSLATIONS:
        app.add_exception_handler(failure, _answer_failure)
    app.openapi = lambda: compose_openapi(app, ROUTERS)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


async def _get_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Response(await asyncio.to_thread(format_document, request.app), media_type="application/json")


async def _answer_problem(request: Request, problem: Exception) -> JSONResponse:
    """Write a problem as problem+json."""
    assert isinstance(problem, Problem)  # noqa: S101 - Starlette's signature is wider than its promise
    body = problem.body(request.url.path, request.state.request_id)
    return JSONResponse(body, problem.status, problem.headers, media_type=MEDIA_TYPE)


async def _answer_failure(request: Request, failure: Exception) -> JSONResponse:
    problem = problem_of(failure)
    if isinstance(problem, MethodNotAllowed):
        routes = chain(request.app.routes, *(router.routes for router in ROUTERS))
        problem.headers["Allow"] = allowed_methods(routes, request.url.path)
    if isinstance(problem, InternalError):
        raise failure
    return await _answer_problem(request, problem)
