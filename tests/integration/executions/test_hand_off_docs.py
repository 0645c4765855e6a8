"""Test every curl of docs/hand-off.md as it is written."""

import asyncio
import json
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.builders import Tenant, contract_example
from tests.support.service import Service, until

PAGE = Path(__file__).parents[3] / "docs" / "hand-off.md"
CURLS = re.findall(r"^curl .*?'$(?=\n\n|\n```)", PAGE.read_text(), re.MULTILINE | re.DOTALL)


async def run(curl: str, variables: dict[str, str]) -> dict[str, Any]:
    """Run the command and return its output."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f"{curl} --silent --show-error --fail-with-body", env=variables, stdout=PIPE, stderr=PIPE
    )
    output, complaint = await process.communicate()
    assert process.returncode == 0, (output, complaint)
    printed: dict[str, Any] = json.loads(output)
    return printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
async def test_the_curls_of_the_page_tell_one_story(http: httpx.AsyncClient, service: Service, tenant: Tenant) -> None:
    claim, extend, release, report, types = CURLS
    token = http.headers["Authorization"].removeprefix("Bearer ")
    known = {"API_URL": service.url, "TENANT_ID": str(tenant.id), "TOKEN": token}
    created = await http.post("/api/activities", json=contract_example())
    await until(http, created.headers["Location"], "DUE")
    for give_back in (True, False):
        (taken,) = (await run(claim, known))["data"]
        known |= {"LEASE_TOKEN": taken["leaseToken"], "ACTIVITY_ID": taken["id"]}
        assert (await run(extend, known))["status"] == "DISPATCHED"
        if give_back:
            assert (await run(release, known))["status"] == "DUE"
    assert (await run(report, known))["toStatus"] == "COMPLETED"
    assert [one["code"] for one in (await run(types, known))["data"]] == ["call_back", "sold"]
