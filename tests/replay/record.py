"""Record a history of each path through the workflows: `python -m tests.replay.record`.

Histories of a released version are kept for ever, because a run may sleep for years and has to replay on the newest
code. After a change of the sequence of commands (behind `workflow.patched`), record into files of new names:
`python -m tests.replay.record 2` writes `ready-and-due.2.json`.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import update
from temporalio.client import Client, WorkflowExecutionStatus

from db import migrations
from db.models import CommerceUser
from embedded.postgres import Postgres, running_postgres
from embedded.temporal_server import DYNAMIC_CONFIG, free_port, running_temporal
from runs.client import TASK_QUEUE
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service, running_service, temporal_client
from workflows.bulk import bulk_workflow_id
from workflows.findings import Page, Reconcile
from workflows.reconciliation import ReconciliationWorkflow

FOLDER = Path(__file__).parent
PATH = "/api/activities"
LATER = "2031-01-01T00:00:00.000Z"

Act = Callable[[Service, Tenant, httpx.AsyncClient], Awaitable[str]]
"""A function that takes a path and returns the ID of the workflow whose history is recorded."""


def run_of(tenant: Tenant, body: dict[str, Any]) -> str:
    """Return the ID of the workflow that a creation has started."""
    return f"{tenant.id}:{body['idempotency_key']}"


async def ready_and_due(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity that sleeps until its time and is marked."""
    body = contract_example(scheduled_at=from_now(seconds=6))
    await http.post(PATH, json=body)
    return run_of(tenant, body)


async def past_and_due(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity whose time is past already."""
    body = contract_example()
    await http.post(PATH, json=body)
    return run_of(tenant, body)


async def asleep(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity that sleeps for years."""
    body = contract_example(scheduled_at=LATER)
    await http.post(PATH, json=body)
    return run_of(tenant, body)


async def unresolved(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity without a target user, which waits for an operator."""
    async with service.database.transactions.begin() as connection:
        inactive = update(CommerceUser).where(CommerceUser.tenant_id == tenant.id).values(is_active=False)
        await connection.execute(inactive)
    body = contract_example(scheduled_at=LATER)
    await http.post(PATH, json=body)
    return run_of(tenant, body)


async def not_found(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity for an unknown commerce, so that the run fails."""
    body = contract_example(commerce_id=str(uuid4()))
    await http.post(PATH, json=body)
    return run_of(tenant, body)


async def moved_and_canceled(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Move an activity while it sleeps, then cancel it."""
    body = contract_example(scheduled_at=LATER)
    location = (await http.post(PATH, json=body)).headers["Location"]
    for answer in (
        await http.patch(location, json={"scheduled_at": from_now(days=9)}),
        await http.post(f"{location}/cancel", json={"reason": "recorded"}),
    ):
        answer.raise_for_status()
    return run_of(tenant, body)


async def resolved_in_trouble(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Create an activity while a table is locked, so that local steps continue as visible ones."""
    body = contract_example(scheduled_at=LATER)
    async with service.database.transactions.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE reasons IN ACCESS EXCLUSIVE MODE")
        calling = asyncio.create_task(http.post(PATH, json=body))
        await asyncio.sleep(7)
    (await calling).raise_for_status()
    return run_of(tenant, body)


async def many_cancelled(_: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """Cancel two activities with one bulk operation."""
    for _number in range(2):
        await http.post(PATH, json=contract_example(scheduled_at=LATER))
    operation_id = uuid4()
    body = {"filter": {"channel": "WHATSAPP"}, "reason": "recorded", "operation_id": str(operation_id)}
    (await http.post(f"{PATH}/cancel", json=body)).raise_for_status()
    return bulk_workflow_id(tenant.id, operation_id)


async def reconciled(service: Service, _: Tenant, http: httpx.AsyncClient) -> str:
    """Settle runs that were ended from outside, then compare a page of rows with their runs."""
    for _number in range(3):
        await http.post(PATH, json=contract_example(scheduled_at=LATER))
    round_of = Reconcile(page=Page(size=2, grace_seconds=0), pages=1, listed_pages=1)
    await service.temporal.execute_workflow(
        ReconciliationWorkflow.run, round_of, id="reconciliation", task_queue=TASK_QUEUE
    )
    return "reconciliation"


PATHS: dict[str, tuple[Act, bool]] = {
    "ready-and-due": (ready_and_due, True),
    "past-and-due": (past_and_due, True),
    "asleep": (asleep, False),
    "unresolved": (unresolved, False),
    "not-found": (not_found, True),
    "moved-and-canceled": (moved_and_canceled, True),
    "resolved-in-trouble": (resolved_in_trouble, False),
    "many-cancelled": (many_cancelled, True),
    "reconciled": (reconciled, True),
}
"""The paths, each with True if its run ends."""


async def record(service: Service, path: str, suffix: str) -> None:
    """Take one path in a tenant of its own, and write its history to a file."""
    act, ends = PATHS[path]
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        workflow_id = await act(service, tenant, http)
    run = service.temporal.get_workflow_handle(workflow_id)
    while ends and (await run.describe()).status is WorkflowExecutionStatus.RUNNING:
        await asyncio.sleep(0.1)
    history = remove_traces(json.loads((await run.fetch_history()).to_json()))
    (FOLDER / f"{path}{suffix}.json").write_text(json.dumps(history, indent=1, ensure_ascii=False) + "\n")


def remove_traces(value: Any) -> Any:
    """Remove the stack traces: they name folders of the recording machine, and replay does not read them."""
    if isinstance(value, dict):
        return {name: remove_traces(inner) for name, inner in value.items() if name != "stackTrace"}
    return [remove_traces(inner) for inner in value] if isinstance(value, list) else value


async def record_all(postgres: Postgres, client: Client, suffix: str) -> None:
    """Take every path, one after the other."""
    async with running_service(postgres.url("recorded"), client) as service:
        for path in PATHS:
            await record(service, path, suffix)


def main(suffix: str) -> None:
    """Start servers for the recording, record, and stop them."""
    with ExitStack() as stack:
        postgres = stack.enter_context(
            running_postgres(Path(stack.enter_context(tempfile.TemporaryDirectory())), durable=False)
        )
        postgres.create_database("recorded")
        migrations.upgrade(postgres.url("recorded"))
        temporal = stack.enter_context(
            running_temporal(
                database=None,
                port=free_port(),
                ui_port=None,
                dynamic_config=DYNAMIC_CONFIG,
            )
        )

        async def record_anonymously() -> None:
            """Record under a fixed identity: the default one would name this machine."""
            client = await temporal_client(temporal.address, identity="recorder")
            await record_all(postgres, client, suffix)

        asyncio.run(record_anonymously())


if __name__ == "__main__":
    main("".join(f".{argument}" for argument in sys.argv[1:]))
