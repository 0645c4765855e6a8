"""Translation of exceptions that routes don't handle to problems."""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from temporalio.service import RPCError

from api.http.bodies import describe_fault, escape_pointer_part, validation_problem
from api.http.errors import (
    InternalError,
    MethodNotAllowed,
    NotFound,
    Problem,
    RateLimited,
    Temporary,
    Unavailable,
    ValidationFailed,
)
from db.failures import is_out_of_time, may_pass
from runs.ask import LimitedError
from runs.limits import PASSING, is_limit
from workflows.messages import Fault


def problem_of(failure: Exception) -> Problem:
    """Translate an exception. The caller logs an `InternalError`: it is a defect of the service."""
    if isinstance(failure, Problem):
        return failure
    for kind, translate in TRANSLATIONS.items():
        if isinstance(failure, kind):
            return translate(failure)
    return InternalError(type(failure).__name__)


def temporary_problem(failure: BaseException, detail: str, **options: Any) -> Temporary:
    """Return the problem of a call that Temporal has not answered: a 429 if it is at its limit, else a 503."""
    kind = RateLimited if isinstance(failure, LimitedError) or is_limit(failure) else Unavailable
    return kind(detail, **options)


def _from_parameters(failure: RequestValidationError) -> Problem:
    faults = [
        Fault(pointer="".join(f"/{escape_pointer_part(part)}" for part in error["loc"]), detail=describe_fault(error))
        for error in failure.errors()
    ]
    return validation_problem(faults)


def allowed_methods(routes: Iterable[BaseRoute], path: str) -> str:
    """Return the methods of all routes of a path, for the header `Allow`. A GET is answered to HEAD too."""
    matching = (route for route in routes if isinstance(route, Route) and route.path_regex.fullmatch(path))
    methods = {method for route in matching for method in route.methods or ()}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _from_http(failure: HTTPException) -> Problem:
    if failure.status_code == MethodNotAllowed.status:
        return MethodNotAllowed("This path has no such method. The header `Allow` lists its methods.")
    if failure.status_code == NotFound.status:
        return NotFound("There is no such path.")
    return ValidationFailed(str(failure.detail))


def _from_database(failure: Exception) -> Problem:
    if is_out_of_time(failure):
        return Unavailable("This took too long: other calls change the same rows, or PostgreSQL is busy. Try again.")
    if may_pass(failure):
        return Unavailable("PostgreSQL is not available. Try again.")
    return InternalError(type(failure).__name__)


def _from_temporal(failure: RPCError) -> Problem:
    if is_limit(failure):
        return RateLimited("Temporal is at its limit. Send requests more slowly, and try again.")
    if failure.status in PASSING:
        return Unavailable("Temporal can't be reached. Try again.")
    return InternalError(type(failure).__name__)


TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    RequestValidationError: _from_parameters,
    HTTPException: _from_http,
    SQLAlchemyError: _from_database,
    OSError: _from_database,
    RPCError: _from_temporal,
}
