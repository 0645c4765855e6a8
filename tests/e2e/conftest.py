"""A real browser for what people look at."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from embedded.temporal_server import TemporalServer

expect.set_options(timeout=60_000)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run a browser that makes no connections of its own."""
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "needs a Chromium: on the PATH, or set CHROMIUM_PATH"
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield opened
        await opened.close()


@pytest.fixture
async def page(browser: Browser, temporal_server: TemporalServer) -> AsyncIterator[Page]:
    """Open a tab with a session of its own."""
    tab = await browser.new_page(
        viewport={"width": 1400, "height": 1000}, timezone_id="UTC", base_url=temporal_server.ui_url
    )
    yield tab
    await tab.close()


async def picture(page: Page, name: str) -> None:
    """For people to look at: `PICTURES=folder make e2e` keeps what the browser showed."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
