"""Choose the items of a bulk operation in one statement, then change each as a single call would."""

import asyncio
import time
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.client import Client

from db import bulk_operations as statements
from db.bulk_operations import NextItem, OperationRow
from db.changes import read_resolution_failure
from db.engine import Database
from db.erasure import Subject, choose_activities, erase_person, erase_traces, removed_items_statement
from db.failures import concerns_row, kind
from db.listing import PLANNED_ANEW
from db.rows import fetch_rows
from db.snapshots import paused_at
from runs.bulk_recovery import finish_operation
from runs.change import Accepted, Applied, Changes, Outcome, Rejected, Withdrawn
from runs.erasure import Erasure, delete_rejected_runs
from runs.lead import Lead
from runs.patience import BULK_ITEM_PATIENCE
from workflows.activities import BulkOperationActivities
from workflows.bulk import (
    MOST_ITEMS,
    BulkChange,
    BulkOperation,
    BulkState,
    BulkVerb,
    Chunk,
    ChunkDone,
    Finish,
    ItemOutcome,
    ItemResult,
    change_key,
)
from workflows.limits import LONGEST_WAIT
from workflows.messages import Apply, Cancel, Reschedule, RetryResolution

TURN_SECONDS = 1
"""The longest turn of a change. All operations of this process change one activity at a time: two would change
hardly more in a second, and delay the creations of all tenants. A change that waits longer for its run goes on while
others have their turns."""
BEGINNING_SECONDS = 4
"""The time after which a step begins no further item, so that it ends soon although changes take long."""


_CHOOSING_TAKES_LONG = text(
    "SELECT set_config('statement_timeout', '120s', true), set_config('transaction_timeout', '150s', true)"
)
"""It writes no activity, so that readers that follow changes miss none."""


