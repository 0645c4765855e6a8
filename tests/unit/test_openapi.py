"""Test the OpenAPI document: each call has only the answers that it can give, in their forms."""

import re
from typing import Any

import pytest

from api.http.errors import MEDIA_TYPE
from tests.support.document import DOCUMENT, OPERATIONS, resolved


def schemas_in(part: Any) -> set[str]:
    """The names of all schemas that a part of the document refers to."""
    if isinstance(part, dict):
        own = {part["$ref"].rsplit("/", 1)[-1]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(schemas_in(inner) for inner in part.values()))
    return set().union(*(schemas_in(inner) for inner in part)) if isinstance(part, list) else set()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_what_is_wrong_with_a_request_is_documented_as_400_and_never_as_422(operation: dict[str, Any]) -> None:
    assert "422" not in operation["responses"]
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_problems_are_documented_with_their_own_media_type(operation: dict[str, Any]) -> None:
    for status, response in resolved(operation["responses"]).items():
        if status >= "4" and "content" in response and "Readiness" not in schemas_in(response):
            assert set(response["content"]) == {MEDIA_TYPE}, status


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_a_call_that_needs_a_token_or_an_api_key_says_so_and_takes_the_tenant(operation: dict[str, Any]) -> None:
    headers = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "header"}
    assert ("x-tenant-id" in headers) is (operation.get("security") != [])
    if operation.get("security") != []:
        assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}]
        assert "Required with a token" in headers["x-tenant-id"]["description"]


def test_every_schema_that_is_named_is_there() -> None:
    named = schemas_in(DOCUMENT["paths"]) | schemas_in(DOCUMENT["components"])
    assert named <= set().union(*(DOCUMENT["components"][kind] for kind in ("schemas", "responses", "headers")))


def test_no_schema_is_named_after_a_module() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def test_operation_ids_are_unique_short_and_camel_case() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)
    assert [one for one in ids if not re.fullmatch(r"[a-z][a-zA-Z]{3,29}", one)] == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_a_body_can_be_too_large_or_of_another_media_type_where_there_is_one(operation: dict[str, Any]) -> None:
    problems = {"413", "415"} & operation["responses"].keys()
    bodies = operation.get("requestBody", {}).get("content", {})
    assert problems == ({"413", "415"} if "application/json" in bodies else {"415"} if bodies else set())
