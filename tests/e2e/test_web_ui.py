"""Test what operators see and do in Temporal's web UI."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect
from temporalio.client import Client

from embedded.postgres import Postgres
from embedded.temporal_server import TemporalServer
from runs.client import workflow_id
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import Tenant
from tests.support.encryption import NEW_RING
from tests.support.service import Service, running_service, temporal_client, until
from tests.support.worlds import new_database, new_namespace

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


@pytest.fixture
async def page(temporal_server: TemporalServer) -> AsyncIterator[Page]:
    """Open a tab of a browser that makes no connections of its own."""
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "needs a Chromium: on the PATH, or set CHROMIUM_PATH"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        tab = await browser.new_page(
            viewport={"width": 1400, "height": 1000}, timezone_id="UTC", base_url=temporal_server.ui_url
        )
        yield tab
        await browser.close()


async def picture(page: Page, name: str) -> None:
    """For people to look at: `PICTURES=folder make e2e` keeps what the browser showed."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_the_list_is_filtered_by_our_attributes(http: httpx.AsyncClient, tenant: Tenant, page: Page) -> None:
    ready, cancelled = await created(http), await created(http)
    await http.post(f"/api/activities/{cancelled['id']}/cancel", json={"reason": "x"})
    query = f"TenantId='{tenant.id}' AND ActivityStatus='SCHEDULED'"
    for _ in range(30):
        await page.goto(f"/namespaces/default/workflows?query={quote(query)}")
        if await page.get_by_text(ready["idempotencyKey"]).count():
            break
        await page.wait_for_timeout(300)
    await expect(page.get_by_text(ready["idempotencyKey"]).first).to_be_visible()
    await expect(page.get_by_text(cancelled["idempotencyKey"])).to_have_count(0)
    await picture(page, "list")


async def test_a_runs_page_says_what_it_waits_for(http: httpx.AsyncClient, tenant: Tenant, page: Page) -> None:
    activity = await created(http)
    run = workflow_id(tenant.id, activity["idempotencyKey"])
    await page.goto(f"/namespaces/default/workflows/{quote(run)}")
    await expect(page.get_by_text("until ").first).to_be_visible(timeout=30_000)
    await picture(page, "run")
    said = await read_metadata(page, f"/namespaces/default/workflows/{quote(run)}")
    await picture(page, "metadata")
    assert "WHATSAPP MESSAGE for commerce" in said
    assert "READY: sleeps until" in said


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
    run_id = quote(workflow_id(tenant.id, activity["idempotencyKey"]))
    run = f"/namespaces/{encrypted.temporal.namespace}/workflows/{run_id}"
    assert "WHATSAPP MESSAGE for commerce" not in await read_metadata(page, run)
    await page.goto(f"{encrypted.url}/codec/session")
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("decoded texts for eight hours")).to_be_visible()
    said = await read_metadata(page, run)
    await picture(page, "decoded")
    assert "WHATSAPP MESSAGE for commerce" in said
    assert "READY: sleeps until" in said


async def read_metadata(page: Page, run: str) -> str:
    """Return the texts of a run's summary and current details as the page shows them."""
    await page.goto(run)
    await page.get_by_text("User Metadata").first.click(timeout=30_000)
    await expect(page.get_by_text("Current Details").first).to_be_visible()
    await page.wait_for_timeout(1000)
    return " ".join([await frame.locator("body").inner_text() for frame in page.frames])


async def test_the_update_form_retries_an_unresolved_activity(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, page: Page
) -> None:
    activity = await unresolved(service, http, tenant)
    await activate(service, tenant, tenant.owner_id)
    run = workflow_id(tenant.id, activity["idempotencyKey"])
    await page.goto(f"/namespaces/default/workflows/{quote(run)}")
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
