"""The headers that protect answers, and the page at /docs."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.support.builders import contract_example
from tests.support.service import Service

STRICT = "default-src 'none'; frame-ancestors 'none'"
FILES = ["/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/favicon.png"]


class Loaded(HTMLParser):
    """Collects what a page loads, and the scripts that stand inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element loads; it may have no script or style of its own."""
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href"} and value]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        """Note the text of a script."""
        if self.tags[-1:] == ["script"] and data.strip():
            self.inline.append(data)


def assert_protected(answer: httpx.Response) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == STRICT
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


async def test_every_kind_of_answer_is_kept_by_no_cache_and_interpreted_by_no_browser(
    service: Service, http: httpx.AsyncClient
) -> None:
    created = await http.post("/api/activities", json=contract_example())
    answers: list[Any] = [
        created,
        await http.get(created.headers["Location"]),
        await http.head(created.headers["Location"]),
        await http.get("/api/activities"),
        await http.post("/api/activities", json={}),
        await http.post("/api/activities/batch", content=b"{}\n", headers={"Content-Type": "application/x-ndjson"}),
        await http.put("/api/activities", json={}),
        await http.get("/nowhere"),
        await http.get("/health/live"),
        await http.get("/metrics"),
        await http.get("/openapi.json"),
        await http.get("/health/live", headers={"X-Long": "x" * 40_000}),
    ]
    async with service.caller() as anyone:
        answers.append(await anyone.get("/api/activities"))
    for answer in answers:
        assert_protected(answer)


async def test_the_page_loads_files_of_this_service_alone_and_has_no_script_inside(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:", policy + page.text)
    loaded = Loaded()
    loaded.feed(page.text)
    assert loaded.inline == []
    for address in loaded.addresses:
        assert (await http.get(f"/{address}")).status_code == 200
    assert "openapi.json" in (await http.get("/docs/start.js")).text


@pytest.mark.parametrize("path", FILES)
async def test_a_file_of_the_page_has_its_own_type(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    expected = {"js": "text/javascript", "css": "text/css", "png": "image/png"}.get(
        path.rpartition(".")[2], "text/html"
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(expected)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/redoc",
        "/docs/oauth2-redirect",
        "/docs/docs.py",
        "/docs/..%2fdocs.py",
        "/docs/redoc.standalone.js",
        "/static-offline-docs/redoc.standalone.js",
        "/metrics%0a",
        "/docs%0A",
        "/health/live%0a",
        "/api/activities%0a",
        "/openapi.json%0a",
        "//metrics",
        "/metrics/",
    ],
)
async def test_a_path_that_is_almost_another_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"{str(http.base_url).rstrip('/')}{path}")  # with both slashes of //metrics
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert_protected(answer)
