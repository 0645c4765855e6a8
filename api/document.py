"""Print the OpenAPI document: `python -m api.document > docs/openapi.json`."""

import json
import sys

from api.app import create_app


def document() -> str:
    """Return the document as JSON with sorted members."""
    return json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
