"""The OpenAPI document that tests read: the repository's, which one of them compares with the one that is served."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
DOCUMENT = json.loads(FILE.read_text())
OPERATIONS = {
    f"{method} {path}": operation for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
}


def resolved(responses: dict[str, Any]) -> dict[str, Any]:
    """The responses of an operation by status, those that operations share among them."""
    shared = DOCUMENT["components"]["responses"]
    return {
        status: shared[response["$ref"].rsplit("/", 1)[-1]] if "$ref" in response else response
        for status, response in responses.items()
    }
