"""The OpenAPI document: FastAPI's, completed by what routes, dependencies, models and recorded examples have."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.examples import add_examples
from api.http.bodies import body_model
from api.http.errors import MEDIA_TYPE, BodyTooLarge, BodyTooSlow, UnsupportedMediaType, describe
from api.http.headers import describe_headers, headers_of, with_headers
from api.members import describe_member
from api.permissions import describe_permissions, needs_credential, required_permission

SCHEMAS = "#/components/schemas/"
PROBLEM = {"$ref": f"{SCHEMAS}ProblemRead"}


_COMPOSING = Lock()
"""Held while the document is composed: FastAPI keeps what is not complete yet."""


def compose_openapi(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """Return the document of an application that consists of these routers; it is composed once.

    That takes almost a second: call it in a thread while requests are served.
    """
    with _COMPOSING:
        if app.openapi_schema is None:
            found = (route for router in routers for route in router.routes if isinstance(route, APIRoute))
            document = _name_pages(FastAPI.openapi(app))
            _complete_document(document, [route for route in found if route.include_in_schema])
            app.openapi_schema = document
        return app.openapi_schema


def format_document(app: FastAPI) -> bytes:
    """Return the application's document as JSON, which is written once."""
    document = app.openapi()
    if not hasattr(app.state, "document"):
        app.state.document = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    written: bytes = app.state.document
    return written


def _name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """Name the schemas of pages after their items, as `CommercePage`, and describe them."""
    named: dict[str, Any] = json.loads(re.sub(r"\bPage_(\w+?)(Read)?_\b", r"\1Page", json.dumps(document)))
    for name, schema in named["components"]["schemas"].items():
        if name.endswith("Page"):
            schema.setdefault("description", "A page of a list.")
    return named


def _complete_document(document: dict[str, Any], routes: list[APIRoute]) -> None:
    components = document["components"]
    _add_bodies(document, routes)
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for route, operation in _iterate_operations(document, routes):
        _correct(operation)
        _complete(operation, route, components["schemas"])
    _describe_members(components["schemas"])
    _share_problems(document)
    components["headers"] = describe_headers()
    document["info"]["description"] += describe_permissions()


def _iterate_operations(document: dict[str, Any], routes: list[APIRoute]) -> Iterator[tuple[APIRoute, dict[str, Any]]]:
    for route in routes:
        for method in route.methods or ():
            yield route, document["paths"][route.path_format][method.lower()]


def _add_bodies(document: dict[str, Any], routes: list[APIRoute]) -> None:
    bodies = [(route, model) for route in routes if (model := body_model(route))]
    _, schemas = models_json_schema([(model, "validation") for _, model in bodies], ref_template=SCHEMAS + "{model}")
    document["components"]["schemas"] |= schemas.get("$defs", {})
    for route, operation in _iterate_operations(document, [route for route, _ in bodies]):
        model = body_model(route)
        assert model is not None  # noqa: S101 - these are the routes that have one
        _add_body(operation, model)


def _add_body(operation: dict[str, Any], model: type[BaseModel]) -> None:
    """Document the body, and the problems that every reading of a body can end with."""
    body = operation.setdefault("requestBody", {"content": {}})
    body["required"] = True
    body["content"]["application/json"] = {"schema": {"$ref": f"{SCHEMAS}{model.__name__}"}}
    for problem in (BodyTooLarge, BodyTooSlow, UnsupportedMediaType):
        operation["responses"][str(problem.status.value)] = {
            "description": describe(problem),
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
            "x-codes": [problem.code],
        }


def _correct(operation: dict[str, Any]) -> None:
    """Replace FastAPI's 422 by our 400, name the media type of problems, and describe the tenant's header."""
    operation["responses"].pop("422", None)
    for response in operation["responses"].values():
        if "x-codes" in response:
            response["content"] = {MEDIA_TYPE: next(iter(response["content"].values()))}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "x-tenant-id":
            parameter |= {"schema": {"type": "string", "format": "uuid"}}


def _complete(operation: dict[str, Any], route: APIRoute, schemas: dict[str, Any]) -> None:
    """Add the permission, the headers and descriptions of answers, the parameters' descriptions, and the examples."""
    permission, is_protected = required_permission(route), needs_credential(route)
    operation["summary"] = operation["summary"].capitalize()
    if permission:
        operation["description"] += f"\n\nPermission: `{permission}`."
        operation["x-permission"] = permission
    if not is_protected:
        operation["security"] = []
    for status, response in operation["responses"].items():
        names = (*response.get("headers", ()), *headers_of(int(status), needs_credential=is_protected))
        response.update(with_headers(*names))
        if response["description"] == "Successful Response":
            response["description"] = _describe_answer(response, schemas)
    for parameter in operation.get("parameters", ()):
        parameter.setdefault("description", describe_member("", parameter["name"]))
        parameter["schema"].pop("title", None)
    add_examples(operation)


def _describe_answer(response: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the first paragraph of the description of the answer's model."""
    content: list[dict[str, Any]] = list(response.get("content", {}).values())
    schema = content[0]["schema"] if content else {}
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
    model = schemas.get(reference.removeprefix(SCHEMAS), {})
    text: str = model.get("description", "Done." if not schema else "The answer.").split("\n\n")[0]
    return f"A list. Each item is: {text}" if "items" in schema else text


def _describe_members(schemas: dict[str, Any]) -> None:
    """Describe the members that their models don't, and remove what generators stumble over.

    That are titles, which repeat names and from which generators make classes that collide; and defaults of members
    of answers, which are always there.
    """
    schemas["JsonValue"] |= {"description": "Any JSON value."}
    for model, schema in schemas.items():
        schema.pop("title", None)
        for name, member in schema.get("properties", {}).items():
            for part in _walk(member):
                part.pop("title", None)
            if member.get("default", ...) is None:
                del member["default"]
            description = member.get("description") or describe_member(model, name)
            if description:
                member["description"] = description


def _walk(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema of a member, and those of its items and alternatives."""
    yield schema
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())]
    for part in inner:
        if isinstance(part, dict):
            yield from _walk(part)


def _share_problems(document: dict[str, Any]) -> None:
    """Write the answers of problems that several operations have once, by their codes."""
    places = [
        (operation["responses"], status, response)
        for path in document["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if "x-codes" in response
    ]
    texts = [json.dumps(response) for _, _, response in places]
    counted = Counter(texts)
    shared: dict[str, Any] = document["components"].setdefault("responses", {})
    for (responses, status, response), text in zip(places, texts, strict=True):
        name = ".".join(response["x-codes"])
        if counted[text] > 1 and shared.setdefault(name, response) == response:
            responses[status] = {"$ref": f"#/components/responses/{name}"}
