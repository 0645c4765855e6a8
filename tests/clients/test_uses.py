"""Test each client against the running stack: every kind of call, and executors that need no Python."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from clients.generate import ROOT, TYPESCRIPT
from clients.node import FOLDER, run_program
from tests.support.builders import contract_example
from tests.support.python_client import use_python_client
from tests.support.started_stacks import running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A stack of its own; yields its variables."""
    with running(tmp_path_factory.mktemp("stack") / "data") as started:
        yield started.ready()


@pytest.mark.parametrize("use", ["hey-api.ts", "openapi-fetch.ts"])
def test_a_typescript_client_is_used_for_each_kind_of_call(stack: dict[str, str], use: str) -> None:
    """Types aren't needed to run: those of openapi-typescript may be missing here."""
    used = run_program("tsx", str(FOLDER / "uses" / use), environment=stack)
    assert (used.returncode, used.stdout) == (0, "used\n"), used.stdout + used.stderr


def test_the_example_of_the_typescript_readme_works(stack: dict[str, str], tmp_path: Path) -> None:
    (example,) = re.findall(r"^```ts\n(.*?)^```", (TYPESCRIPT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for shown, value in (
        ("scheduled-activities-client", str(TYPESCRIPT / "src" / "index.js")),
        ("http://127.0.0.1:8000", stack["API_URL"]),
        ("…", stack["TOKEN"]),
    ):
        assert shown in example
        example = example.replace(shown, value)
    (tmp_path / "example.mts").write_text(example)
    ran = run_program("tsx", str(tmp_path / "example.mts"))
    assert (ran.returncode, ran.stdout.splitlines()[0], ran.stderr) == (0, "READY", ""), ran.stdout + ran.stderr


def test_the_python_client_is_used_for_each_kind_of_call(stack: dict[str, str]) -> None:
    use_python_client(stack["API_URL"], stack["TOKEN"], UUID(stack["TENANT_ID"]), UUID(stack["COMMERCE_ID"]))


def test_the_executor_in_typescript_claims_sends_and_reports(stack: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {stack['TOKEN']}", "x-tenant-id": stack["TENANT_ID"]}
    with httpx.Client(base_url=stack["API_URL"], headers=headers, timeout=60) as http:
        created = http.post("/api/activities", json=contract_example(commerce_id=stack["COMMERCE_ID"]))
        worked = run_program("tsx", str(ROOT / "examples" / "executor.ts"), "--once", environment=stack)
        assert worked.returncode == 0, worked.stdout + worked.stderr
        assert "to Jorge Ramírez at +525555550102: Promocion Mensual\n" in worked.stdout
        assert http.get(created.headers["Location"]).json()["status"] == "COMPLETED"
