"""Bring bulk operations to their end: settle changes that have no outcome, and operations that have no run."""

from contextlib import suppress

from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError

from db import bulk_operations as statements
from db import changes
from db.bulk_operations import BegunItem, OperationRow
from db.engine import Database
from db.rows import fetch_rows
from runs.ask import ENDED_FROM_OUTSIDE, describe_run, read_ending
from runs.bulk import resume_bulk_operation
from runs.bulk_queue import begin_queued, build_input
from workflows.bulk import (
    RUNNING_STATES,
    BulkChange,
    BulkState,
    BulkVerb,
    Finish,
    ItemOutcome,
    ItemResult,
    OperationRef,
    bulk_workflow_id,
    change_key,
)
from workflows.findings import Finding
from workflows.messages import Apply, Cancel, RejectedError, Reschedule, RetryResolution

REMOVED = ItemResult(
    outcome=ItemOutcome.REFUSED,
    code="activity_gone",
    detail="The activity was removed before its change had an outcome.",
)
WITHDRAWN = ItemResult(outcome=ItemOutcome.PENDING, detail="Its change was begun, had no outcome, and was withdrawn.")


async def finish_operation(client: Client, database: Database, finish: Finish) -> BulkState:
    """Settle the changes that were begun, write the operation's end, and begin the tenant's next operations.

    Returns the state that is written; `finish.state` if PostgreSQL was restored to a time before the operation.
    """
    if finish.state is BulkState.STOPPED:
        async with database.autocommit.connect() as connection:
            await connection.execute(statements.stop_statement(finish))  # from here on no item is begun any more
    async with database.autocommit.connect() as connection:
        operation = await statements.find_operation(connection, finish.tenant_id, finish.id)
        if operation is None:
            return finish.state
        begun = await fetch_rows(connection, BegunItem, statements.begun_items_statement(finish))
    for item in begun:
        # A row that can't be decoded is changed by nothing: its item stays without an outcome.
        with suppress(ValidationError):
            await _settle_item(database, operation, item)
    async with database.autocommit.connect() as connection:
        await connection.execute(statements.finish_statement(finish))
    await begin_queued(client, database, finish.tenant_id)
    return (await _read_operation(database, finish)).state


async def _settle_item(database: Database, operation: OperationRow, item: BegunItem) -> None:
    """Record a change as applied if it is written under its key; else withdraw it, so that it is never written."""
    wanted = BulkChange.model_validate(operation.change)
    apply = Apply(
        tenant_id=operation.tenant_id,
        id=item.activity_id,
        key=change_key(operation.id, item.claimed_round),
        actor=operation.actor,
        change=_CHANGES[wanted.verb](request_id=operation.request_id),
    )
    ref = OperationRef(tenant_id=operation.tenant_id, id=operation.id)
    is_erasure = wanted.verb is BulkVerb.ERASE
    async with database.transactions.begin() as connection:
        try:
            is_written = not await changes.withdraw_change(connection, apply)
        except RejectedError:  # the activity was removed meanwhile
            result = ItemResult(outcome=ItemOutcome.APPLIED) if is_erasure else REMOVED
        else:  # the change of an erasure is a cancellation, after which the activity is still there
            result = ItemResult(outcome=ItemOutcome.APPLIED) if is_written and not is_erasure else WITHDRAWN
        await connection.execute(statements.outcome_statement(ref, item.position, result))


_CHANGES: dict[BulkVerb, type[Cancel | Reschedule | RetryResolution]] = {
    BulkVerb.CANCEL: Cancel,
    BulkVerb.RESCHEDULE: Reschedule,
    BulkVerb.RETRY_RESOLUTION: RetryResolution,
    BulkVerb.ERASE: Cancel,
}


async def settle_operation(client: Client, database: Database, ref: OperationRef) -> Finding | None:
    """Settle an operation that seems to have no run; return None if it has one, or has ended.

    An operation whose run is lost is resumed, unless it was being stopped; one whose run was ended in Temporal stops.
    """
    workflow_id = bulk_workflow_id(ref.tenant_id, ref.id)
    run = await describe_run(client, workflow_id)
    if run and run.status is WorkflowExecutionStatus.RUNNING:
        return None
    if run and run.status in ENDED_FROM_OUTSIDE:
        ending = await read_ending(client, run)
        reason = f" by {ending.by}" + (f": {ending.reason}" if ending.reason else "")
        return await _stop(client, database, ref, f"The operation's run was ended in Temporal{reason}")
    operation = await _read_operation(database, ref)
    if operation.state is BulkState.STOPPING:
        return await _stop(client, database, ref, None)
    if operation.state not in RUNNING_STATES:
        return None
    async with database.autocommit.connect() as connection:
        begun_rounds = (await connection.execute(statements.last_round_statement(ref))).scalar_one()
        confirm_above = await statements.read_confirm_above(connection, ref.tenant_id)
    is_collected = operation.state is not BulkState.COLLECTING
    # A round whose keys were never used. A stop at this moment is found by the run's steps in the row.
    continued = {"collected": is_collected, "round": begun_rounds + 1}
    try:
        await resume_bulk_operation(client, build_input(operation, confirm_above).model_copy(update=continued))
    except WorkflowAlreadyStartedError:
        return None
    return Finding.OPERATION_RESUMED


async def _stop(client: Client, database: Database, ref: OperationRef, detail: str | None) -> Finding:
    finish = Finish(tenant_id=ref.tenant_id, id=ref.id, state=BulkState.STOPPED, detail=detail)
    await finish_operation(client, database, finish)
    return Finding.OPERATION_STOPPED


async def _read_operation(database: Database, ref: OperationRef) -> OperationRow:
    async with database.autocommit.connect() as connection:
        return await statements.read_operation(connection, ref.tenant_id, ref.id)
