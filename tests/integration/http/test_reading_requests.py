"""Headers, parameters and bodies: none of what a caller or a proxy sends is lost without a word."""

import codecs
import gzip
import json
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from tests.support.builders import contract_example, from_now
from tests.support.document import DOCUMENT

GETS = [path for path, methods in DOCUMENT["paths"].items() if "get" in methods]
PATHS = sorted({route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)})
LINES = "application/x-ndjson"


PARAMETERS = {
    f"{method} {path} {parameter['name']}": (method, path, parameter)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for parameter in operation.get("parameters", ())
    if parameter["in"] == "query"
}


REQUIRED = {
    "/api/activities/counts": {
        "by": "status",
        "scheduled_from": "2030-01-01T00:00:00Z",
        "scheduled_to": "2030-01-02T00:00:00Z",
    }
}
"""The parameters that a path requires, or that others of it need."""


def filled(path: str) -> str:
    """Return a path with an unknown id or a known word at each placeholder."""
    return re.sub(
        r"{(\w+)}", lambda name: str(uuid4()) if name[1].endswith(("_id", "_token")) else "commerce_info", path
    )


def declared_values(schema: dict[str, Any]) -> list[Any]:
    """Return the default and the enumerated values that a parameter's schema declares."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    if "items" in schema:
        return [[value] for value in declared_values(schema["items"])] + [schema.get("default", [])]
    own = [schema["default"]] if schema.get("default") is not None else []
    inner = [value for part in schema.get("anyOf", ()) for value in declared_values(part)]
    return [*own, *schema.get("enum", ()), *inner, *([True, False] if schema.get("type") == "boolean" else ())]


@pytest.mark.parametrize(("method", "path", "parameter"), PARAMETERS.values(), ids=PARAMETERS.keys())
async def test_every_default_and_every_enumerated_value_of_a_parameter_is_accepted(
    http: httpx.AsyncClient, method: str, path: str, parameter: dict[str, Any]
) -> None:
    values = declared_values(parameter["schema"])
    for value in filter(None, values) if parameter.get("required") else values:
        sent = REQUIRED.get(path, {}) | {parameter["name"]: value}
        answer = await http.request(method, filled(path), params=sent)
        assert answer.status_code in {200, 404}, (value, answer.text)


def test_the_walk_finds_defaults_and_enumerations() -> None:
    values = {(path, one["name"]): declared_values(one["schema"]) for _, path, one in PARAMETERS.values()}
    assert False in values["/api/activities", "late"]
    assert "asc" in values["/api/activities", "order"]
    assert "WHATSAPP" in values["/api/activities", "channel"]
    assert ["READY"] in values["/api/activities", "status"]
    assert 25 in values["/api/commerces", "per_page"]


async def test_every_enumerated_status_of_a_bulk_filter_and_every_resolver_is_accepted(http: httpx.AsyncClient) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for status in declared_values(schemas["BulkFilter"]["properties"]["status"]["items"]):
        body = {"filter": {"status": [status]}, "reason": "x", "dry_run": True}
        answer = await http.post("/api/activities/cancel", json=body)
        assert answer.status_code == 200, (status, answer.text)
    for resolver in declared_values(schemas["AttributePolicyUpsert"]["properties"]["resolver_type"]):
        strategy = "CALLER_PROVIDED" if resolver == "CALLER_PROVIDED" else "UPFRONT"
        policy = {"key": "commerce_info", "strategy": strategy, "resolver_type": resolver}
        answer = await http.post("/api/activity-config/attribute-policies", json=policy)
        assert answer.status_code == 200, (resolver, answer.text)


@pytest.mark.parametrize(("method", "path", "parameter"), PARAMETERS.values(), ids=PARAMETERS.keys())
async def test_a_repeated_parameter_is_400_and_named_unless_it_is_an_array(
    http: httpx.AsyncClient, method: str, path: str, parameter: dict[str, Any]
) -> None:
    name = parameter["name"]
    values = declared_values(parameter["schema"]) or ["x"]
    flat = [value[0] for value in values if value] if isinstance(values[0], list) else values[:1]
    others = [(other, value) for other, value in REQUIRED.get(path, {}).items() if other != name]
    twice = [(name, value) for value in (flat * 2)[:2]]
    answer = await http.request(method, filled(path), params=[*others, *twice])
    if parameter["schema"].get("type") == "array":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/query/{name}"]


async def test_a_parameter_that_the_operation_does_not_have_is_400_and_named(http: httpx.AsyncClient) -> None:
    """A bulk cancellation with `?dry_run=true` would cancel."""
    for path, operations in DOCUMENT["paths"].items():
        for method in operations.keys() - {"parameters"} if "/health/" not in path else ():
            answer = await http.request(method, filled(path), params={"dry-run": "true"})
            pointers = [fault["pointer"] for fault in answer.json().get("errors", ())]
            assert (answer.status_code, "/query/dry-run" in pointers) == (400, True), (method, path, answer.text)


async def test_every_repeated_parameter_is_named(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/activities?status=READY&status=DUE&page=1&page=2&order=asc&order=asc&type=TASK")
    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/query/page", "/query/order"]


@pytest.mark.parametrize("path", ["/api/activities", "/api/activities/batch", "/api/commerces/sync"])
@pytest.mark.parametrize(("header", "status"), [("x-tenant-id", 400), ("Content-Type", 400), ("Authorization", 401)])
async def test_a_repeated_header_is_refused_even_with_the_same_value(
    http: httpx.AsyncClient, path: str, header: str, status: int
) -> None:
    known = {"Content-Type": "application/json", **http.headers}
    sent = [(name, value) for name, value in known.items() if name.lower() != header.lower()]
    value = {name.lower(): value for name, value in known.items()}[header.lower()]
    for name in ("x-tenant-id", "authorization"):
        del http.headers[name]
    answer = await http.post(path, content=b"{}", headers=[*sent, (header, value), (header, value)])
    assert answer.status_code == status
    if status == 400:
        assert header.lower() in answer.json()["detail"]
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/header/{header.lower()}"]


async def test_a_repeated_media_type_of_lines_is_refused(http: httpx.AsyncClient) -> None:
    twice = [("Content-Type", LINES), ("Content-Type", "application/json")]
    answer = await http.post("/api/activities/batch", content=b"{}", headers=twice)
    assert answer.status_code == 400


async def test_a_repeated_request_id_is_replaced(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/live", headers=[("X-Request-Id", "one"), ("X-Request-Id", "two")])
    assert answer.headers["X-Request-Id"] not in {"one", "two", "one, two"}


@pytest.mark.parametrize("path", GETS)
async def test_head_is_answered_as_get_without_the_body(http: httpx.AsyncClient, path: str) -> None:
    path = filled(path)
    seen, asked = await http.get(path), await http.head(path)
    assert (asked.status_code, asked.content) == (seen.status_code, b"")
    for name in ("content-type", "etag", "retry-after"):
        assert asked.headers.get(name) == seen.headers.get(name)


async def test_head_shows_the_etag_of_an_activity_and_its_length(http: httpx.AsyncClient) -> None:
    created = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(hours=1)))
    location = created.headers["Location"]
    seen, asked = await http.get(location), await http.head(location)
    assert [asked.headers[name] for name in ("ETag", "Content-Length")] == ['"1"', str(len(seen.content))]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
async def test_head_on_what_needs_no_token_is_200(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await http.post(path)).headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PATHS)
async def test_allow_names_the_methods_that_are_not_405_and_no_others(http: httpx.AsyncClient, path: str) -> None:
    path = filled(path)
    allowed = (await http.request("TRACE", path)).headers["Allow"].split(", ")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await http.request(method, path)
        assert (answer.status_code != 405) is (method in allowed), method


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip", "deflate", "compress"])
@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/api/activities", "application/json"),
        ("/api/activities/batch", "application/json"),
        ("/api/activities/batch", LINES),
        ("/api/commerces/sync", "application/json"),
        ("/api/executions/claim", "application/json"),
    ],
)
async def test_a_compressed_body_is_415_and_says_so(
    http: httpx.AsyncClient, path: str, media_type: str, coding: str
) -> None:
    headers = {"Content-Type": media_type, "Content-Encoding": coding}
    answer = await http.post(path, content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "uncompressed" in answer.json()["detail"]
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "", "Identity"])
async def test_the_identity_coding_is_no_compression(http: httpx.AsyncClient, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    body = json.dumps(contract_example(scheduled_at=from_now(hours=1)))
    assert (await http.post("/api/activities", content=body, headers=headers)).status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/activities", contract_example()),
        ("/api/activities/batch", {"activities": [contract_example()]}),
        ("/api/commerces/sync", {"items": [{"external_id": "store-9", "name": "Tienda Nueve"}]}),
        ("/api/executions/claim", {"channels": ["SMS"], "executor": "tester"}),
    ],
)
async def test_a_byte_order_mark_before_json_is_ignored(
    http: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    content = codecs.BOM_UTF8 + json.dumps(body).encode()
    answer = await http.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 201}, answer.text


async def test_a_byte_order_mark_before_lines_is_ignored(http: httpx.AsyncClient) -> None:
    lines = [json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode() for _ in range(2)]
    content = b"\n".join(codecs.BOM_UTF8 + line for line in lines)
    answer = await http.post("/api/activities/batch", content=content, headers={"Content-Type": LINES})
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [(result["index"], result["status"]) for result in results] == [(0, 201), (1, 201)]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (['"1"'], 200),
        (['W/"1"'], 200),
        (['W/"7", W/"1"'], 200),
        (['"7"', '"1"'], 200),
        (['"7"', 'W/"1"'], 200),
        (["*"], 200),
        (['W/"2"'], 412),
        (['"7"', '"8"'], 412),
        (['"01"'], 412),
        (['"x1", "1x"'], 412),
        ([""], 412),
        (["1"], 412),
    ],
)
async def test_if_match_is_one_list_whose_weak_tags_count(
    http: httpx.AsyncClient, lines: list[str], status: int
) -> None:
    created = await http.post("/api/activities", json=contract_example(scheduled_at=from_now(hours=1)))
    headers = [("If-Match", line) for line in lines]
    changed = await http.patch(created.headers["Location"], json={"score": 5}, headers=headers)
    assert changed.status_code == status, changed.text
