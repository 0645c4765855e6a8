"""Test that the OpenAPI document serves generators and readers: valid, and described to its last member."""

import ast
import inspect
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema_rs import Draft202012Validator, validator_for
from schemathesis.specs.openapi.definitions import OPENAPI_31

from api.app import ROUTERS
from api.examples import read_examples
from api.http.auth import Permission
from api.http.bodies import reads_body
from api.http.dependencies import require
from api.http.errors import Problem
from api.http.headers import HEADERS
from api.members import MEMBERS, OF_MODELS
from api.permissions import MEANINGS, needs_credential, required_permission
from tests.support.document import DOCUMENT, OPERATIONS, resolved

COMPONENTS: dict[str, Any] = DOCUMENT["components"]
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def problem_codes(kind: type[Problem] = Problem) -> set[str]:
    """List the codes of all problems."""
    own = {kind.code} if hasattr(kind, "code") else set()
    return own.union(*(problem_codes(one) for one in kind.__subclasses__()))


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(validator_for(OPENAPI_31).iter_errors(DOCUMENT)) == []


def test_every_member_of_every_schema_is_described() -> None:
    """Describe it in its model, or in `api/members.py` if it means the same everywhere."""
    bare = [
        f"{model}.{name}"
        for model, schema in COMPONENTS["schemas"].items()
        for name, member in schema.get("properties", {}).items()
        if not member.get("description")
    ]
    assert bare == []
    assert [model for model, schema in COMPONENTS["schemas"].items() if not schema.get("description")] == []


def test_every_description_of_a_member_is_in_use() -> None:
    members = (one for schema in COMPONENTS["schemas"].values() for one in schema.get("properties", {}).values())
    parameters = (one for operation in OPERATIONS.values() for one in operation.get("parameters", ()))
    used = {one.get("description") for one in (*members, *parameters)}
    assert set(MEMBERS.values()) | set(OF_MODELS.values()) <= {text.removesuffix(" A null clears it.") for text in used}


@each_operation
def test_every_parameter_is_described(operation: dict[str, Any]) -> None:
    assert [one["name"] for one in operation.get("parameters", ()) if not one.get("description")] == []


def test_no_member_has_a_null_as_its_default_or_a_title() -> None:
    members = [member for schema in COMPONENTS["schemas"].values() for member in schema.get("properties", {}).values()]
    assert [member for member in members if member.get("default", ...) is None or "title" in member] == []


def test_labels_and_faults_have_their_members() -> None:
    assert set(COMPONENTS["schemas"]["Label"]["properties"]) == {"code", "label"}
    assert set(COMPONENTS["schemas"]["Fault"]["properties"]) == {"pointer", "detail"}


@each_operation
def test_every_answer_is_described_in_its_own_words(operation: dict[str, Any]) -> None:
    descriptions = [response["description"] for response in resolved(operation["responses"]).values()]
    assert [one for one in descriptions if one in {"", "Successful Response", "The answer."}] == []


def test_every_permission_is_explained_and_named_by_the_operations_that_enforce_it() -> None:
    assert {one.value for one in Permission} <= MEANINGS.keys()
    needed = {operation.get("x-permission") for operation in OPERATIONS.values()} - {None}
    assert needed <= set(Permission)
    for name, operation in OPERATIONS.items():
        permission = operation.get("x-permission")
        assert (permission is None) is (operation.get("security") == [] or name == "get /api/me")
        assert permission is None or f"Permission: `{permission}`." in operation["description"]


def test_a_route_reads_a_body_where_the_document_has_one() -> None:
    """Else it would wait for its turn before, and lose what arrives meanwhile."""
    routes = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
    for route in routes:
        for method in (route.methods or set()) if needs_credential(route) else ():
            documented = DOCUMENT["paths"].get(route.path_format, {}).get(method.lower(), {})
            assert reads_body(route) == ("requestBody" in documented), f"{method} {route.path}"


