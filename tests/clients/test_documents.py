"""Test the document by linters, and that each generated client is current and compiles with strict types."""

import filecmp
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clients.generate import BRUNO, DOCUMENT, ROOT, TYPESCRIPT, TYPESCRIPT_CLIENT, generate_typescript
from clients.node import FOLDER, run_program

USES = FOLDER / "uses"
STRICT = ("--strict", "--config-file=", "--cache-dir=.mypy_cache/clients")


def require_success(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("spectral", "lint", str(DOCUMENT), "--ruleset", "spectral.yaml", "--fail-severity", "hint", "--quiet"),
        ("redocly", "lint", str(DOCUMENT), "--extends", "recommended", "--max-problems", "20"),
    ],
    ids=["spectral", "redocly"],
)
def test_a_linter_of_the_document_has_no_complaint(command: tuple[str, ...]) -> None:
    require_success(run_program(*command))


def test_the_typescript_client_is_generated_from_the_document(tmp_path: Path) -> None:
    """After a change of the API: `make generate`."""
    generate_typescript(tmp_path / "generated")
    names = sorted(str(path.relative_to(tmp_path / "generated")) for path in tmp_path.rglob("*.ts"))
    assert names == sorted(str(path.relative_to(TYPESCRIPT_CLIENT)) for path in TYPESCRIPT_CLIENT.rglob("*.ts"))
    assert filecmp.cmpfiles(tmp_path / "generated", TYPESCRIPT_CLIENT, names, shallow=False)[1:] == ([], [])


def test_the_typescript_client_compiles_and_its_build_runs_in_node(tmp_path: Path) -> None:
    require_success(run_program("tsc", "--outDir", str(tmp_path), "--project", str(TYPESCRIPT)))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    used = "import { connect } from './index.js'; connect({ baseUrl: 'http://localhost', apiKey: 'key' });"
    command = ["node", "--input-type=module", "--eval", used]
    require_success(subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False))  # noqa: S603 - ours


def test_the_types_of_openapi_typescript_the_uses_and_the_executor_compile() -> None:
    """With its default, openapi-typescript requires each member of a request that has a default."""
    output = str(USES / "generated" / "openapi.ts")
    require_success(
        run_program("openapi-typescript", str(DOCUMENT), "--default-non-nullable", "false", "--output", output)
    )
    require_success(run_program("tsc", "--project", str(USES)))


def test_bruno_reads_each_request_of_its_collection_as_the_document_has_it() -> None:
    ended = run_program("tsx", str(USES / "bruno.mjs"), str(BRUNO))
    require_success(ended)
    files = json.loads(ended.stdout)
    assert files.pop("collection.bru")["auth"]["mode"] == "bearer"
    variables = files.pop("environments/make-env.bru")["variables"]
    assert {one["name"] for one in variables} >= {"API_URL", "TENANT_ID", "TOKEN"}
    read = {Path(name).stem: request for name, request in files.items()}
    operations = {
        operation["operationId"]: (path, method, operation)
        for path, item in json.loads(DOCUMENT.read_text())["paths"].items()
        for method, operation in item.items()
    }
    assert read.keys() == operations.keys()
    for name, (path, method, operation) in operations.items():
        request = read[name]
        places = {one["name"] for one in request.get("params", ()) if one["type"] == "path"}
        assert (request["meta"]["name"], request["http"]["method"]) == (operation["summary"], method)
        assert request["http"]["url"].split("?")[0] == "{{API_URL}}" + re.sub(r"\{(\w+)\}", r":\1", path)
        assert places == set(re.findall(r"\{(\w+)\}", path))
        assert request["docs"] == operation["description"]
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            assert isinstance(json.loads(request["body"]["json"]), dict)


def test_the_python_client_has_strict_types() -> None:
    command = [sys.executable, "-m", "mypy", *STRICT, "-p", "activities_client"]
    environment = {"PATH": "/usr/bin:/bin", "MYPYPATH": str(FOLDER / "python")}
    require_success(
        subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)  # noqa: S603 - ours
    )