class BulkOperations(BulkOperationActivities):
    """The steps of bulk operations. A second run finds in the table what the first has done."""

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._changes = Changes(client, database, lead)
        self._erasure = Erasure(client, database, self._changes)
        self._lead = lead
        self._turn, self._choosing = asyncio.Lock(), asyncio.Lock()

    @activity.defn
    async def collect(self, operation: BulkOperation) -> None:
        """Write all of the operation's items in one transaction, unless they are written already or it was stopped.

        An operation for which more activities are found than it may change is written as REJECTED, without items. Its
        row is locked last, so that a stop never waits for the choice.
        """
        async with self._database.autocommit.connect() as connection:  # for a run that was started by hand
            await connection.execute(statements.operation_insert_statement(operation, BulkState.COLLECTING))
        # One choice at a time, because one of 100,000 activities keeps a processor busy for seconds.
        async with self._choosing, self._database.transactions.begin() as connection:
            if (await connection.execute(statements.state_statement(operation))).scalar_one() != BulkState.COLLECTING:
                return
            await connection.execute(_CHOOSING_TAKES_LONG)
            if operation.change.verb is BulkVerb.ERASE:
                await _begin_erasure(connection, operation)
                return
            await connection.execute(PLANNED_ANEW)
            paused = (await connection.execute(select(paused_at(operation.tenant_id)))).scalar_one()
            choosing = await connection.begin_nested()
            chosen = await connection.execute(statements.items_insert_statement(operation, paused))
            is_within_bound = chosen.scalar_one() <= operation.at_most
            if is_within_bound and (await connection.execute(statements.run_statement(operation))).first():
                return
            await choosing.rollback()
            if is_within_bound:
                return
            detail = (
                f"More than {operation.at_most:,} activities matched the filter when they were chosen, so nothing was"
                " changed. Count them by `dry_run`, then send a new operation with that number as `confirm_total`."
            )
            await connection.execute(statements.reject_statement(operation, detail))

    @activity.defn
    async def change_some(self, chunk: Chunk) -> ChunkDone:
        """Change the next items, begun at even intervals, and note the outcome of each.

        The tenant's running operations share its rate: each begins as many a second as `per_second` divided by their
        number.
        """
        async with self._database.autocommit.connect() as connection:
            operation = await statements.find_operation(connection, chunk.tenant_id, chunk.id)
            if operation is None:
                return ChunkDone(state=BulkState.COLLECTING)
            items = await fetch_rows(connection, NextItem, statements.next_items_statement(chunk))
            running = await connection.execute(statements.running_count_statement(chunk.tenant_id))
        interval = max(1, running.scalar_one()) / chunk.per_second
        done, until = 0, time.monotonic() + BEGINNING_SECONDS
        async with asyncio.TaskGroup() as group:
            while done < len(items) and (done == 0 or time.monotonic() < until):
                next_at = time.monotonic() + interval
                if await self._begin(group, chunk, operation, items[done]):
                    await asyncio.sleep(max(0, next_at - time.monotonic()))
                done += 1
        if done < len(items) or done == chunk.size:
            return ChunkDone(after=items[done - 1].position)
        if operation.verb is BulkVerb.ERASE and await self._erase_rest(chunk, operation):
            return ChunkDone(after=items[-1].position if items else chunk.after)
        async with self._database.autocommit.connect() as connection:
            pending = await connection.execute(statements.pending_count_statement(chunk.tenant_id, chunk.id))
            # The state is read last: a restore may have taken the items away after it was read before.
            state = (await connection.execute(statements.state_statement(chunk))).scalar_one_or_none()
        return ChunkDone(pending=pending.scalar_one(), state=state or BulkState.COLLECTING)

    async def _erase_rest(self, chunk: Chunk, operation: OperationRow) -> bool:
        """Choose the activities that were created during the erasure; return False if there are none."""
        subject = Subject.of(operation)
        async with self._database.autocommit.connect() as connection:
            await connection.execute(removed_items_statement(chunk))
            if await choose_activities(connection, chunk, subject, MOST_ITEMS):
                return True
        if subject.user_id is None:
            await delete_rejected_runs(self._client, subject.tenant_id, subject.commerce_id)
        return False

    async def _begin(self, group: asyncio.TaskGroup, chunk: Chunk, operation: OperationRow, item: NextItem) -> bool:
        """Begin the change of an item in its turn; return False if it is not to be changed."""
        async with self._turn:
            round_number = await self._claim(chunk, item)
            if round_number is None:  # the operation was stopped, or the item has an outcome meanwhile
                return False
            key = change_key(chunk.id, round_number)
            change = group.create_task(self._change_item(chunk, operation, item, key))
            await asyncio.wait({change}, timeout=TURN_SECONDS)
        return True

    async def _claim(self, chunk: Chunk, item: NextItem) -> int | None:
        """Claim the item; return the round of its change's key, or None if it is not to be changed."""
        async with self._database.autocommit.connect() as connection:
            claimed = await connection.execute(statements.claim_statement(chunk, item.position))
            round_number: int | None = claimed.scalar_one_or_none()
        return round_number

    async def _change_item(self, chunk: Chunk, operation: OperationRow, item: NextItem, key: str) -> None:
        try:
            result, is_open = await self._carry_out(chunk, operation, item, key), False
        except Exception as failure:
            if not concerns_row(failure):
                raise
            # The change may be written: the next round tries the same key again.
            result, is_open = ItemResult(outcome=ItemOutcome.PENDING, detail=kind(failure)), True
        outcome = statements.outcome_statement(chunk, item.position, result, is_open=is_open)
        async with self._database.autocommit.connect() as connection:
            await connection.execute(outcome)

    async def _carry_out(self, chunk: Chunk, operation: OperationRow, item: NextItem, key: str) -> ItemResult:
        wanted = BulkChange.model_validate(operation.change)
        change = self._build_change(wanted, operation, item)
        if isinstance(change, Reschedule) and _is_too_far_ahead(change):
            detail = "The new time would lie more than 10 years ahead."
            return ItemResult(outcome=ItemOutcome.REFUSED, code="validation_failed", detail=detail)
        apply = Apply(tenant_id=chunk.tenant_id, id=item.activity_id, key=key, actor=operation.actor, change=change)
        if wanted.verb is BulkVerb.ERASE:
            return await self._erasure.erase(apply, item, cancel_open=bool(wanted.cancel_open))
        patience = BULK_ITEM_PATIENCE.total_seconds()
        outcome = await self._changes.carry_out(apply, item.idempotency_key, item.status, patience)
        if isinstance(change, RetryResolution) and isinstance(outcome, Applied):
            return ItemResult(outcome=ItemOutcome.APPLIED, detail=await self._read_failure(apply))
        return _as_item_result(outcome)

    async def _read_failure(self, apply: Apply) -> str | None:
        """Return what a retry of the resolution could not resolve either; None if the activity became READY."""
        async with self._database.autocommit.connect() as connection:
            return await read_resolution_failure(connection, apply)

    def _build_change(
        self, wanted: BulkChange, operation: OperationRow, item: NextItem
    ) -> Cancel | Reschedule | RetryResolution:
        if wanted.verb in {BulkVerb.CANCEL, BulkVerb.ERASE}:
            return Cancel(reason=wanted.reason, request_id=operation.request_id)
        if wanted.verb is BulkVerb.RETRY_RESOLUTION:
            return RetryResolution(request_id=operation.request_id)
        new_time = wanted.new_time(item.scheduled_at)
        return Reschedule(
            reason=wanted.reason,
            scheduled_at=new_time,
            lead_seconds=self._lead.before(new_time),
            request_id=operation.request_id,
        )

    @activity.defn
    async def finish(self, finish: Finish) -> BulkState:
        """Write the end of the operation, unless it is written already; return the state that is written."""
        return await finish_operation(self._client, self._database, finish)


async def _begin_erasure(connection: AsyncConnection, operation: BulkOperation) -> None:
    """Erase the rows of the commerce or user, and choose its activities, unless the operation was stopped."""
    subject = Subject.of_input(operation)
    await erase_person(connection, subject)
    await erase_traces(connection, subject)
    await choose_activities(connection, operation, subject, MOST_ITEMS)
    if (await connection.execute(statements.run_statement(operation))).first() is None:
        await connection.rollback()


def _is_too_far_ahead(change: Reschedule) -> bool:
    return change.scheduled_at is not None and change.scheduled_at > datetime.now(UTC) + LONGEST_WAIT


def _as_item_result(outcome: Outcome) -> ItemResult:
    """Translate the outcome of one change; a withdrawn one is PENDING, to be tried again under another key."""
    match outcome:
        case Applied():
            return ItemResult(outcome=ItemOutcome.APPLIED)
        case Accepted():
            return ItemResult(outcome=ItemOutcome.ACCEPTED, detail="Accepted durably; it will be carried out.")
        case Rejected(rejection):
            return ItemResult(outcome=ItemOutcome.REFUSED, code=rejection.code, detail=rejection.detail)
        case Withdrawn(detail):
            return ItemResult(outcome=ItemOutcome.PENDING, detail=detail)