def test_the_permission_in_the_document_is_the_one_that_the_dependency_checks() -> None:
    checks = {ast.unparse(node) for node in ast.walk(ast.parse(inspect.getsource(require))) if isinstance(node, ast.If)}
    assert any("caller.may(permission)" in check for check in checks)
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    unprotected = [route.path for route in routes if route.include_in_schema and not required_permission(route)]
    assert unprotected == ["/api/me", "/health/live", "/health/ready"]
    assert [route.path for route in routes if route.path in unprotected and needs_credential(route)] == ["/api/me"]


@each_operation
def test_every_success_declares_its_body(operation: dict[str, Any]) -> None:
    """Without a schema, clients in TypeScript have `unknown` for all successes of the operation."""
    successes = {status: one for status, one in operation["responses"].items() if "200" <= status < "300"}
    bare = [status for status, one in successes.items() if status != "204" and not one.get("content")]
    assert bare == []


@each_operation
def test_every_answer_declares_its_headers(operation: dict[str, Any]) -> None:
    assert set(COMPONENTS["headers"]) == set(HEADERS)
    for status, response in resolved(operation["responses"]).items():
        names = set(response["headers"])
        assert "X-Request-Id" in names
        assert ("Retry-After" in names) or status not in {"429", "503"}
        assert ("WWW-Authenticate" in names) is (status == "401")
        assert (
            ("RateLimit" in names) or operation.get("security") == [] or status in {"401", "403", "431", "500", "503"}
        )


@each_operation
def test_every_problem_names_its_codes(operation: dict[str, Any]) -> None:
    known = problem_codes()
    for status, response in resolved(operation["responses"]).items():
        if status >= "4" and "Readiness" not in str(response):
            assert set(response["x-codes"]) <= known
            assert all(f"`{code}`: " in response["description"] for code in response["x-codes"])


def test_a_dry_run_declares_only_the_problems_of_a_resolution() -> None:
    responses = resolved(OPERATIONS["post /api/activities/explain"]["responses"])
    assert not {"409", "412"} & responses.keys()
    assert responses["404"]["x-codes"] == ["commerce_not_found"]


def test_the_answer_of_a_used_key_has_same_request_and_the_activity() -> None:
    conflict = COMPONENTS["schemas"]["IdempotencyKeyExistsRead"]
    assert {"sameRequest", "decided", "activity", "differences", "code"} <= set(conflict["required"])


def test_a_batch_and_a_stream_are_operations_of_their_own() -> None:
    batch, stream = OPERATIONS["post /api/activities/batch"], OPERATIONS["post /api/activities/stream"]
    assert list(batch["requestBody"]["content"]) == list(batch["responses"]["200"]["content"]) == ["application/json"]
    assert list(stream["requestBody"]["content"]) == ["application/x-ndjson"]
    assert list(stream["responses"]["200"]["content"]) == ["application/x-ndjson"]


def test_every_tag_is_described() -> None:
    described = {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == described


EXAMPLES = [
    (f"{operation['operationId']} {status}", media)
    for operation in OPERATIONS.values()
    for status, part in {"request": operation.get("requestBody", {}), **resolved(operation["responses"])}.items()
    for media in part.get("content", {}).values()
    if "example" in media
]


@pytest.mark.parametrize("media", [media for _, media in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_each_example_is_as_its_schema_says(media: dict[str, Any]) -> None:
    schema = Draft202012Validator({**media["schema"], "components": COMPONENTS})
    assert [error.message for error in schema.iter_errors(media["example"])] == []


WITHOUT_EXAMPLES: frozenset[str] = frozenset()
"""Operations that `tests/support/examples.py` doesn't call."""


@each_operation
def test_every_operation_has_recorded_examples(operation: dict[str, Any]) -> None:
    """Call it in `tests/support/examples.py`, and record the examples by `python -m tests.support.examples`."""
    if operation["operationId"] in WITHOUT_EXAMPLES:
        return
    recorded = read_examples()[operation["operationId"]]
    assert ("request" in recorded) is ("requestBody" in operation)
    assert {one for one in recorded["answers"] if one < "3"} == {one for one in operation["responses"] if one < "3"}


def test_recorded_examples_are_of_operations_that_exist() -> None:
    assert read_examples().keys() <= {operation["operationId"] for operation in OPERATIONS.values()}
