"""Test the page at /docs: it works under its own policy, which the browser enforces."""

from playwright.async_api import Page, expect

from tests.e2e.conftest import picture
from tests.support.service import Service


async def test_the_page_shows_the_calls_and_breaks_no_rule_of_its_policy(service: Service, page: Page) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda failure: messages.append(str(failure)))
    await page.goto(f"{service.url}/docs")
    call = page.get_by_text("/api/activities/{activity_id}/explanation")
    await expect(call).to_be_visible()
    await call.click()
    await expect(page.get_by_text("Try it out")).to_be_visible()
    await picture(page, "docs")
    assert messages == []
