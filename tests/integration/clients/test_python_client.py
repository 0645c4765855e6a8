"""Test the Python client as its users have it: over HTTP, with refusals and cut connections."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from activities_client import ApiError, Retries, connect, create_by_lines, create_once, expect
from activities_client.generated.api.activities import cancel_activity, create_activity, get_activity, list_activities
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import ActivityPage, CancelCreate, ScheduledActivityRead
from api.http.auth import Permission
from db.quotas import quota_statement
from tests.support.builders import COMMERCE_ID, Tenant
from tests.support.python_client import new_activity, use_python_client
from tests.support.service import KEY, Service
from tests.support.tcp import cutting_proxy
from workflows.tenant_limits import REQUESTS

CLIENT = Path(__file__).parents[3] / "clients" / "python"
QUICK = Retries(attempts=5, first_wait_seconds=0.01)
ONCE = Retries(attempts=1)


def token_of(tenant: Tenant) -> str:
    return KEY.token("caller", {tenant.id: tuple(Permission)}, timedelta(hours=1))


def client_of(tenant: Tenant, url: str, retries: Retries = QUICK) -> AuthenticatedClient:
    return connect(url, token=token_of(tenant), tenant_id=tenant.id, retries=retries)


def port_of(service: Service) -> int:
    return urlsplit(service.url).port or 0


async def test_every_kind_of_call_is_typed_and_works(service: Service, tenant: Tenant) -> None:
    await asyncio.to_thread(use_python_client, service.url, token_of(tenant), tenant.id, COMMERCE_ID)


async def test_it_works_with_an_api_key_and_asynchronously(service: Service, http: httpx.AsyncClient) -> None:
    wanted = {"name": "client", "permissions": ["CREATE_ACTIVITY", "VIEW_ACTIVITIES"]}
    key = (await http.post("/api/api-keys", json=wanted)).json()["plaintextKey"]
    async with connect(service.url, api_key=key) as client:
        body = new_activity(COMMERCE_ID)
        created = expect(ScheduledActivityRead, await create_activity.asyncio_detailed(client=client, body=body))
        read = await get_activity.asyncio_detailed(created.id, client=client)
        assert expect(ScheduledActivityRead, read).id == created.id


async def test_the_example_of_its_readme_works(service: Service, tenant: Tenant) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", (CLIENT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for shown, value in (
        ("http://127.0.0.1:8000", service.url),
        ("…", token_of(tenant)),
        ("770e8400-e29b-41d4-a716-446655440000", str(tenant.id)),
    ):
        assert shown in example
        example = example.replace(shown, value)
    environment = os.environ | {"PYTHONPATH": str(CLIENT)}
    command = (sys.executable, "-W", "error", "-c", example)
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=STDOUT)
    assert (await process.communicate())[0].decode() == "READY\n"


@pytest.mark.parametrize("given", [{}, {"token": "a", "api_key": "b"}], ids=["neither", "both"])
def test_a_connection_needs_either_a_token_or_a_key(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Give a token or an API key"):
        connect("http://localhost", **given)


async def test_a_refusal_of_a_rate_limit_is_repeated_as_retry_after_says(service: Service, tenant: Tenant) -> None:
    async with service.database.autocommit.connect() as connection:
        await connection.execute(quota_statement(tenant.id, REQUESTS.name, 1))
    async with service.beside() as limited:

        def read_often(retries: Retries) -> set[HTTPStatus]:
            with client_of(tenant, limited.url, retries) as client:
                return {list_activities.sync_detailed(client=client).status_code for _ in range(4)}

        assert await asyncio.to_thread(read_often, ONCE) == {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
        assert await asyncio.to_thread(read_often, QUICK) == {HTTPStatus.OK}
        async with client_of(tenant, limited.url) as client:
            answers = [await list_activities.asyncio_detailed(client=client) for _ in range(3)]
        assert [len(expect(ActivityPage, answer).data) for answer in answers] == [0, 0, 0]


async def test_a_wait_longer_than_allowed_is_left_to_the_caller(service: Service, tenant: Tenant) -> None:
    async with service.database.autocommit.connect() as connection:
        await connection.execute(quota_statement(tenant.id, REQUESTS.name, 0))
    async with (
        service.beside() as limited,
        client_of(tenant, limited.url, Retries(longest_wait_seconds=0)) as client,
    ):
        refused = await list_activities.asyncio_detailed(client=client)
    with pytest.raises(ApiError, match="may send 0 requests a second") as caught:
        expect(ActivityPage, refused)
    assert (caught.value.status, caught.value.code) == (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited")


async def test_a_creation_whose_answer_is_lost_is_repeated_and_creates_one(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """The key makes it safe: the second answer is 409 with the activity."""
    async with cutting_proxy(port_of(service), 20, 0) as port:

        def create() -> ScheduledActivityRead:
            with client_of(tenant, f"http://127.0.0.1:{port}") as client:
                return create_once(client, new_activity(COMMERCE_ID))

        created = await asyncio.to_thread(create)
    listed = (await http.get("/api/activities")).json()["data"]
    assert [one["id"] for one in listed] == [str(created.id)]


async def test_a_change_without_a_key_is_not_repeated_when_its_answer_is_lost(service: Service, tenant: Tenant) -> None:
    async with client_of(tenant, service.url) as client:
        answer = await create_activity.asyncio_detailed(client=client, body=new_activity(COMMERCE_ID))
        created = expect(ScheduledActivityRead, answer)
    cancel = CancelCreate(reason="Sold out")
    async with cutting_proxy(port_of(service), 20) as port, client_of(tenant, f"http://127.0.0.1:{port}") as client:
        with pytest.raises(httpx.TransportError):
            await cancel_activity.asyncio_detailed(created.id, client=client, body=cancel)


async def test_lines_that_are_cut_off_are_sent_again_and_create_each_activity_once(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    bodies = [new_activity(COMMERCE_ID) for _ in range(30)]
    async with cutting_proxy(port_of(service), 9000, 0, 20000) as port:

        def create() -> list[tuple[int, int]]:
            with client_of(tenant, f"http://127.0.0.1:{port}") as client:
                results = create_by_lines(client, bodies, lines_of_a_request=20, retries=QUICK)
                return [(result.index, result.status) for result in results]

        results = await asyncio.to_thread(create)
    assert [index for index, _ in results] == list(range(30))
    assert {status for _, status in results} == {201, 409}
    assert (await http.get("/api/activities")).json()["meta"]["total"] == 30


async def test_a_line_with_half_of_a_surrogate_pair_is_refused_alone(service: Service, tenant: Tenant) -> None:
    def create() -> list[int]:
        with client_of(tenant, service.url) as client:
            return [one.status for one in create_by_lines(client, [{"reason": "\ud800"}, new_activity(COMMERCE_ID)])]

    assert await asyncio.to_thread(create) == [400, 201]


async def test_lines_that_stay_cut_off_or_refused_end_with_an_exception(service: Service, tenant: Tenant) -> None:
    async with cutting_proxy(port_of(service), 0, 0) as port:

        def create(url: str, token: str) -> None:
            with connect(url, token=token, tenant_id=tenant.id) as client:
                list(create_by_lines(client, [new_activity(COMMERCE_ID)], retries=Retries(2, 0.01)))

        with pytest.raises(httpx.TransportError):
            await asyncio.to_thread(create, f"http://127.0.0.1:{port}", token_of(tenant))
    viewer = KEY.token("viewer", {tenant.id: (Permission.VIEW_ACTIVITIES,)}, timedelta(hours=1))
    with pytest.raises(ApiError, match="CREATE_ACTIVITY") as caught:
        await asyncio.to_thread(create, service.url, viewer)
    assert caught.value.status == HTTPStatus.FORBIDDEN
