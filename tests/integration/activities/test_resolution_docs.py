"""Test that the call in docs/resolution.md has the answer that the page shows."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from db.models import CommerceUser
from tests.support.builders import Tenant
from tests.support.service import Service

PAGE = Path(__file__).parents[3] / "docs" / "resolution.md"


async def test_the_call_on_the_page_answers_what_the_page_says(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    called = re.search(r"\$BASE_URL(\S+)\".*?-d '(\{.*?\})'", page, re.DOTALL)
    shown = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert called
    assert shown
    async with service.database.transactions.begin() as connection:
        lucia = CommerceUser.tenant_id == tenant.id, CommerceUser.id == tenant.contactless_id
        await connection.execute(update(CommerceUser).where(*lucia).values(roles=["ORDERS"]))

    answer = await http.post(called[1], content=called[2], headers={"Content-Type": "application/json"})

    names = {tenant.contactless_id: "lucia", tenant.representative_id: "jorge", tenant.owner_id: "maria"}
    text = answer.text
    for user_id, name in names.items():
        text = text.replace(str(user_id), f"…{name}")
    assert answer.status_code == 200, text
    assert_within(json.loads(shown[1]), json.loads(text))


def assert_within(shown: object, answered: object) -> None:
    """Assert that the answer contains what the page shows; candidates of equal distance may come in any order."""
    match shown, answered:
        case dict(), dict():
            for name, value in shown.items():
                assert_within(value, answered[name])
        case ["…"], list():
            assert answered
        case list(), list():
            for one, other in zip(in_order(shown), in_order(answered), strict=True):
                assert_within(one, other)
        case _:
            assert shown == answered


def in_order(parts: list[Any]) -> list[Any]:
    return sorted(parts, key=lambda part: str(part.get("commerceUserId", "")))
