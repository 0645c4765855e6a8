"""Prints the OpenAPI document, as docs/openapi.json has it: `python -m api.document > docs/openapi.json`."""

import json
import sys

from api.app import create_app


def document() -> str:
    """The whole of it, with its members in an order that never changes."""
    return json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
