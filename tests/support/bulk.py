"""Bulk operations as tests begin, follow and read them."""

import asyncio
from typing import Any

import httpx

from tests.support.activities import created
from tests.support.builders import from_now
from tests.support.service import until_answered

ACTIVITIES = "/api/activities"


async def campaign(http: httpx.AsyncClient, size: int) -> list[dict[str, Any]]:
    """Activities of one campaign, ten minutes after one another."""
    return [await created(http, channel="SMS", scheduled_at=from_now(minutes=10 * n + 30)) for n in range(size)]


async def begun(http: httpx.AsyncClient, verb: str, **body: Any) -> str:
    """Return the URL of an operation."""
    answer = await http.post(f"{ACTIVITIES}/{verb}", json={"filter": {"channel": "SMS"}, "reason": "a mistake"} | body)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


async def chosen(http: httpx.AsyncClient, operation: str) -> None:
    """Wait until the operation has chosen its activities: what changes later is no longer left out."""
    await until_answered(http, operation, lambda seen: seen["total"] is not None)


async def applied(http: httpx.AsyncClient, operation: str, number: int) -> dict[str, Any]:
    """Return the operation as soon as this number of its items is changed."""
    return await until_answered(http, operation, lambda seen: seen["counts"]["applied"] >= number)


async def stopped(http: httpx.AsyncClient, operation: str) -> dict[str, Any]:
    """Stop the operation until that is answered 200; return the answer."""
    async with asyncio.timeout(90):
        while (answer := await http.post(f"{operation}/stop")).status_code != 200:
            assert (answer.status_code, answer.json()["state"]) == (202, "STOPPING")
    found: dict[str, Any] = answer.json()
    return found


async def ended(http: httpx.AsyncClient, operation: str) -> dict[str, Any]:
    """The operation, once it has ended."""
    return await until_answered(http, operation, lambda seen: seen["finishedAt"])


async def statuses(http: httpx.AsyncClient, activities: list[dict[str, Any]]) -> list[str]:
    return [(await http.get(f"{ACTIVITIES}/{one['id']}")).json()["status"] for one in activities]


def outcomes(operation: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["activityId"], item["outcome"]) for item in operation["items"]["data"]]
