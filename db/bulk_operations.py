"""The statements behind bulk operations: choose the items at one moment, read the next ones, record outcomes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    not_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from db import models
from db.listing import Listed
from db.models import BulkOperationItem, ScheduledActivity, TenantQuota
from db.rows import CLOCK, NOW, Columns, HasAddress, Key, Rows, address, fetch_row, lock_parameters
from workflows.bulk import (
    RUNNING_STATES,
    BulkOperation,
    BulkState,
    BulkVerb,
    Chunk,
    Finish,
    ItemOutcome,
    ItemResult,
    OperationRef,
)
from workflows.tenant_limits import QUEUED_OPERATIONS, RUNNING_OPERATIONS, Quota
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
    request_id: str | None
    per_second: int
    state: BulkState
    confirm_total: int | None
    detail: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int]
    queue_position: int | None


class BegunItem(NamedTuple):
    """An item whose change was begun and has no outcome yet."""

    position: int
    activity_id: UUID
    claimed_round: int


class NextItem(NamedTuple):
    """An item that is still to be changed, with what is needed to find its run."""

    position: int
    activity_id: UUID
    scheduled_at: datetime
    idempotency_key: str
    status: ActivityStatus


def queue_lock(tenant_id: UUID) -> Columns:
    """Return the parameters of the lock under which the tenant's operations are accepted, begun and stopped."""
    return lock_parameters("bulk operations", tenant_id)


def operation_insert_statement(operation: BulkOperation, state: BulkState = BulkState.QUEUED) -> Insert:
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
            request_id=operation.request_id,
            per_second=operation.per_second,
            state=state,
            confirm_total=operation.confirm_total,
            created_at=CLOCK,  # after the wait for the lock, so that it is the order of acceptance
        )
        .on_conflict_do_nothing()
        .returning(models.BulkOperation.id)
    )


def begin_statement(tenant_id: UUID) -> ReturningUpdate[Any]:
    """Build an UPDATE that begins the tenant's first queued operations, as many as may run; returns their ids."""
    operation = models.BulkOperation
    running = select(func.count()).where(operation.tenant_id == tenant_id, IS_RUNNING).scalar_subquery()
    free = func.greatest(own_quota(tenant_id, RUNNING_OPERATIONS) - running, 0)
    queued = select(operation.id).where(operation.tenant_id == tenant_id, IS_QUEUED)
    first = queued.order_by(operation.created_at, operation.id).limit(free)
    return (
        update(operation)
        .where(operation.tenant_id == tenant_id, operation.id.in_(first))
        .values(state=BulkState.COLLECTING, started_at=NOW)
        .returning(operation.id)
    )


def is_queue_full_statement(tenant_id: UUID, more: int) -> Rows:
    """Select True if the tenant has more queued operations than it may have, or would have with so many more."""
    operation = models.BulkOperation
    queued = select(func.count()).where(operation.tenant_id == tenant_id, IS_QUEUED).scalar_subquery()
    return select(queued + more > own_quota(tenant_id, QUEUED_OPERATIONS))


def collecting_statement(tenant_id: UUID) -> Rows:
    """Select the ids of the tenant's operations that have begun and have not chosen their activities yet."""
    operation = models.BulkOperation
    is_collecting = operation.state == BulkState.COLLECTING
    ids = select(operation.id).where(operation.tenant_id == tenant_id, IS_OPEN, is_collecting)
    return ids.order_by(operation.created_at, operation.id)


def own_quota(tenant_id: Key, quota: Quota) -> ColumnElement[int]:
    """Return the tenant's own number, or the default, as an expression."""
    own = select(TenantQuota.value).where(TenantQuota.tenant_id == tenant_id, TenantQuota.name == quota.name)
    return func.coalesce(own.correlate(models.BulkOperation).scalar_subquery(), quota.default)


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
    # A step that runs twice at once waits here for the first, which has then changed the operation's state.
    items = upsert(BulkOperationItem).from_select(list(values), select(*values.values())).on_conflict_do_nothing()
    inserted = items.returning(BulkOperationItem.position).cte("inserted")
    return select(func.count()).select_from(inserted)


def run_statement(operation: BulkOperation) -> ReturningUpdate[Any]:
    """Build an UPDATE of an operation whose items are chosen; returns no row if it was stopped meanwhile."""
    return (
        update(models.BulkOperation)
        .where(_is_operation(operation.tenant_id, operation.id), models.BulkOperation.state == BulkState.COLLECTING)
        .values(state=BulkState.RUNNING)
        .returning(models.BulkOperation.id)
    )


