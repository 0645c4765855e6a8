"""Test what operators see and do in Temporal's web UI."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Page, expect
from temporalio.client import Client

from embedded.postgres import Postgres
from embedded.temporal_server import TemporalServer
from runs.client import workflow_id
from tests.e2e.conftest import picture
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import Tenant
from tests.support.encryption import NEW_RING
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import new_database, new_namespace

SUMMARY, DETAILS = "WHATSAPP MESSAGE for commerce", "READY: sleeps until"


def workflow_of(tenant: Tenant, activity: dict[str, Any]) -> str:
    return workflow_id(tenant.id, activity["idempotencyKey"])


async def test_the_list_is_filtered_by_our_attributes(
    temporal: Client, http: httpx.AsyncClient, tenant: Tenant, page: Page
) -> None:
    ready, cancelled = await created(http), await created(http)
    await http.post(f"/api/activities/{cancelled['id']}/cancel", json={"reason": "x"})
    query = f"TenantId='{tenant.id}' AND ActivityStatus='SCHEDULED'"
    async with asyncio.timeout(60):
        while [run.id async for run in temporal.list_workflows(query)] != [workflow_of(tenant, ready)]:
            await asyncio.sleep(0.1)
    await page.goto(f"/namespaces/{temporal.namespace}/workflows?query={quote(query)}")
    await expect(page.get_by_text(ready["idempotencyKey"]).first).to_be_visible()
    await expect(page.get_by_text(cancelled["idempotencyKey"])).to_have_count(0)
    await picture(page, "list")


async def test_a_runs_page_says_what_it_waits_for(
    temporal: Client, http: httpx.AsyncClient, tenant: Tenant, page: Page
) -> None:
    activity = await created(http)
    run = workflow_of(tenant, activity)
    await page.goto(f"/namespaces/{temporal.namespace}/workflows/{quote(run)}")
    await expect(page.get_by_text("until ").first).to_be_visible()
    await picture(page, "run")
    said = await read_metadata(page, f"/namespaces/{temporal.namespace}/workflows/{quote(run)}", SUMMARY, DETAILS)
    await picture(page, "metadata")
    assert SUMMARY in said
    assert DETAILS in said


@pytest.fixture
async def encrypted(postgres: Postgres, temporal: Client, temporal_server: TemporalServer) -> AsyncIterator[Service]:
    """Run a service with a key in a namespace of its own, whose codec server the web UI may ask."""
    namespace = (await new_namespace(temporal)).namespace  # a worker without the key can't do its tasks
    client = await temporal_client(temporal_server.address, keys=NEW_RING, namespace=namespace)
    origin = temporal_server.ui_url
    async with running_service(new_database(postgres), client, codec_allowed_origin=origin) as service:
        yield service


async def test_who_signs_in_reads_an_encrypted_run_decoded(encrypted: Service, page: Page) -> None:
    """The browser asks the API with the cookie of its session; without one it shows bytes."""
    tenant = await encrypted.tenant()
    async with encrypted.client(tenant.id) as http:
        activity = await created(http)
        token = http.headers["Authorization"].removeprefix("Bearer ")
    settings = {
        "endpoint": f"{encrypted.url}/codec",
        "includeCredentials": True,
        "overrideRemoteCodecConfiguration": True,
    }
    await page.goto("/")
    await page.evaluate(
        "all => Object.entries(all).forEach(([k, v]) => localStorage.setItem(k, JSON.stringify(v)))", settings
    )
    run_id = quote(workflow_of(tenant, activity))
    run = f"/namespaces/{encrypted.temporal.namespace}/workflows/{run_id}"
    assert SUMMARY not in await read_metadata(page, run)
    await page.goto(f"{encrypted.url}/codec/session")
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("decoded texts for eight hours")).to_be_visible()
    said = await read_metadata(page, run, SUMMARY, DETAILS)
    await picture(page, "decoded")
    assert SUMMARY in said
    assert DETAILS in said


async def read_metadata(page: Page, run: str, *awaited: str) -> str:
    """Return the texts of a run's summary and current details as the page shows them, a minute at most after these."""
    await page.goto(run)
    await page.get_by_text("User Metadata").first.click(timeout=60_000)
    await expect(page.get_by_text("Current Details").first).to_be_visible()
    for _ in range(60):
        await page.wait_for_timeout(1000)
        said = " ".join([await frame.locator("body").inner_text() for frame in page.frames])
        if all(words in said for words in awaited):
            break
    return said


async def test_the_update_form_retries_an_unresolved_activity(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, page: Page
) -> None:
    activity = await unresolved(service, http, tenant)
    await activate(service, tenant, tenant.owner_id)
    run = workflow_of(tenant, activity)
    await page.goto(f"/namespaces/{service.temporal.namespace}/workflows/{quote(run)}")
    await page.get_by_role("button", name="More Actions").click(timeout=60_000)
    await page.get_by_text("Send an Update").locator("visible=true").first.click()
    form = page.get_by_role("dialog", name="Send an Update")
    await form.get_by_role("button", name="Select an Update").click()
    await picture(page, "updates")
    await page.get_by_role("option", name="retry_resolution").click()
    await picture(page, "update")
    await form.get_by_role("button", name="Submit").click()
    await until(http, f"/api/activities/{activity['id']}", "READY")
    assert (await trail(http, activity["id"]))[-1] == ("RESOLUTION_RETRY_SUCCESS", "UNRESOLVED", "READY")
