"""The Bruno collection of `docs/bruno`: a request for each operation of the document, with its recorded example."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

METHODS = ("get", "put", "post", "delete", "patch")
_VARIABLES = ("API_URL", "TENANT_ID", "TOKEN", "COMMERCE_ID")
"""The environment's, as `make env` prints them."""
_PLACES = {"commerce_id": "COMMERCE_ID"}
"""The variables that fill a place in a path, where they have another name."""
_KEYS = "idempotency_key|claim_id|operation_id"
"""The members of a body that are new in each request, so that it is no repetition."""
_CAPTURED = {
    "createActivity": {"activity_id": "res.body.id"},
    "listTargetUsers": {"target_user_id": "res.body.data[0].id"},
    "claimActivities": {"lease_token": "res.body.data[0].leaseToken"},
    "cancelActivities": {"operation_id": "res.body.id"},
    "rescheduleActivities": {"operation_id": "res.body.id"},
    "listUsers": {"user_id": "res.body.data[0].id"},
    "createTargetConfig": {"config_id": "res.body.id"},
    "createApiKey": {"key_id": "res.body.id"},
    "createReason": {"code": "res.body.code"},
    "createUserStatus": {"code": "res.body.code"},
    "createAttributeKey": {"key": "res.body.key"},
    "addRole": {"role": "res.body.roles[0]"},
    "addContact": {"contact": "res.body.contacts[0].id"},
}
"""Values of answers that later requests have in their paths."""


def compose_collection(document: dict[str, Any]) -> dict[str, str]:
    """Return the text of each file by its path in the collection."""
    settings = {"version": "1", "name": document["info"]["title"], "type": "collection"}
    files = {
        "bruno.json": json.dumps(settings, indent=2) + "\n",
        "collection.bru": _join(
            _block("headers", ["x-tenant-id: {{TENANT_ID}}"]),
            _block("auth", ["mode: bearer"]),
            _block("auth:bearer", ["token: {{TOKEN}}"]),
        ),
        "environments/make-env.bru": _block("vars", (f"{name}: {{{{process.env.{name}}}}}" for name in _VARIABLES)),
    }
    numbers: Counter[str] = Counter()
    for path, method, operation in _iterate_operations(document):
        folder = operation["tags"][0].replace(" ", "-")
        numbers[folder] += 1
        request = _compose_request(numbers[folder], path, method, operation, document["components"]["schemas"])
        files[f"{folder}/{operation['operationId']}.bru"] = request
    return files


def _iterate_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                yield path, method, operations[method]


def _compose_request(number: int, path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the file of an operation. Its optional parameters are there, but switched off."""
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    kind = "none" if not content else "json" if "application/json" in content else "text"
    parameters = [one for one in operation.get("parameters", ()) if one["name"] != "x-tenant-id"]
    query = [_parameter(one, schemas) for one in parameters if one["in"] == "query"]
    captured = _CAPTURED.get(operation["operationId"], {})
    return _join(
        _block("meta", [f"name: {operation['summary']}", "type: http", f"seq: {number}"]),
        _block(
            method,
            [
                "url: {{API_URL}}" + re.sub(r"\{(\w+)\}", r":\1", path) + _format_query(query),
                f"body: {kind}",
                f"auth: {'none' if operation.get('security') == [] else 'inherit'}",
            ],
        ),
        _block("params:query", query),
        _block("params:path", (_place(one["name"]) for one in parameters if one["in"] == "path")),
        _block(
            "headers",
            [*_content_type(content), *(_parameter(one, schemas) for one in parameters if one["in"] == "header")],
        ),
        _block(f"body:{kind}", _format_body(content)),
        _block("vars:post-response", (f"{name}: {value}" for name, value in captured.items())),
        _block("docs", operation["description"].splitlines()),
    )


def _content_type(content: dict[str, Any]) -> list[str]:
    return [f"Content-Type: {kind}" for kind in content if kind != "application/json"]


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the line of a parameter with its default; it is switched off unless it is required."""
    schema = parameter["schema"]
    value = schema.get("default") or (_first_choice(schema, schemas) if parameter["required"] else "")
    text = json.dumps(value).strip('"')
    return f"{'' if parameter['required'] else '~'}{parameter['name']}: {text}".rstrip()


def _format_query(lines: list[str]) -> str:
    """Return the parameters that aren't switched off, as a query: Bruno sends the URL, and shows the lines."""
    sent = [line.replace(": ", "=") for line in lines if not line.startswith("~")]
    return "?" + "&".join(sent) if sent else ""


def _first_choice(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the first value of an enumeration, or of a list's."""
    schema = schema.get("items", schema)
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    choices: list[str] = schema.get("enum", [""])
    return choices[0]


def _place(name: str) -> str:
    return f"{name}: {{{{{_PLACES.get(name, name)}}}}}"


def _format_body(content: dict[str, Any]) -> list[str]:
    """Return the lines of the example, with new keys, and with the ids that were captured."""
    if not content:
        return []
    example = next(iter(content.values()))["example"]
    text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    text = re.sub(rf'"({_KEYS})": "[^"]*"', r'"\1": "{{$guid}}"', text)
    return re.sub(r'"(activity_id|lease_token)": "[^"]*"', r'"\1": "{{\1}}"', text).splitlines()


def _block(name: str, lines: Iterable[str]) -> str:
    """Return a block of the language of Bruno, or nothing without lines."""
    indented = [f"  {line}".rstrip() for line in lines]
    return "\n".join([f"{name} {{", *indented, "}", ""]) if indented else ""


def _join(*blocks: str) -> str:
    return "\n".join(block for block in blocks if block)