def reject_statement(operation: HasAddress, detail: str) -> Update:
    """Build an UPDATE that ends an operation for which nothing was chosen."""
    return (
        update(models.BulkOperation)
        .where(_is_operation(operation.tenant_id, operation.id), models.BulkOperation.state == BulkState.COLLECTING)
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
            is_item_of(chunk.tenant_id, chunk.id),
            item.outcome == ItemOutcome.PENDING,
            item.position > chunk.after,
            is_running,
        )
        .order_by(item.position)
        .limit(chunk.size)
    )


def claim_statement(chunk: Chunk, position: int) -> ReturningUpdate[Any]:
    """Build an UPDATE that claims an item before its change is begun; returns the round of the change's key.

    No row is returned once the operation is not RUNNING. Its row is locked against a stop, which therefore sees every
    item that was claimed before. An item that a dead worker has claimed keeps its round, because it may be changed.
    """
    running = (
        select(models.BulkOperation.id)
        .where(_is_operation(chunk.tenant_id, chunk.id), models.BulkOperation.state == BulkState.RUNNING)
        .with_for_update(read=True)
        .cte("running")
    )
    item = BulkOperationItem
    return (
        update(item)
        .where(
            is_item_of(chunk.tenant_id, chunk.id),
            item.position == position,
            item.outcome == ItemOutcome.PENDING,
            exists(select(running.c.id)),
        )
        .values(claimed_round=case((_is_begun(), item.claimed_round), else_=chunk.round), changed_at=None)
        .returning(item.claimed_round)
    )


def outcome_statement(ref: OperationRef, position: int, result: ItemResult, *, is_open: bool = False) -> Update:
    """Build an UPDATE that records the result for one item; with `is_open` the change may still be carried out.

    A recorded outcome is never overwritten.
    """
    return (
        update(BulkOperationItem)
        .where(
            is_item_of(ref.tenant_id, ref.id),
            BulkOperationItem.position == position,
            BulkOperationItem.outcome == ItemOutcome.PENDING,
        )
        .values(**result.model_dump(), changed_at=None if is_open else CLOCK)
    )


def begun_items_statement(ref: OperationRef) -> Rows:
    """Select the `BegunItem`s of an operation."""
    item = BulkOperationItem
    return select(item.position, item.activity_id, item.claimed_round).where(
        is_item_of(ref.tenant_id, ref.id), _is_begun()
    )


def running_count_statement(tenant_id: UUID) -> Rows:
    """Select the number of the tenant's operations that change activities now; they share its rate."""
    is_changing = models.BulkOperation.state == BulkState.RUNNING
    return select(func.count()).where(models.BulkOperation.tenant_id == tenant_id, IS_OPEN, is_changing)


def last_round_statement(ref: OperationRef) -> Rows:
    """Select the last round in which an item of the operation was begun, or 0."""
    last = func.coalesce(func.max(BulkOperationItem.claimed_round), 0)
    return select(last).where(is_item_of(ref.tenant_id, ref.id))


def end_unbegun_statement(ref: OperationRef, *states: BulkState) -> Update:
    """Build an UPDATE that ends an operation in one of these states, in which it has begun no change."""
    return (
        update(models.BulkOperation)
        .where(_is_operation(ref.tenant_id, ref.id), models.BulkOperation.state.in_(states))
        .values(state=BulkState.STOPPED, finished_at=CLOCK)
    )


def stop_statement(ref: OperationRef) -> Update:
    """Build an UPDATE after which no item of the operation is begun any more."""
    return (
        update(models.BulkOperation)
        .where(_is_operation(ref.tenant_id, ref.id), models.BulkOperation.state == BulkState.RUNNING)
        .values(state=BulkState.STOPPING)
    )


def end_stop_statement(ref: OperationRef) -> Update:
    """Build an UPDATE that ends a STOPPING operation once all changes that were begun have an outcome."""
    begun = exists().where(is_item_of(ref.tenant_id, ref.id), _is_begun())
    return (
        update(models.BulkOperation)
        .where(_is_operation(ref.tenant_id, ref.id), models.BulkOperation.state == BulkState.STOPPING, not_(begun))
        .values(state=BulkState.STOPPED, finished_at=CLOCK)
    )


def state_statement(ref: HasAddress) -> Rows:
    """Select the state of an operation."""
    return select(models.BulkOperation.state).where(_is_operation(ref.tenant_id, ref.id))


def pending_count_statement(tenant_id: UUID, operation_id: UUID) -> Rows:
    """Select the number of items without an outcome."""
    is_pending = BulkOperationItem.outcome == ItemOutcome.PENDING
    return select(func.count()).select_from(BulkOperationItem).where(is_item_of(tenant_id, operation_id), is_pending)


