"""The statements behind bulk operations: choose the items at one moment, read the next ones, record outcomes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, Update, and_, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.listing import Listed
from db.models import BulkOperationItem, ScheduledActivity
from db.rows import CLOCK, Columns, Rows, address
from workflows.bulk import BulkOperation, BulkState, BulkVerb, Chunk, Finish, ItemOutcome, ItemResult
from workflows.words import ActivityStatus

CONFIRM_ABOVE = 1000
"""The most activities that are changed without `confirm_total`, unless the tenant has set another number."""


class OperationRow(NamedTuple):
    """A bulk operation, with the number of its items by outcome."""

    tenant_id: UUID
    id: UUID
    verb: BulkVerb
    change: Columns
    filter: Columns
    actor: str
    per_second: int
    state: BulkState
    confirm_total: int | None
    detail: str | None
    created_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]


class NextItem(NamedTuple):
    """An item that is still to be changed, with what is needed to find its run."""

    position: int
    activity_id: UUID
    scheduled_at: datetime
    idempotency_key: str
    status: ActivityStatus


def operation_insert_statement(operation: BulkOperation) -> Insert:
    """Build an INSERT of the operation; returns its id, or no row if it was recorded before."""
    return (
        upsert(models.BulkOperation)
        .values(
            tenant_id=operation.tenant_id,
            id=operation.id,
            verb=operation.change.verb,
            change=operation.change.model_dump(mode="json"),
            filter=operation.filter.model_dump(mode="json", exclude_defaults=True),
            actor=operation.actor,
            per_second=operation.per_second,
            state=BulkState.RUNNING,
            confirm_total=operation.confirm_total,
        )
        .on_conflict_do_nothing()
        .returning(models.BulkOperation.id)
    )


def items_insert_statement(operation: BulkOperation, paused: datetime | None) -> Rows:
    """Build an INSERT of the activities that the operation's filter matches now, the soonest first.

    It returns their number. One more than the operation may change is inserted, so that the caller sees an excess and
    rolls back: a statement that counted first would count at another moment.
    """
    listed = Listed(operation.tenant_id, operation.filter, paused)
    found = listed.ids_statement(operation.at_most + 1).subquery("chosen")
    position = func.row_number().over(order_by=(found.c.at, found.c.id))
    values = {
        "tenant_id": literal(operation.tenant_id),
        "operation_id": literal(operation.id),
        "position": position,
        "activity_id": found.c.id,
        "scheduled_at": found.c.at,
        "outcome": literal(ItemOutcome.PENDING.value),
    }
    items = insert(BulkOperationItem).from_select(list(values), select(*values.values()))
    inserted = items.returning(BulkOperationItem.position).cte("inserted")
    return select(func.count()).select_from(inserted)


def reject_statement(operation: BulkOperation, detail: str) -> Update:
    """Build an UPDATE that ends an operation for which nothing was chosen."""
    return (
        update(models.BulkOperation)
        .where(_is_operation(operation.tenant_id, operation.id))
        .values(state=BulkState.REJECTED, detail=detail, finished_at=CLOCK)
    )


async def read_confirm_above(connection: AsyncConnection, tenant_id: UUID) -> int:
    """Return the number of activities above which the tenant's operations need `confirm_total`."""
    statement = select(models.BulkSettings.confirm_above).where(models.BulkSettings.tenant_id == tenant_id)
    confirm_above: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return CONFIRM_ABOVE if confirm_above is None else confirm_above


def next_items_statement(chunk: Chunk) -> Rows:
    """Select the `NextItem`s of a chunk; no row once the operation was stopped."""
    item = BulkOperationItem
    is_running = exists().where(
        _is_operation(chunk.tenant_id, chunk.id), models.BulkOperation.state == BulkState.RUNNING
    )
    return (
        select(
            item.position,
            item.activity_id,
            item.scheduled_at,
            ScheduledActivity.idempotency_key,
            ScheduledActivity.status,
        )
        .join(ScheduledActivity, address(item.tenant_id, item.activity_id))
        .where(
            _is_item_of(chunk.tenant_id, chunk.id),
            item.outcome == ItemOutcome.PENDING,
            item.position > chunk.after,
            is_running,
        )
        .order_by(item.position)
        .limit(chunk.size)
    )


def outcome_statement(chunk: Chunk, position: int, result: ItemResult) -> Update:
    """Build an UPDATE that records the outcome of one item. A recorded outcome is never overwritten."""
    return (
        update(BulkOperationItem)
        .where(
            _is_item_of(chunk.tenant_id, chunk.id),
            BulkOperationItem.position == position,
            BulkOperationItem.outcome == ItemOutcome.PENDING,
        )
        .values(**result.model_dump(), changed_at=CLOCK)
    )


def pending_count_statement(tenant_id: UUID, operation_id: UUID) -> Rows:
    """Select the number of items without an outcome."""
    is_pending = BulkOperationItem.outcome == ItemOutcome.PENDING
    return select(func.count()).select_from(BulkOperationItem).where(_is_item_of(tenant_id, operation_id), is_pending)


def finish_statement(finish: Finish) -> Rows:
    """Build an UPDATE that ends a running operation; its items without an outcome have failed."""
    ended = (
        update(models.BulkOperation)
        .where(_is_operation(finish.tenant_id, finish.id), models.BulkOperation.state == BulkState.RUNNING)
        .values(state=finish.state, finished_at=CLOCK)
        .returning(models.BulkOperation.tenant_id, models.BulkOperation.id, models.BulkOperation.state)
        .cte("ended")
    )
    failed = (
        update(BulkOperationItem)
        .where(
            BulkOperationItem.tenant_id == ended.c.tenant_id,
            BulkOperationItem.operation_id == ended.c.id,
            BulkOperationItem.outcome == ItemOutcome.PENDING,
            ended.c.state == BulkState.COMPLETED,
        )
        .values(outcome=ItemOutcome.FAILED, changed_at=CLOCK)
        .cte("failed")
    )
    return select(ended.c.id).add_cte(failed)


def operation_statement(tenant_id: UUID, operation_id: UUID) -> Rows:
    """Select the `OperationRow` of an operation."""
    counts = (
        select(BulkOperationItem.outcome, func.count().label("number"))
        .where(_is_item_of(tenant_id, operation_id))
        .group_by(BulkOperationItem.outcome)
        .subquery("counts")
    )
    by_outcome = select(func.jsonb_object_agg(counts.c.outcome, counts.c.number)).scalar_subquery()
    return select(models.BulkOperation.__table__, func.coalesce(by_outcome, literal({}, JSONB)).label("counts")).where(
        _is_operation(tenant_id, operation_id)
    )


def items_statement(tenant_id: UUID, operation_id: UUID, outcome: ItemOutcome | None) -> Rows:
    """Select the operation's items in their order; with an `outcome`, those that have it."""
    statement = select(BulkOperationItem.__table__).where(_is_item_of(tenant_id, operation_id))
    if outcome is not None:
        statement = statement.where(BulkOperationItem.outcome == outcome)
    return statement.order_by(BulkOperationItem.position)


def _is_operation(tenant_id: UUID, operation_id: UUID) -> ColumnElement[bool]:
    return and_(models.BulkOperation.tenant_id == tenant_id, models.BulkOperation.id == operation_id)


def _is_item_of(tenant_id: UUID, operation_id: UUID) -> ColumnElement[bool]:
    return and_(BulkOperationItem.tenant_id == tenant_id, BulkOperationItem.operation_id == operation_id)
