"""The statements behind bulk operations: choose the items at one moment, take the next ones, write down outcomes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, Select, Update, and_, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from db.listing import Listed
from db.models import BulkOperation as Row
from db.models import BulkOperationItem, ScheduledActivity
from workflows.bulk import BulkOperation, BulkState, Chunk, Finish, ItemOutcome, ItemResult

ITEMS = 100_000
"""How many activities one operation takes at most."""


def start(operation: BulkOperation) -> Any:
    """Write the operation down; answers its id, unless it had been."""
    return (
        upsert(Row)
        .values(
            tenant_id=operation.tenant_id,
            id=operation.id,
            verb=operation.change.verb,
            change=operation.change.model_dump(mode="json"),
            filter=operation.filter.model_dump(mode="json", exclude_defaults=True),
            actor=operation.actor,
            per_second=operation.per_second,
            state=BulkState.RUNNING,
        )
        .on_conflict_do_nothing()
        .returning(Row.id)
    )


def choose(operation: BulkOperation, paused: datetime | None) -> Insert:
    """Its items, the soonest first, as they are at this moment."""
    found = Listed(operation.tenant_id, operation.filter, paused).ids(ITEMS).subquery("chosen")
    position = func.row_number().over(order_by=(found.c.at, found.c.id))
    values = {
        "tenant_id": literal(operation.tenant_id),
        "operation_id": literal(operation.id),
        "position": position,
        "activity_id": found.c.id,
        "scheduled_at": found.c.at,
        "outcome": literal(ItemOutcome.PENDING.value),
    }
    return insert(BulkOperationItem).from_select(list(values), select(*values.values()))


def next_items(chunk: Chunk) -> Select[*tuple[Any, ...]]:
    """Those that are to be changed next, with what is needed to find their runs; none once it was stopped."""
    item = BulkOperationItem
    return (
        select(
            item.position,
            item.activity_id,
            item.scheduled_at,
            ScheduledActivity.idempotency_key,
            ScheduledActivity.status,
        )
        .join(
            ScheduledActivity,
            and_(ScheduledActivity.tenant_id == item.tenant_id, ScheduledActivity.id == item.activity_id),
        )
        .where(
            _of(chunk.tenant_id, chunk.id),
            item.outcome == ItemOutcome.PENDING,
            item.position > chunk.after,
            exists().where(Row.tenant_id == chunk.tenant_id, Row.id == chunk.id, Row.state == BulkState.RUNNING),
        )
        .order_by(item.position)
        .limit(chunk.size)
    )


def note(chunk: Chunk, position: int, result: ItemResult) -> Update:
    """What became of one item; an outcome is never overwritten by another."""
    return (
        update(BulkOperationItem)
        .where(
            _of(chunk.tenant_id, chunk.id),
            BulkOperationItem.position == position,
            BulkOperationItem.outcome == ItemOutcome.PENDING,
        )
        .values(**result.model_dump(), changed_at=func.clock_timestamp())
    )


def count_pending(tenant_id: UUID, operation_id: UUID) -> Select[Any]:
    """How many items still have no outcome."""
    pending = BulkOperationItem.outcome == ItemOutcome.PENDING
    return select(func.count()).select_from(BulkOperationItem).where(_of(tenant_id, operation_id), pending)


def end(finish: Finish) -> Select[Any]:
    """How it ended, once; what couldn't be changed in all its rounds has failed then."""
    ended = (
        update(Row)
        .where(Row.tenant_id == finish.tenant_id, Row.id == finish.id, Row.state == BulkState.RUNNING)
        .values(state=finish.state, finished_at=func.clock_timestamp())
        .returning(Row.tenant_id, Row.id, Row.state)
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
        .values(outcome=ItemOutcome.FAILED, changed_at=func.clock_timestamp())
        .cte("failed")
    )
    return select(ended.c.id).add_cte(failed)


def whole(tenant_id: UUID, operation_id: UUID) -> Select[Any]:
    """The operation, with its items counted by outcome."""
    counts = (
        select(BulkOperationItem.outcome, func.count().label("number"))
        .where(_of(tenant_id, operation_id))
        .group_by(BulkOperationItem.outcome)
        .subquery("counts")
    )
    by_outcome = select(func.jsonb_object_agg(counts.c.outcome, counts.c.number)).scalar_subquery()
    return select(Row.__table__, func.coalesce(by_outcome, literal({}, JSONB)).label("counts")).where(
        Row.tenant_id == tenant_id, Row.id == operation_id
    )


def items(tenant_id: UUID, operation_id: UUID, outcome: ItemOutcome | None) -> Select[Any]:
    """Its items in their order, or those with one outcome."""
    statement = select(BulkOperationItem.__table__).where(_of(tenant_id, operation_id))
    if outcome is not None:
        statement = statement.where(BulkOperationItem.outcome == outcome)
    return statement.order_by(BulkOperationItem.position)


def _of(tenant_id: UUID, operation_id: UUID) -> ColumnElement[bool]:
    return and_(BulkOperationItem.tenant_id == tenant_id, BulkOperationItem.operation_id == operation_id)
