"""/api/activity-config/target-resolution: by which criteria targets are found."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.builders import contract_example

CONFIGS = "/api/activity-config/target-resolution"


async def explained(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Return the explanation of a dry run."""
    return await http.post("/api/activities/explain", json=contract_example(**changes))


async def test_a_target_configuration_is_created_changed_and_deactivated(http: httpx.AsyncClient) -> None:
    body = {
        "resolution_strategy": "ON_DISPATCH",
        "fallback_to_owner": False,
        "priority": 5,
        "channel": "SMS",
        "criteria": [
            {"type": "ROLE_MATCH", "config": {"role": "ORDERS"}},
            {"type": "LAST_CONTACTED_SAME_CHANNEL", "config": {"within_days": 30}, "priority": 1},
        ],
    }
    created = await http.post(CONFIGS, json=body)
    assert created.status_code == 201, created.text
    config = created.json()

    changed = (await http.patch(f"{CONFIGS}/{config['id']}", json={"channel": None, "is_active": False})).json()

    assert config["criteria"] == [
        {"criteriaType": "ROLE_MATCH", "criteriaConfig": {"role": "ORDERS"}, "priority": 0},
        {"criteriaType": "LAST_CONTACTED_SAME_CHANNEL", "criteriaConfig": {"within_days": 30}, "priority": 1},
    ]
    assert (config["resolutionStrategy"], config["fallbackToCommerceRep"], config["version"]) == (
        "ON_DISPATCH",
        True,
        1,
    )
    assert changed == config | {"channel": None, "isActive": False, "version": 2}
    assert (await http.get(f"{CONFIGS}/{config['id']}")).json() == changed
    assert (await http.get(CONFIGS, params={"is_active": "true"})).json()["data"] == []


async def test_a_priority_belongs_to_one_active_configuration_even_between_two_requests_at_once(
    http: httpx.AsyncClient,
) -> None:
    body = {"resolution_strategy": "ON_CREATION", "priority": 1}

    answers = await asyncio.gather(*(http.post(CONFIGS, json=body) for _ in range(5)))
    inactive = await http.post(CONFIGS, json=body | {"is_active": False})
    woken = await http.patch(f"{CONFIGS}/{inactive.json()['id']}", json={"is_active": True})

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert inactive.status_code == 201
    assert (woken.status_code, woken.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("criterion", "pointer"),
    [
        ({"type": "NEAREST"}, "/criteria/0/type"),
        ({"type": "ROLE_MATCH"}, "/criteria/0/config"),
        ({"type": "ROLE_MATCH", "config": {"role": "BOSS"}}, "/criteria/0/config/role"),
        ({"type": "LAST_CONTACTED_ALL_CHANNELS", "config": {"role": "OWNER"}}, "/criteria/0/config/role"),
        ({"type": "LAST_CONTACTED_ALL_CHANNELS", "config": {"within_days": 0}}, "/criteria/0/config/within_days"),
    ],
)
async def test_a_criterions_config_is_judged_by_its_type(
    http: httpx.AsyncClient, criterion: dict[str, Any], pointer: str
) -> None:
    answer = await http.post(CONFIGS, json={"resolution_strategy": "MANUAL", "criteria": [criterion]})

    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text


async def test_the_first_active_configuration_whose_selectors_match_applies(http: httpx.AsyncClient) -> None:
    def config(priority: int, role: str, **selectors: str) -> dict[str, Any]:
        criteria = [{"type": "ROLE_MATCH", "config": {"role": role}}]
        return {"resolution_strategy": "ON_CREATION", "priority": priority, "criteria": criteria, **selectors}

    ids = [
        (await http.post(CONFIGS, json=body)).json()["id"]
        for body in (
            config(1, "OWNER", channel="SMS"),
            config(2, "COMMERCE_REP", type="TASK"),
            config(3, "OWNER"),
        )
    ]

    used = [
        (await explained(http, channel=channel, type=kind)).json()["target"]["configuration"]["id"]
        for channel, kind in (("SMS", "TASK"), ("WHATSAPP", "TASK"), ("WHATSAPP", "MESSAGE"))
    ]

    assert used == ids
