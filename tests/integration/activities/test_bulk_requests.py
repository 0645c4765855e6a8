"""Test that a bulk change starts only as it was meant: with a condition, a confirmed total, and once for each id."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client

from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, free_port, running_temporal
from runs.bulk import start_bulk_operation
from runs.bulk_queue import accept_operation
from tests.support.builders import Tenant, from_now
from tests.support.bulk import ACTIVITIES, begun, campaign, ended, statuses
from tests.support.service import Service, running_service, temporal_client
from tests.support.worlds import idle_service, new_database
from workflows.bulk import BulkChange, BulkOperation, BulkVerb
from workflows.messages import ActivityFilter
from workflows.words import ActivityStatus, Channel

CONDITIONS: list[dict[str, Any]] = [{}, {"commerce_id": None}, {"search": None, "channel": None}, {"status": []}]
VERBS: list[tuple[str, dict[str, Any]]] = [("cancel", {}), ("reschedule", {"shift_seconds": 3600})]
SETTINGS = "/api/activity-config/bulk"


def bulk(**members: Any) -> dict[str, Any]:
    """Return the body of a bulk change of the SMS campaign."""
    return {"filter": {"channel": "SMS"}, "reason": "a mistake"} | members


@pytest.mark.parametrize("conditions", CONDITIONS)
@pytest.mark.parametrize(("verb", "how"), VERBS)
async def test_a_filter_without_a_condition_is_rejected(
    http: httpx.AsyncClient, verb: str, how: dict[str, Any], conditions: dict[str, Any]
) -> None:
    (activity,) = await campaign(http, 1)
    for dry_run in (False, True):
        body = bulk(filter=conditions, dry_run=dry_run, **how)
        answer = await http.post(f"{ACTIVITIES}/{verb}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == "/filter"
        assert "at least one condition" in fault["detail"]
        assert "name its statuses" in fault["detail"]
    assert await statuses(http, [activity]) == ["READY"]


@pytest.mark.parametrize("parameter", ["status", "commerce_id", "channel", "type", "reason", "search", "scheduled_to"])
async def test_a_list_rejects_a_condition_without_a_value(http: httpx.AsyncClient, parameter: str) -> None:
    answer = await http.get(ACTIVITIES, params={parameter: ""})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert answer.json()["errors"][0]["pointer"].startswith(f"/query/{parameter}")


@pytest.mark.parametrize(("verb", "how"), VERBS)
async def test_above_the_tenants_number_the_total_has_to_be_confirmed(
    http: httpx.AsyncClient, verb: str, how: dict[str, Any]
) -> None:
    assert (await http.get(SETTINGS)).json() == {"confirmAbove": 1000}
    assert (await http.put(SETTINGS, json={"confirm_above": 1})).json() == {"confirmAbove": 1}
    assert (await http.get(SETTINGS)).json() == {"confirmAbove": 1}
    activities = await campaign(http, 2)
    before = await times(http, activities)
    for confirmed, at_most in ((None, 1), (0, 0), (1, 1)):
        answer = await http.post(f"{ACTIVITIES}/{verb}", json=bulk(confirm_total=confirmed, **how))
        assert (answer.status_code, answer.json()["code"]) == (409, "total_not_confirmed")
        assert (answer.json()["total"], answer.json()["atMost"]) == (2, at_most)
        assert "confirm_total" in answer.json()["detail"]
    assert await times(http, activities) == before
    operation = await ended(http, await begun(http, verb, confirm_total=2, per_second=100, **how))
    assert (operation["state"], operation["counts"]["applied"], operation["confirmTotal"]) == ("COMPLETED", 2, 2)


async def times(http: httpx.AsyncClient, activities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the time and status of each activity."""
    found = [(await http.get(f"{ACTIVITIES}/{one['id']}")).json() for one in activities]
    return [(one["scheduledAt"], one["status"]) for one in found]


@pytest.mark.parametrize(
    "change",
    [BulkChange(verb=BulkVerb.CANCEL, reason="x"), BulkChange(verb=BulkVerb.RESCHEDULE, reason="x", shift_seconds=60)],
)
async def test_more_than_was_confirmed_when_they_are_chosen_ends_the_operation_without_a_change(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, change: BulkChange
) -> None:
    activities = await campaign(http, 3)
    before = await times(http, activities)
    operation = BulkOperation(
        id=uuid4(),
        tenant_id=tenant.id,
        filter=ActivityFilter(channel=Channel.SMS, status=(ActivityStatus.READY,)),
        change=change,
        actor="tester",
        confirm_total=2,
        at_most=2,
    )
    assert await accept_operation(service.database, operation)
    assert await start_bulk_operation(service.temporal, operation)
    rejected = await ended(http, f"/api/operations/{operation.id}")
    assert (rejected["state"], rejected["total"], rejected["items"]["data"]) == ("REJECTED", 0, [])
    assert "More than 2 activities" in rejected["detail"]
    assert "confirm_total" in rejected["detail"]
    assert await times(http, activities) == before


