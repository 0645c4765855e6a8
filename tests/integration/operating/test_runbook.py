"""Test every command of docs/operating.md in the situation it is written for."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from embedded.postgres import Postgres
from runs.ids import draw_id
from runs.schedule import ensure_schedule
from tests.integration.operating.test_temporal_ui import pending, run_of
from tests.support.activities import activate, created, unresolved
from tests.support.builders import COMMERCE_ID, Tenant, from_now
from tests.support.encryption import NEW_KEY, NEW_RING, with_keys
from tests.support.locks import locked_before_mark
from tests.support.operate import operators_variables
from tests.support.reconciliation import until_found
from tests.support.restoration import lose_row
from tests.support.service import Service, running_service, until
from tests.support.shells import run_in_shell
from tests.support.worlds import new_database, new_namespace
from workflows.findings import Finding, Part

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))),
    reason="the runbook's commands need bash, curl and jq: install them",
)

ROOT = Path(__file__).parents[3]
RUNBOOK = (ROOT / "docs" / "operating.md").read_text()
BLOCKS = re.findall(r"^## (.+?)$|^ *```sh\n(.*?)^ *```$", RUNBOOK, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """List every block with the heading that it stands under."""
    found, heading = [], ""
    for title, block in BLOCKS:
        heading = title or heading
        if block:
            found.append((heading, block))
    return found


@dataclass
class Scene:
    """A service with the environment of the runbook's commands."""

    service: Service
    tenant: Tenant
    http: httpx.AsyncClient
    postgres: Postgres
    variables: dict[str, str]

    async def run(self, block: str) -> str:
        """Run a block in a shell and return its output; each command must succeed."""
        return await run_in_shell(block, self.variables)


@pytest.fixture
async def scene(postgres: Postgres, temporal: Client, tmp_path: Path) -> AsyncIterator[Scene]:
    """Run a service whose tenant has one READY activity."""
    url = new_database(postgres)
    encrypting = await with_keys(await new_namespace(temporal), NEW_RING)
    async with running_service(url, encrypting) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            activity = await created(http, scheduled_at=from_now(minutes=30))
            variables = {
                "HOME": str(tmp_path),
                "USER": "operator",
                "API": service.url,
                "TOKEN": http.headers["Authorization"].removeprefix("Bearer "),
                "TENANT": str(tenant.id),
                "ID": activity["id"],
                "KEY": activity["idempotencyKey"],
                **operators_variables(encrypting, url),
                "PAYLOAD_ENCRYPTION_KEYS": NEW_KEY,
            }
            yield Scene(service, tenant, http, postgres, variables)


@asynccontextmanager
async def unresolved_ones(scene: Scene) -> AsyncIterator[None]:
    activity = await unresolved(scene.service, scene.http, scene.tenant)
    await activate(scene.service, scene.tenant, scene.tenant.owner_id)
    scene.variables["UNRESOLVED_ID"] = activity["id"]
    yield


@asynccontextmanager
async def terminated_ones(scene: Scene) -> AsyncIterator[None]:
    for _ in range(2):
        activity = await created(scene.http)
        await run_of(scene.service.temporal, scene.tenant, activity).terminate(reason="wrong button")
        await until_found(scene.service.temporal, Finding.TERMINATED, activity["id"])
        scene.variables["TERMINATED_ID"] = activity["id"]
    yield


@asynccontextmanager
async def a_stuck_step(scene: Scene) -> AsyncIterator[None]:
    """Hold the row's lock longer than a step waits."""
    async with locked_before_mark(scene.service, scene.http) as (activity, _):
        await pending(run_of(scene.service.temporal, scene.tenant, activity))
        scene.variables["STUCK_KEY"] = activity["idempotencyKey"]
        yield
    await until(scene.http, f"/api/activities/{activity['id']}", "DUE")


@asynccontextmanager
async def nothing_special(_: Scene) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def schedules(scene: Scene) -> AsyncIterator[None]:
    for part in Part:
        await ensure_schedule(scene.service.temporal, part, timedelta(seconds=60))
    yield


@asynccontextmanager
async def a_lost_row(scene: Scene) -> AsyncIterator[None]:
    activity = await created(scene.http)
    query = f"ActivityId = '{activity['id']}'"
    async with asyncio.timeout(60):
        while not (await scene.service.temporal.count_workflows(query)).count:
            await asyncio.sleep(0.05)
    await lose_row(scene.service, activity)
    yield


