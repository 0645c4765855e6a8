"""Lists in pages: the last page that a list promises can be requested."""

import httpx
import pytest

from api.http.pages import MOST_PAGES, PageQuery, count_pages, format_cursor
from tests.support.builders import COMMERCE_ID
from tests.support.document import DOCUMENT

LISTS = [
    path
    for path, item in DOCUMENT["paths"].items()
    if "page" in {one["name"] for one in item.get("get", {}).get("parameters", ())}
    and path.count("{") == path.count("{commerce_id}")
]


def test_lists_are_found() -> None:
    assert {"/api/activities", "/api/commerces", "/api/commerces/{commerce_id}/contact-log"} <= set(LISTS)


@pytest.mark.parametrize("path", LISTS)
async def test_the_last_page_of_a_list_can_be_requested(http: httpx.AsyncClient, path: str) -> None:
    url = path.replace("{commerce_id}", str(COMMERCE_ID))
    first = await http.get(url, params={"per_page": 1})
    last = await http.get(url, params={"per_page": 1, "page": max(1, first.json()["meta"]["totalPages"])})
    assert (last.status_code, len(last.json()["data"])) == (200, min(1, first.json()["meta"]["total"]))


BY_CURSOR = [
    path for path in LISTS if "cursor" in {one["name"] for one in DOCUMENT["paths"][path]["get"]["parameters"]}
]


@pytest.mark.parametrize("path", BY_CURSOR)
@pytest.mark.parametrize(
    "cursor",
    ["=", "====", "!!!!", "cursor==", format_cursor("store-0") + "=", format_cursor("a\0"), "YR", "\N{SNOWMAN}"],
)
async def test_a_cursor_that_no_page_returned_is_refused(http: httpx.AsyncClient, path: str, cursor: str) -> None:
    answer = await http.get(path.replace("{commerce_id}", str(COMMERCE_ID)), params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/cursor"), answer.text


@pytest.mark.parametrize(
    ("total", "per_page", "pages"),
    [(0, 25, 0), (1, 25, 1), (25, 25, 1), (26, 25, 2), (10**6, 1, 10**6), (10**6 + 1, 1, 10**6), (10**8, 7, 10**6)],
)
def test_no_page_is_promised_that_can_not_be_requested(total: int, per_page: int, pages: int) -> None:
    assert count_pages(total, per_page) == pages
    assert PageQuery(page=max(1, pages), per_page=per_page).page <= MOST_PAGES
