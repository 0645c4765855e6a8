"""Test what operators see and do in Temporal's web UI."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from embedded.temporal_server import TemporalServer
from runs.client import workflow_id
from tests.support.activities import activate, created, trail, unresolved
from tests.support.builders import Tenant
from tests.support.service import Service, until

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
    await page.get_by_text("User Metadata").first.click()
    await expect(page.get_by_text("Current Details").first).to_be_visible()
    await page.wait_for_timeout(1000)
    await picture(page, "metadata")
    said = [await frame.locator("body").inner_text() for frame in page.frames]
    assert any("WHATSAPP MESSAGE for commerce" in text for text in said), said
    assert any("READY: sleeps until" in text for text in said), said


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