@asynccontextmanager
async def unknown_activities(scene: Scene) -> AsyncIterator[None]:
    assert (await scene.http.get(f"/api/activities/{draw_id()}")).status_code == 503
    yield


@asynccontextmanager
async def an_unclaimed_activity(scene: Scene) -> AsyncIterator[None]:
    activity = await created(scene.http, scheduled_at=from_now(seconds=1))
    await until(scene.http, f"/api/activities/{activity['id']}", "DUE")
    yield


@asynccontextmanager
async def an_api_key(scene: Scene) -> AsyncIterator[None]:
    key = (await scene.http.post("/api/api-keys", json={"name": "ours", "permissions": ["CREATE_ACTIVITY"]})).json()
    headers = {"x-api-key": key["plaintextKey"]}
    async with scene.service.caller(headers) as machine:
        await created(machine)
    scene.variables["KEY_ID"] = key["id"]
    yield


@asynccontextmanager
async def a_user(scene: Scene) -> AsyncIterator[None]:
    scene.variables |= {"COMMERCE_ID": str(COMMERCE_ID), "USER_ID": str(scene.tenant.owner_id)}
    yield
    async with asyncio.timeout(60):
        while (await scene.http.get(f"/api/activities/{scene.variables['ID']}")).status_code != HTTPStatus.GONE:
            await asyncio.sleep(0.1)


SITUATIONS = {
    "Personal data is to be erased": a_user,
    "Nothing is claimed": an_unclaimed_activity,
    "An API key has leaked": an_api_key,
    "PostgreSQL was restored": a_lost_row,
    "The API answers 429": unknown_activities,
    "Reconciliation stands or fails": schedules,
    "UNRESOLVED piles up": unresolved_ones,
    "A run was ended by mistake": terminated_ones,
    "A step keeps failing": a_stuck_step,
}
EXPECTED = {
    "PostgreSQL was restored": ('"restored": 1',),
    "The API answers 429": ('status="503"',),
    "UNRESOLVED piles up": ("No user was found", "READY", '"retry-resolution"'),
    "A run was ended by mistake": ("TERMINATED_BY_OPERATOR", "wrong button", "is READY again"),
    "A step keeps failing": ("mark_due", "DatabaseUnavailable"),
    "Workflow tasks keep failing": ("0 runs replayed, 0 would break",),
    "Everything is late": ('"status":"ready"', "scheduled_activities_overdue 0.0"),
    "Nothing is claimed": ('scheduled_activities_due{channel="WHATSAPP"} 1.0', "WHATSAPP"),
    "Temporal was lost": ("0 runs started, 1 were open already", '"rows": 1'),
    "A bad deployment": ("1 runs replayed, 0 would break",),
    "The key is needed again": ("READY",),
    "Pause a tenant": ('"paused":true', '"paused":false'),
    "An API key has leaked": ("rtn_sk_", '"before":null', '"after":null'),
    "A setting was changed": ('"REASON"', "monthly_promotion"),
    "Personal data is to be erased": ('"applied"', '"commerce_user_id"'),
    "Closed activities are to go": ('"retentionDays":3650',),
    "Cancel a campaign": ('"total": 1', '"applied"'),
    "What fires in the next hour": ("WHATSAPP",),
    "Reconciliation stands or fails": ("ReconciliationWorkflow", "reconciliation-lists"),
    "Searching in Temporal's web UI": ("ScheduledActivityWorkflow", "Total: 0"),
    "Reading what is encrypted": ("Monthly promotion", "Promocion Mensual"),
    "Keys of Temporal's payloads": ("key-20", "new2: 1 open activities began with it", "encrypts"),
}
"""The words that an operator must find in the output of the commands."""


@pytest.mark.parametrize("heading", EXPECTED)
async def test_the_commands_of_a_symptom_work_in_its_situation(scene: Scene, heading: str) -> None:
    async with SITUATIONS.get(heading, nothing_special)(scene):
        said = "".join([await scene.run(block) for title, block in commands() if title == heading])
    for expected in EXPECTED[heading]:
        assert expected in said, said


def test_every_block_of_the_runbook_is_executed() -> None:
    assert {heading for heading, _ in commands()} == set(EXPECTED)


def test_every_link_in_the_runbook_leads_somewhere() -> None:
    headings = re.findall(r"^## (.+?)$", RUNBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#(.+?)\)", RUNBOOK)) <= anchors
