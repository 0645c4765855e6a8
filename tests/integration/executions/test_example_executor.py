"""examples/executor.py: what a stranger copies has to work, and to survive being killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from api.http.auth import Permission
from tests.support.activities import trail
from tests.support.builders import Tenant, contract_example
from tests.support.hand_off import insert_rows, run_out
from tests.support.service import KEY, Service, until

EXAMPLES = Path(__file__).parents[3] / "examples"
WITH_A_PROVIDER_THAT_HANGS = "import executor, time; executor.send = lambda _: time.sleep(600); executor.main()"


async def started(tenant: Tenant, url: str, *arguments: str) -> Process:
    """One that has just been started."""
    permissions = (Permission.DISPATCH_ACTIVITY, Permission.SUBMIT_ACTIVITY_RESULT)
    token = KEY.token("executor", {tenant.id: permissions}, timedelta(hours=1))
    environment = os.environ | {"API_URL": url, "TOKEN": token, "TENANT_ID": str(tenant.id)}
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=EXAMPLES, env=environment, stdout=PIPE)


async def created(http: httpx.AsyncClient, **changes: Any) -> str:
    """The URL of an activity that is due."""
    location = (await http.post("/api/activities", json=contract_example(**changes))).headers["Location"]
    await until(http, location, "DUE")
    return location


async def test_it_takes_sends_and_reports(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    location = await created(http)
    process = await started(tenant, service.url, "executor.py", "--once")
    async with asyncio.timeout(120):
        printed, _ = await process.communicate()
    assert printed.decode() == "to Name of COMMERCE_REP at +5491100000001: Promocion Mensual\n"
    assert process.returncode == 0
    assert (await http.get(location)).json()["status"] == "COMPLETED"


async def test_it_survives_a_bad_message_and_goes_on(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    """The first one has no target, as if its target had been removed a moment after the claim."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="bad", score=9)
    location = await created(http)
    process = await started(tenant, service.url, "executor.py", "--once")
    async with asyncio.timeout(120):
        printed, _ = await process.communicate()
    assert process.returncode == 0
    released, sent = printed.decode().splitlines()
    assert released.startswith("releasing ")
    assert sent == "to Name of COMMERCE_REP at +5491100000001: Promocion Mensual"
    assert (await http.get(location)).json()["status"] == "COMPLETED"
    (bad,) = (await http.get("/api/activities", params={"status": "DUE"})).json()["data"]
    events = (await http.get(f"/api/activities/{bad['id']}/status-events")).json()["data"]
    assert [event["eventType"] for event in events] == ["DISPATCHED", "LEASE_RELEASED"]
    assert events[-1]["details"]["reason"] == "IndexError('list index out of range')"


async def test_what_a_killed_one_held_goes_to_the_next(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    location = await created(http)
    first = await started(tenant, service.url, "-c", WITH_A_PROVIDER_THAT_HANGS)
    await until(http, location, "DISPATCHED")
    first.send_signal(signal.SIGKILL)
    await first.wait()
    await run_out(service.database, tenant)
    second = await started(tenant, service.url, "executor.py", "--once")
    async with asyncio.timeout(120):
        await second.communicate()
    assert (await http.get(location)).json()["status"] == "COMPLETED"
    assert [event for event, _, _ in await trail(http, location.rsplit("/", 1)[-1])][2:] == [
        "DISPATCHED",
        "LEASE_EXPIRED",
        "DISPATCHED",
        "RESULT_RECEIVED",
    ]
