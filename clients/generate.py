"""Write `docs/openapi.json` and all that is generated from it: `make generate`, after every change of the API."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from api.document import document
from clients.bruno import compose_collection
from clients.node import has_node, run_program

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
PYTHON_CLIENT = ROOT / "clients" / "python" / "activities_client" / "generated"
BRUNO = ROOT / "docs" / "bruno"
TYPESCRIPT = ROOT / "clients" / "typescript"
TYPESCRIPT_CLIENT = TYPESCRIPT / "src" / "generated"
TYPESCRIPT_HASH = TYPESCRIPT / "document.sha256"
"""The hash of the document that the TypeScript client is generated from: `make test` has no Node to generate it."""


def main() -> None:
    """Write the document, then each client and the Bruno collection."""
    DOCUMENT.write_text(document())
    shutil.rmtree(PYTHON_CLIENT, ignore_errors=True)
    generate_python(PYTHON_CLIENT)
    shutil.rmtree(BRUNO, ignore_errors=True)
    generate_bruno(BRUNO)
    if not has_node():
        sys.exit("clients/typescript was not generated: it needs Node 20 or newer. Install it and generate again.")
    generate_typescript(TYPESCRIPT_CLIENT)
    TYPESCRIPT_HASH.write_text(hash_document())


def hash_document() -> str:
    """Return the hash of the document."""
    return hashlib.sha256(DOCUMENT.read_bytes()).hexdigest() + "\n"


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


def generate_bruno(folder: Path) -> None:
    """Write the Bruno collection into a new folder."""
    for name, text in compose_collection(json.loads(DOCUMENT.read_text())).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def generate_typescript(folder: Path) -> None:
    """Generate the TypeScript client into a folder, in place of what is there."""
    environment = {"DOCUMENT": str(DOCUMENT), "OUTPUT": str(folder)}
    ended = run_program("openapi-ts", "--file", "openapi-ts.config.mjs", environment=environment, folder=TYPESCRIPT)
    _require_success("openapi-ts", ended)


def _run_python(module: str, *arguments: str | Path) -> None:
    """Run a module of `.venv`."""
    command = [sys.executable, "-m", module, *arguments]
    _require_success(module, subprocess.run(command, capture_output=True, text=True, check=False))


def _require_success(name: str, ended: subprocess.CompletedProcess[str]) -> None:
    """Show the output of a program that has failed, and exit."""
    if ended.returncode != 0:
        sys.exit(f"{name} has failed:\n{ended.stdout}{ended.stderr}")


if __name__ == "__main__":
    main()
