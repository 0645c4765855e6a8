"""The OpenAPI document is current, and nothing that it allows, or almost allows, is answered with a 5xx."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from api.document import document
from tests.support.document import DOCUMENT, FILE
from tests.support.service import Service

ROOT = Path(__file__).parents[3]
CREATION = r"^/api/activities(/\{activity_id\}(/status-events)?)?$"


def test_the_document_in_the_repository_is_the_one_that_the_api_serves() -> None:
    """Refresh it with `make generate`."""
    assert FILE.read_text() == document()


def test_every_answer_of_the_creation_is_documented() -> None:
    creation = DOCUMENT["paths"]["/api/activities"]["post"]
    assert set(creation["responses"]) >= {"201", "202", "400", "401", "403", "404", "409", "413", "415", "503"}
    assert "422" not in creation["responses"]
    assert creation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("ScheduledActivityCreate")


def test_every_reference_in_the_document_leads_somewhere() -> None:
    names = {part.split('"')[0] for part in FILE.read_text().split("#/components/schemas/")[1:]}
    assert names <= set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize(
    ("operations", "examples", "phases"),
    [
        (["--include-path-regex", CREATION], 3, "examples,coverage,fuzzing"),
        (["--exclude-path-regex", CREATION], 2, "examples,fuzzing"),
    ],
    ids=["creation", "rest"],
)
async def test_no_request_that_can_be_made_of_the_document_is_answered_with_a_5xx(
    service: Service, tmp_path: Path, operations: list[str], examples: int, phases: str
) -> None:
    """Schemathesis, valid and invalid; the same examples each time."""
    tenant = await service.tenant()
    async with service.client(tenant.id) as client:
        headers = [f"{name}: {client.headers[name]}" for name in ("Authorization", "x-tenant-id")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", "run", str(FILE), "--url", service.url),
        *(part for header in headers for part in ("-H", header)),
        *operations,
        *("--checks", "not_a_server_error", "--max-examples", str(examples)),
        *("--generation-deterministic", "--no-shrink"),
        *("--phases", phases, "--request-timeout", "60"),
        *("--warnings", "off", "--no-color", "--continue-on-failure"),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks"},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