def finish_statement(finish: Finish) -> Rows:
    """Build an UPDATE that ends an open operation. A STOPPING one is STOPPED, whatever was asked for.

    The items of a COMPLETED operation that have no outcome have failed.
    """
    operation = models.BulkOperation
    ended = (
        update(models.BulkOperation)
        .where(_is_operation(finish.tenant_id, finish.id), IS_RUNNING)
        .values(
            state=case((operation.state == BulkState.STOPPING, BulkState.STOPPED.value), else_=finish.state.value),
            detail=finish.detail,
            finished_at=CLOCK,
        )
        .returning(operation.tenant_id, operation.id, operation.state)
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
        .where(is_item_of(tenant_id, operation_id))
        .group_by(BulkOperationItem.outcome)
        .subquery("counts")
    )
    by_outcome = select(func.jsonb_object_agg(counts.c.outcome, counts.c.number)).scalar_subquery()
    return select(
        models.BulkOperation.__table__,
        func.coalesce(by_outcome, literal({}, JSONB)).label("counts"),
        _queue_position(tenant_id),
    ).where(_is_operation(tenant_id, operation_id))


def operations_statement(tenant_id: UUID, states: Sequence[BulkState] = (), verb: BulkVerb | None = None) -> Rows:
    """Select the tenant's operations, the latest first, with the number of their items as `total`.

    The number is the last item's position: to count the items of a page of operations would read millions.
    """
    operation = models.BulkOperation
    last = select(func.max(BulkOperationItem.position)).where(is_item_of(tenant_id, operation.id))
    total = func.coalesce(last.correlate(operation).scalar_subquery(), 0).label("total")
    statement = select(operation.__table__, total, _queue_position(tenant_id)).where(operation.tenant_id == tenant_id)
    if states:
        statement = statement.where(operation.state.in_(states))
    if verb is not None:
        statement = statement.where(operation.verb == verb)
    return statement.order_by(operation.created_at.desc(), operation.id.desc())


def _queue_position(tenant_id: UUID) -> ColumnElement[int | None]:
    """Return the place of an operation among the tenant's QUEUED ones, or null, as an expression."""
    queued = aliased(models.BulkOperation)
    is_not_behind = tuple_(queued.created_at, queued.id) <= tuple_(
        models.BulkOperation.created_at, models.BulkOperation.id
    )
    position = (
        select(func.nullif(func.count(), 0))
        .where(queued.tenant_id == tenant_id, queued.state == literal_column("'QUEUED'"), is_not_behind, IS_QUEUED)
        .correlate(models.BulkOperation)
    )
    return position.scalar_subquery().label("queue_position")


async def find_operation(connection: AsyncConnection, tenant_id: UUID, operation_id: UUID) -> OperationRow | None:
    """Return an operation, or None if it has no row: PostgreSQL was restored to a time before it was accepted."""
    return await fetch_row(connection, OperationRow, operation_statement(tenant_id, operation_id))


async def read_operation(connection: AsyncConnection, tenant_id: UUID, operation_id: UUID) -> OperationRow:
    """Return an operation whose row was read before."""
    row = await find_operation(connection, tenant_id, operation_id)
    assert row is not None  # noqa: S101 - operations are never deleted
    return row


def items_statement(tenant_id: UUID, operation_id: UUID, outcome: ItemOutcome | None) -> Rows:
    """Select the operation's items in their order; with an `outcome`, those that have it."""
    statement = select(BulkOperationItem.__table__).where(is_item_of(tenant_id, operation_id))
    if outcome is not None:
        statement = statement.where(BulkOperationItem.outcome == outcome)
    return statement.order_by(BulkOperationItem.position)


IS_QUEUED = models.BulkOperation.state == literal_column("'QUEUED'")
IS_RUNNING = models.BulkOperation.state.in_([literal_column(f"'{state}'") for state in RUNNING_STATES])
IS_OPEN = models.BulkOperation.state.in_(
    [literal_column(f"'{state}'") for state in (BulkState.QUEUED, *RUNNING_STATES)]
)
"""Literals, not parameters, so that the planner recognizes the partial index of open operations."""


def _is_begun() -> ColumnElement[bool]:
    """Match items whose change was begun and has no outcome yet."""
    item = BulkOperationItem
    return and_(item.outcome == ItemOutcome.PENDING, item.claimed_round.is_not(None), item.changed_at.is_(None))


def _is_operation(tenant_id: UUID, operation_id: UUID) -> ColumnElement[bool]:
    return and_(models.BulkOperation.tenant_id == tenant_id, models.BulkOperation.id == operation_id)


def is_item_of(tenant_id: UUID, operation_id: Key) -> ColumnElement[bool]:
    """Match the items of an operation."""
    return and_(BulkOperationItem.tenant_id == tenant_id, BulkOperationItem.operation_id == operation_id)
