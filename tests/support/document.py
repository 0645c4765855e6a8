"""The OpenAPI document that tests read, composed once in each process."""

from typing import Any

from api.app import create_app

DOCUMENT = create_app().openapi()
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
