"""Write `docs/openapi.json` and all that is generated from it: `make generate`, after every change of the API."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from api.document import document

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
PYTHON_CLIENT = ROOT / "clients" / "python" / "activities_client" / "generated"


def main() -> None:
    """Write the document, then each client."""
    DOCUMENT.write_text(document())
    shutil.rmtree(PYTHON_CLIENT, ignore_errors=True)
    generate_python(PYTHON_CLIENT)


def generate_python(folder: Path) -> None:
    """Generate the Python client into a new folder."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary, "openapi.json")
        source.write_text(json.dumps(_adapt_to_python(json.loads(DOCUMENT.read_text()))))
        config = Path(temporary, "config.json")
        config.write_text(json.dumps({"post_hooks": []}))
        options = ("--meta", "none", "--fail-on-warning", "--path", source, "--config", config)
        _run_python("openapi_python_client", "generate", *options, "--output-path", folder)
    _run_python("ruff", "check", "--isolated", "--no-cache", "--quiet", "--fix", "--select", "F,I", folder)
    _run_python("ruff", "format", "--isolated", "--no-cache", "--quiet", "--line-length", "120", folder)


def _adapt_to_python(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what openapi-python-client can't generate, and what the part by hand does in its place.

    A body of lines is not supported: `activities_client.lines` sends it. A header of the type UUID is generated as one
    that httpx refuses: `connect` sends the tenant's id with every request.
    """
    del document["paths"]["/api/activities/stream"]
    for path in document["paths"].values():
        for operation in path.values():
            parameters = [one for one in operation.get("parameters", ()) if one["name"] != "x-tenant-id"]
            operation["parameters"] = parameters
    return document


def _run_python(module: str, *arguments: str | Path) -> None:
    """Run a module of `.venv`; show its output and exit if it fails."""
    ended = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode != 0:
        sys.exit(f"{module} has failed:\n{ended.stdout}{ended.stderr}")


if __name__ == "__main__":
    main()
