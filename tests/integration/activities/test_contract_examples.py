"""The contract's own examples, run as they stand but for host, token and tenant."""

import asyncio
import json
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import Tenant
from tests.support.service import Service

CONTRACT = Path(__file__).parents[3] / "docs" / "create-activity.md"
PROGRAMS: dict[str, tuple[list[str], str]] = {
    "sh": (["sh", "-c"], ""),
    "js": (["node", "--input-type=module", "--eval"], "\nconsole.log(JSON.stringify(activity));"),
    "python": ([sys.executable, "-c"], "\nimport json\nprint(json.dumps(activity))"),
}
NEEDS = {"sh": "curl", "js": "node", "python": sys.executable}


def block(language: str) -> str:
    """The one block of that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", CONTRACT.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


async def run(language: str, service: Service, tenant: Tenant) -> dict[str, Any]:
    """Run the example and return its output."""
    if shutil.which(NEEDS[language]) is None:
        pytest.skip(f"there is no {NEEDS[language]} on this machine")
    async with service.client(tenant.id) as client:
        token = client.headers["Authorization"].removeprefix("Bearer ")
    example = block(language)
    for theirs, ours in (
        ("https://api.reten.ai", service.url),
        ("<token>", token),
        ("<tenant-id>", str(tenant.id)),
    ):
        assert example.count(theirs) == 1
        example = example.replace(theirs, ours)
    command, epilogue = PROGRAMS[language]
    process = await asyncio.create_subprocess_exec(*command, example + epilogue, stdout=PIPE, stderr=PIPE)
    output, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    printed: dict[str, Any] = json.loads(output)
    return printed


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_contracts_example_gets_the_contracts_answer_member_by_member(
    service: Service, tenant: Tenant, language: str
) -> None:
    answer = await run(language, service, tenant)
    promised = json.loads(block("json"))
    assert list(answer)[: len(promised)] == list(promised)
    assert answer["id"] != promised.pop("id")
    assignment = promised.pop("commerceAssignment")
    assert {name: answer[name] for name in promised} == promised
    assert answer["commerceAssignment"] | assignment == answer["commerceAssignment"]


async def test_two_examples_one_after_the_other_are_one_activity(service: Service, tenant: Tenant) -> None:
    """They say the same in three languages, so the second is told what the first has made."""
    first = await run("python", service, tenant)
    second = await run("sh", service, tenant)
    assert (second["status"], second["sameRequest"]) == (409, True)
    assert second["activity"]["id"] == first["id"]
