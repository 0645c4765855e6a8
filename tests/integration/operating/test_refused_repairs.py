"""Test repairs of reconciliation that Temporal refuses or leaves without an answer: they are named, and tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities_impl.reconciliation import Reconciliation
from db import changes
from embedded.postgres import Postgres
from runs.lead import Lead
from tests.support.activities import created
from tests.support.intercepted import intercepted
from tests.support.reconciliation import run_of
from tests.support.service import Service
from tests.support.worlds import idle_service, work
from workflows.bulk import bulk_workflow_id
from workflows.findings import Compared, Finding, Page
from workflows.messages import ActivityRef, Apply, Cancel

HOW = [RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNKNOWN, None]
"""The status of a refusal; None stands for silence."""


async def fail(status: RPCStatusCode | None) -> Any:
    """Fail as a call to Temporal does, or wait for ever."""
    if status is None:
        await asyncio.Event().wait()
    raise RPCError("refused", status or RPCStatusCode.UNKNOWN, b"")


async def step_over(client: Client, service: Service, name: str) -> Compared:
    """Run one step of reconciliation over this connection, for rows without grace."""
    steps = Reconciliation(client, service.roles.worker, service.roles.across_tenants, Lead(0))
    found: Compared = await ActivityEnvironment().run(getattr(steps, name), Page(grace_seconds=0))
    return found


@pytest.mark.parametrize("status", HOW)
async def test_a_bulk_operation_that_temporal_does_not_resume_is_named_and_resumed_by_a_later_round(
    postgres: Postgres, temporal: Client, status: RPCStatusCode | None
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant, lost = await service.tenant(), uuid4()
        insert = text(
            "INSERT INTO bulk_operations (tenant_id, id, verb, change, filter, actor, per_second, state)"
            " VALUES (:tenant, :id, 'cancel', :change, '{}', 'x', 20, 'RUNNING')"
        )
        async with service.database.transactions.begin() as connection:
            change = '{"verb": "cancel", "reason": "x"}'
            await connection.execute(insert, {"tenant": tenant.id, "id": lost, "change": change})

        async def refuse(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
            return await (fail(status) if rpc == "start_workflow_execution" else call())

        refused = await step_over(intercepted(service.temporal, refuse), service, "settle_operations")
        assert refused.examples == {Finding.FAILED: (f"{lost}: {'RPCError' if status else 'TimeoutError'}",)}
        later = await step_over(service.temporal, service, "settle_operations")
        assert later.examples == {Finding.OPERATION_RESUMED: (str(lost),)}
        async with work(service):
            run = service.temporal.get_workflow_handle(bulk_workflow_id(tenant.id, lost))
            assert await run.result() == "COMPLETED"


@pytest.mark.parametrize("status", HOW)
async def test_a_run_that_temporal_does_not_terminate_is_named_and_terminated_by_a_later_round(
    postgres: Postgres, temporal: Client, status: RPCStatusCode | None
) -> None:
    async with idle_service(postgres, temporal) as service:
        tenant = await service.tenant()
        async with service.client(tenant.id) as http, work(service):
            activity = await created(http)
            run = run_of(service, tenant, activity)
            ref = ActivityRef(tenant_id=tenant.id, id=UUID(activity["id"]))
            async with service.database.transactions.begin() as connection:
                unheard = Apply(tenant_id=ref.tenant_id, id=ref.id, key="unheard", actor="tester", change=Cancel())
                await changes.apply_change(connection, unheard)
            asked = asyncio.Event()

            async def refuse(rpc: str, call: Callable[[], Awaitable[Any]], *, always: bool = True) -> Any:
                if rpc == "update_workflow_execution":
                    raise RPCError("limit of updates", RPCStatusCode.FAILED_PRECONDITION, b"")
                if rpc == "terminate_workflow_execution" and always:
                    asked.set()
                    await fail(status)
                return await call()

            refusing = asyncio.create_task(step_over(intercepted(service.temporal, refuse), service, "end_runs"))
            await asked.wait()
            async with service.database.transactions.begin() as connection:  # the row is free before others give up
                assert (await changes.lock_activity(connection, ref)).status == "CANCELED"
            assert (await refusing).examples == {Finding.FAILED: (f"{ref.id}: RPCError",)}
            assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING

            async def allow(rpc: str, call: Callable[[], Awaitable[Any]]) -> Any:
                return await refuse(rpc, call, always=False)

            later = await step_over(intercepted(service.temporal, allow), service, "end_runs")
            assert later.examples == {Finding.ENDED: (activity["id"],)}
            assert (await run.describe()).status is WorkflowExecutionStatus.TERMINATED
