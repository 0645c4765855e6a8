"""The examples of the OpenAPI document: requests and answers that were recorded from the running service."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")


@cache
def read_examples() -> dict[str, Any]:
    """Return the recorded request and answers of each operation, by its id."""
    recorded: dict[str, Any] = json.loads(FILE.read_text())
    return recorded


def add_examples(operation: dict[str, Any]) -> None:
    """Add the recorded request and answers to the operation."""
    recorded = read_examples().get(operation["operationId"], {})
    if "request" in recorded:
        _add(operation["requestBody"], recorded["request"])
    for status, answer in recorded.get("answers", {}).items():
        if status in operation["responses"] and answer is not None:
            _add(operation["responses"][status], answer)


def _add(part: dict[str, Any], value: object) -> None:
    for content in part.get("content", {}).values():
        content["example"] = value
