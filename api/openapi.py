"""The OpenAPI document: FastAPI's, completed by the bodies that the API parses itself and by the problem responses."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http.bodies import JsonBody, UnreadBody
from api.http.errors import MEDIA_TYPE, BodyTooLarge, UnsupportedMediaType, describe

SCHEMAS = "#/components/schemas/"
PROBLEM = {"$ref": f"{SCHEMAS}ProblemRead"}


def compose_openapi(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """Return the document of an application that consists of these routers; it is composed once."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _add_bodies(document, [route for router in routers for route in router.routes if isinstance(route, APIRoute)])
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        for path in document["paths"].values():
            for operation in path.values():
                _correct(operation)
    return app.openapi_schema or {}


def _add_bodies(document: dict[str, Any], routes: list[APIRoute]) -> None:
    bodies = [(route, model) for route in routes if (model := body_model(route))]
    _, schemas = models_json_schema([(model, "validation") for _, model in bodies], ref_template=SCHEMAS + "{model}")
    document["components"]["schemas"] |= schemas.get("$defs", {})
    for route, model in bodies:
        for method in route.methods or ():
            _add_body(document["paths"][route.path_format][method.lower()], model)


def body_model(route: APIRoute) -> type[BaseModel] | None:
    """Return the model of the JSON body that the route reads, if it reads one."""
    calls = (dependency.call for dependency in route.dependant.dependencies)
    return next((call.model for call in calls if isinstance(call, JsonBody | UnreadBody)), None)


def _add_body(operation: dict[str, Any], model: type[BaseModel]) -> None:
    """Document the body, and the two problems that every reading of a body can end with."""
    body = operation.setdefault("requestBody", {"content": {}})
    body["required"] = True
    body["content"]["application/json"] = {"schema": {"$ref": f"{SCHEMAS}{model.__name__}"}}
    for problem in (BodyTooLarge, UnsupportedMediaType):
        operation["responses"][str(problem.status.value)] = {
            "description": describe(problem),
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
        }


def _correct(operation: dict[str, Any]) -> None:
    """Replace FastAPI's 422 by our 400, name the media type of problems, and require the tenant's header."""
    operation["responses"].pop("422", None)
    for response in operation["responses"].values():
        content = response.get("content", {}).get("application/json", {})
        if content.get("schema") == PROBLEM:
            response["content"] = {MEDIA_TYPE: content}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "x-tenant-id":
            parameter |= {"required": True, "schema": {"type": "string", "format": "uuid"}}