@pytest.mark.parametrize(("verb", "how"), VERBS)
async def test_a_repetition_is_answered_before_anything_is_counted(
    http: httpx.AsyncClient, verb: str, how: dict[str, Any]
) -> None:
    await campaign(http, 1)
    body = bulk(operation_id=str(uuid4()), per_second=100, **how)
    first = await http.post(f"{ACTIVITIES}/{verb}", json=body)
    await ended(http, first.headers["Location"])
    await campaign(http, 2)
    await http.put(SETTINGS, json={"confirm_above": 0})
    again = await http.post(f"{ACTIVITIES}/{verb}", json=body)
    assert (again.status_code, again.headers["Location"]) == (202, first.headers["Location"])
    assert (again.json()["state"], again.json()["total"]) == ("COMPLETED", 1)


@pytest.mark.parametrize(
    ("verb", "other", "difference"),
    [
        ("reschedule", {"filter": {"channel": "EMAIL"}}, ("/filter/channel", "SMS", "EMAIL")),
        ("reschedule", {"filter": {"channel": "SMS", "search": "a"}}, ("/filter/search", None, "a")),
        ("reschedule", {"reason": "another"}, ("/reason", "a mistake", "another")),
        ("reschedule", {"shift_seconds": 61}, ("/shift_seconds", 60, 61)),
        ("reschedule", {"per_second": 21}, ("/per_second", 20, 21)),
        ("reschedule", {"confirm_total": 7}, ("/confirm_total", None, 7)),
        ("cancel", {}, ("/verb", "reschedule", "cancel")),
    ],
)
async def test_an_operation_id_of_another_request_is_a_conflict_with_both(
    http: httpx.AsyncClient, verb: str, other: dict[str, Any], difference: tuple[str, Any, Any]
) -> None:
    activities = await campaign(http, 1)
    body = bulk(operation_id=str(uuid4()), filter={"channel": "SMS", "status": ["READY"]}, shift_seconds=60)
    first = await http.post(f"{ACTIVITIES}/reschedule", json=body)
    assert first.status_code == 202, first.text
    await ended(http, first.headers["Location"])
    moved = await times(http, activities)
    if "filter" in other:
        other = {"filter": other["filter"] | {"status": ["READY"]}}
    changed = body | other
    if verb == "cancel":
        del changed["shift_seconds"]
    answer = await http.post(f"{ACTIVITIES}/{verb}", json=changed)
    assert (answer.status_code, answer.json()["code"]) == (409, "operation_id_exists")
    assert answer.headers["Location"] == first.headers["Location"]
    assert answer.json()["operation"]["id"] == body["operation_id"]
    assert difference in [tuple(found.values()) for found in answer.json()["differences"]]
    assert await times(http, activities) == moved


async def test_a_repetition_may_spell_its_time_differently(http: httpx.AsyncClient) -> None:
    await campaign(http, 1)
    day = from_now(days=30)[:10]
    spelled = [f"{day}T10:00:00.000Z", f"{day}T12:00:00+02:00"]
    mine = str(uuid4())
    for time in spelled:
        body = bulk(operation_id=mine, scheduled_at=time, filter={"channel": "SMS", "scheduled_to": time})
        assert (await http.post(f"{ACTIVITIES}/reschedule", json=body)).status_code == 202
    answer = await http.post(f"{ACTIVITIES}/reschedule", json=body | {"scheduled_at": f"{day}T10:00:01Z"})
    assert answer.json()["differences"] == [
        {"pointer": "/scheduled_at", "stored": f"{day}T10:00:00.000Z", "sent": f"{day}T10:00:01.000Z"}
    ]


async def test_an_operation_that_is_still_choosing_is_compared_too(postgres: Postgres, temporal: Client) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = bulk(operation_id=str(uuid4()))
            answers = [await http.post(f"{ACTIVITIES}/cancel", json=body) for _ in range(2)]
            assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "COLLECTING")] * 2
            other = await http.post(f"{ACTIVITIES}/cancel", json=body | {"reason": "another"})
            assert (other.status_code, other.json()["code"]) == (409, "operation_id_exists")


@pytest.mark.parametrize(("verb", "how"), VERBS)
@pytest.mark.parametrize("mine", [None, "01941f29-7c00-7000-8000-000000000001"])
async def test_with_temporal_away_the_answer_carries_the_id_that_makes_a_repetition_safe(
    postgres: Postgres, tmp_path: Path, verb: str, how: dict[str, Any], mine: str | None
) -> None:
    """Also where the API has started before Temporal."""
    port = free_port()
    client = await temporal_client(f"127.0.0.1:{port}", lazy=True)
    async with running_service(new_database(postgres), client, work=False) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http:
            body = bulk(**how) | ({"operation_id": mine} if mine else {})
            answer = await http.post(f"{ACTIVITIES}/{verb}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            if mine:
                return
            made = answer.json()["operationId"]
            assert UUID(made)
            assert made in answer.json()["detail"]
            assert answer.headers["Location"] == f"/api/operations/{made}"
            with running_temporal(
                database=tmp_path / "temporal.sqlite", port=port, ui_port=None, dynamic_config=DYNAMIC_CONFIG
            ):
                accepted = await http.post(f"{ACTIVITIES}/{verb}", json=body | {"operation_id": made})
                assert (accepted.status_code, accepted.json()["id"]) == (202, made)
