"""Remove what benchmarks have left in the tenants that only they use: the runs first, then the rows."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, create_engine, delete, exists, make_url, select, update
from temporalio.api.common.v1 import WorkflowExecution as RunAddress
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from bench.floor_workflow import QUEUE
from db.models import AuditEntry, Commerce, ScheduledActivity, Table
from db.sessions import connect_arguments
from workflows.words import ActivityStatus

MARK = "Benchmarks"
"""The name of the commerce of a tenant that only benchmarks use: all rows of such a tenant may be deleted."""
DELETIONS_AT_ONCE = 16
LOOK_EVERY_SECONDS, LOOKS = 1, 3
"""Temporal's list lags behind: it has to be empty so many times in a row."""
PATIENCE_SECONDS = 300
TABLES = [table for table in Table.metadata.sorted_tables if table is not AuditEntry.__table__]
"""The tables whose rows are deleted: entries of the audit are kept for ever."""
ENDED = (ActivityStatus.COMPLETED, ActivityStatus.FAILED, ActivityStatus.CANCELED)


class TenantInUseError(Exception):
    """Report that a tenant has rows that no benchmark has written."""


@contextmanager
def opened_database(url: str) -> Iterator[Connection]:
    """Open a connection on which each statement is a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=connect_arguments(make_url(url)))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def check_tenants(database_url: str, tenant_ids: Collection[UUID]) -> None:
    """Check that the tenants have no rows other than those of benchmarks.

    Raises:
        TenantInUseError: a tenant has others.
    """
    with opened_database(database_url) as connection:
        for tenant_id in tenant_ids:
            if not _belongs_to_benchmarks(connection, tenant_id):
                msg = f"tenant {tenant_id} has rows of its own, and benchmarks delete all rows: name one without any"
                raise TenantInUseError(msg)


def _belongs_to_benchmarks(connection: Connection, tenant_id: UUID) -> bool:
    commerces = set(connection.execute(select(Commerce.name).where(Commerce.tenant_id == tenant_id)).scalars())
    if commerces:
        return commerces == {MARK}
    return not any(
        connection.execute(select(exists().where(table.c.tenant_id == tenant_id))).scalar_one() for table in TABLES
    )


async def clean_up(client: Client, database_url: str, tenant_ids: Collection[UUID]) -> None:
    """Delete the runs of benchmarks, then the rows of their tenants, but for the audit's.

    The activities are ended first: reconciliation starts runs for open ones, and writes a missing row of a run again.
    """
    with opened_database(database_url) as connection:
        connection.execute(
            update(ScheduledActivity)
            .where(ScheduledActivity.tenant_id.in_(tenant_ids), ScheduledActivity.status.not_in(ENDED))
            .values(status=ActivityStatus.CANCELED)
        )
        queries = [f"TaskQueue = '{QUEUE}'", *(f"TenantId = '{tenant_id}'" for tenant_id in tenant_ids)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(delete_runs(client, query) for query in queries))
        for table in reversed(TABLES):
            connection.execute(delete(table).where(table.c.tenant_id.in_(tenant_ids)))


async def delete_runs(client: Client, query: str) -> None:
    """Delete the runs that match, open or closed, until Temporal lists none."""
    slots = asyncio.Semaphore(DELETIONS_AT_ONCE)

    async def delete_in_turn(run: WorkflowExecution) -> None:
        async with slots:
            await _delete_run(client, run)

    empty = 0
    while empty < LOOKS:
        runs = [run async for run in client.list_workflows(query)]
        await asyncio.gather(*(delete_in_turn(run) for run in runs))
        empty = 0 if runs else empty + 1
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _delete_run(client: Client, run: WorkflowExecution) -> None:
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=RunAddress(workflow_id=run.id, run_id=run.run_id)
    )
    try:
        await client.workflow_service.delete_workflow_execution(request, retry=True)
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
