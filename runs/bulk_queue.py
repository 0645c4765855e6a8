"""The queues of bulk operations: each tenant's are accepted in an order, and begin in it while few enough run."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client

from db import bulk_operations as statements
from db.bulk_operations import OperationRow
from db.engine import Database
from db.rows import ADVISORY_LOCK_STATEMENT
from runs.bulk import start_bulk_operation
from workflows.bulk import BulkChange, BulkOperation
from workflows.messages import ActivityFilter


class QueueIsFullError(Exception):
    """The tenant has as many queued operations as it may have; nothing was accepted."""


class Acceptance(NamedTuple):
    """The row of an operation that was accepted, and the operations of its tenant that begin now."""

    row: RowMapping
    begun: Sequence[UUID]


async def check_queue(database: Database, tenant_id: UUID) -> None:
    """Raise `QueueIsFullError` if one more operation could not be accepted, before anything is counted for it."""
    async with database.autocommit.connect() as connection:
        if (await connection.execute(statements.is_queue_full_statement(tenant_id, 1))).scalar_one():
            raise QueueIsFullError


Prepare = Callable[[AsyncConnection], Awaitable[None]]
"""Writes what belongs to the acceptance of an operation, in its transaction."""


async def accept_operation(
    database: Database, operation: BulkOperation, prepare: Prepare | None = None
) -> Acceptance | None:
    """Write the operation's row, and begin it if its turn has come; return None if it was accepted before.

    From the commit on it can't be lost: reconciliation begins it if this process can't start its run.

    Raises:
        QueueIsFullError: the tenant has too many queued operations.
    """
    tenant_id = operation.tenant_id
    async with database.transactions.begin() as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, statements.queue_lock(tenant_id))
        if (await connection.execute(statements.operation_insert_statement(operation))).first() is None:
            return None
        if prepare:
            await prepare(connection)
        begun = (await connection.execute(statements.begin_statement(tenant_id))).scalars().all()
        if (await connection.execute(statements.is_queue_full_statement(tenant_id, 0))).scalar_one():
            raise QueueIsFullError
        written = await connection.execute(statements.operation_statement(tenant_id, operation.id))
        return Acceptance(written.mappings().one(), begun)


async def begin_queued(client: Client, database: Database, tenant_id: UUID) -> list[UUID]:
    """Begin the tenant's next operations while few enough run; return those whose runs were started.

    The runs of all that have not chosen their activities yet are started, because a process may have ended before it
    started the run of one that it had begun.

    Raises:
        UnansweredError: the run of one is not known to have been started.
    """
    async with database.transactions.begin() as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, statements.queue_lock(tenant_id))
        await connection.execute(statements.begin_statement(tenant_id))
        collecting = (await connection.execute(statements.collecting_statement(tenant_id))).scalars().all()
    return [one for one in collecting if await start_begun(client, database, tenant_id, one)]


async def start_begun(client: Client, database: Database, tenant_id: UUID, operation_id: UUID) -> bool:
    """Start the run of an operation that has begun; return False if it has one already.

    An operation that was accepted by another version, and can't be read by this one, is REJECTED: it would keep its
    place among those that run for ever.

    Raises:
        UnansweredError: the run is not known to have been started.
    """
    async with database.autocommit.connect() as connection:
        operation = await statements.read_operation(connection, tenant_id, operation_id)
        confirm_above = await statements.read_confirm_above(connection, tenant_id)
        try:
            wanted = build_input(operation, confirm_above)
        except ValidationError:
            unreadable = "Its request can't be read by this version of the service. Nothing was changed."
            await connection.execute(statements.reject_statement(operation, unreadable))
            return False
    return await start_bulk_operation(client, wanted)


def build_input(operation: OperationRow, confirm_above: int) -> BulkOperation:
    """Build the input of an operation's first run; `confirm_above` bounds its items unless its caller has."""
    return BulkOperation(
        id=operation.id,
        tenant_id=operation.tenant_id,
        filter=ActivityFilter.model_validate(operation.filter),
        change=BulkChange.model_validate(operation.change),
        actor=operation.actor,
        request_id=operation.request_id,
        per_second=operation.per_second,
        confirm_total=operation.confirm_total,
        at_most=confirm_above if operation.confirm_total is None else operation.confirm_total,
    )
