"""Closed activities, as old as a test needs them, and the calls that name one."""

from typing import Any
from uuid import UUID

import httpx

from tests.support.activities import created
from tests.support.builders import LONG_AGO
from tests.support.hand_off import claim
from tests.support.restoration import execute
from tests.support.service import Service, until

RESULTS = "/api/activity-results/tasks"
OF_ACTIVITY: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "", None),
    ("GET", "/status-events", None),
    ("GET", "/target-users", None),
    ("GET", "/attributes", None),
    ("GET", "/explanation", None),
    ("GET", "/results", None),
    ("PATCH", "", {"score": 1}),
    ("POST", "/cancel", {"reason": "r"}),
    ("POST", "/execute-now", None),
    ("PATCH", "/retry-resolution", None),
    (
        "PATCH",
        "/target-users/880e8400-e29b-41d4-a716-446655440000/resolve",
        {"commerce_user_id": "880e8400-e29b-41d4-a716-446655440000"},
    ),
]
"""Each call that names an activity in its path: method, what follows the id, and body."""


async def closed(service: Service, http: httpx.AsyncClient, days: float = 0, **changes: Any) -> dict[str, Any]:
    """Create an activity and cancel it; it looks as if that had been so many days ago."""
    activity = await created(http, **changes)
    answer = await http.post(f"/api/activities/{activity['id']}/cancel", json={"reason": "withdrawn"})
    assert answer.status_code == 200, answer.text
    await age(service, activity, days)
    return activity


async def completed(http: httpx.AsyncClient, **result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Create an activity that an executor completes; return it, and the result that was sent."""
    activity = await created(http, scheduled_at=LONG_AGO)
    await until(http, f"/api/activities/{activity['id']}", "DUE")
    assert [one["id"] for one in await claim(http)] == [activity["id"]]
    sent = {"activity_id": activity["id"], "status": "COMPLETED", "occurred_at": LONG_AGO} | result
    answer = await http.post(RESULTS, json=sent)
    assert answer.status_code == 201, answer.text
    return activity, sent


async def age(service: Service, activity: dict[str, Any], days: float) -> None:
    """Make the activity look as if its last change had been so many days ago."""
    older = "UPDATE scheduled_activities SET updated_at = updated_at - :days * interval '1 day' WHERE id = :id"
    await execute(service, older, id=UUID(activity["id"]), days=days)
