"""Parts that statements about an activity's row share: its address, its guarded update, the event of a write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    RowMapping,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import OfScheduledActivity, ScheduledActivity, StatusEvent
from workflows.findings import Cursor
from workflows.tenant_limits import PAGE_BYTES
from workflows.words import ActivityStatus, EventType

Rows = Select[*tuple[Any, ...]]
"""A SELECT. Its docstring names the type of its rows, which `fetch_rows` takes."""
Columns = dict[str, Any]
"""Values by the name of their column."""
Expression = SQLColumnExpression[Any]
Key = UUID | Expression
"""A part of a primary key: a value, a parameter or a column."""
Typed = TypeVar("Typed")
CHANGED_AT: ColumnElement[datetime] = func.greatest(ScheduledActivity.updated_at, ScheduledActivity.marked_at)
"""The time of the last change that is written, as indices have it. A mark leaves `updated_at` as it is."""
CREATED_KEY = "created"
"""The key of the first event of an activity."""

NOW: ColumnElement[datetime] = func.statement_timestamp()
"""The time at which the statement began. Guards that an index serves use it, because it is constant in a statement.

A volatile clock in such a guard makes the planner read every row of the tenant.
"""

CLOCK: ColumnElement[datetime] = func.clock_timestamp()
"""The time at which the expression is evaluated. A statement that locks its row records the time after the wait by it.

By `NOW` such a statement would record the time before the wait, and the trail would be out of order.
"""

ADVISORY_LOCK = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock", type_=Text), 0))
"""Waits until no other transaction holds the lock that the parameter `lock` names; held until the commit.

It serializes transactions where no row stands for what they write.
"""
ADVISORY_LOCK_STATEMENT = select(ADVISORY_LOCK)


def lock_parameters(locked: str, tenant_id: UUID) -> Columns:
    """Return the parameters of the lock of something of a tenant, such as "commerces"."""
    return {"lock": f"{locked} of {tenant_id}"}


Place = tuple[Expression, Expression, Expression]
"""The columns that rows are sorted by: a time, the tenant's id and the row's own id."""


def page_statement(rows: Rows, place: Place, after: Cursor | None, size: int) -> Rows:
    """Sort the rows by their place, and select the page behind the cursor."""
    if after:
        is_after = tuple_(*place) > tuple_(literal(after.at), literal(after.tenant_id), literal(after.id))
        rows = rows.where(place[0] >= after.at, is_after)  # the first condition is the one that an index serves
    return rows.order_by(*place).limit(size)


_NUMBER_OF_ROWS = "number_of_rows"


def bounded_statement(page: Rows) -> Rows:
    """Select the first rows of an ordered page: as many as have `PAGE_BYTES` as text, but at least one."""
    rows = page.subquery("page")
    length = func.octet_length(cast(literal_column("page"), Text))
    # An empty window has the order of the subquery, which PostgreSQL sorts before.
    sized = select(
        rows,
        func.sum(length).over(rows=(None, 0)).label("bytes"),
        func.row_number().over().label("place"),
        func.count().over().label(_NUMBER_OF_ROWS),
    ).subquery("sized")
    is_kept = or_(sized.c.bytes <= literal_column(str(PAGE_BYTES)), sized.c.place == literal_column("1"))
    return select(*(sized.c[name] for name in (*rows.c.keys(), _NUMBER_OF_ROWS))).where(is_kept).order_by(sized.c.place)


async def fetch_page(connection: AsyncConnection, page: Rows, size: int) -> tuple[Sequence[RowMapping], bool]:
    """Fetch the first rows of an ordered page, at most `size`; return them, and True if the page has more."""
    found = (await connection.execute(bounded_statement(page))).mappings().all()
    rows = found[:size]
    return rows, bool(found) and found[0][_NUMBER_OF_ROWS] > len(rows)


async def fetch_rows(
    connection: AsyncConnection, kind: Callable[..., Typed], statement: Executable, parameters: Columns | None = None
) -> list[Typed]:
    """Execute a statement and return its rows as `kind`, whose fields are the statement's columns."""
    found = await connection.execute(statement, parameters)
    return [build_row(kind, row) for row in found.mappings()]


async def fetch_row(
    connection: AsyncConnection, kind: Callable[..., Typed], statement: Executable, parameters: Columns | None = None
) -> Typed | None:
    """Execute a statement and return its only row as `kind`, or None if there is none."""
    row = (await connection.execute(statement, parameters)).mappings().one_or_none()
    return None if row is None else build_row(kind, row)


def build_row(kind: Callable[..., Typed], row: RowMapping) -> Typed:
    """Build a `kind` of a row, whose columns are its fields."""
    return kind(**{str(name): value for name, value in row.items() if name != _NUMBER_OF_ROWS})


def address(tenant_id: Key, activity_id: Key) -> ColumnElement[bool]:
    """Match the row of an activity, by its primary key."""
    return and_(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == activity_id)


def parts_of(table: type[OfScheduledActivity], tenant_id: Key, activity_id: Key) -> ColumnElement[bool]:
    """Match the rows of `table` that belong to an activity."""
    return and_(table.tenant_id == tenant_id, table.activity_id == activity_id)


ID_OF_CREATION: ColumnElement[str | None] = (
    select(StatusEvent.request_id)
    .where(
        parts_of(StatusEvent, ScheduledActivity.tenant_id, ScheduledActivity.id), StatusEvent.event_key == CREATED_KEY
    )
    .correlate(ScheduledActivity)
    .scalar_subquery()
)
"""The id of the request that has created the activity of a row."""


def row_lock(where: ColumnElement[bool], *returned: Expression) -> CTE:
    """Build a CTE that locks the rows and returns them as they are after the wait.

    PostgreSQL computes the new values of an UPDATE before it waits for the row. Values that depend on this CTE are
    computed after the wait. The lock is as strong as the UPDATE's own, so that foreign keys are checked meanwhile.
    """
    rows = select(ScheduledActivity.tenant_id, ScheduledActivity.id, *returned).where(where)
    return rows.with_for_update(key_share=True).cte("locked")


def guarded_update(where: ColumnElement[bool], values: Columns, *returned: Expression) -> CTE:
    """Build an UPDATE of the matching rows that counts their version up, as a CTE of the written rows.

    `where` refers to rows that are locked already: by `row_lock`, or by an earlier statement of the transaction.
    """
    return (
        update(ScheduledActivity)
        .where(where)
        .values({"version": ScheduledActivity.version + 1, "updated_at": CLOCK} | values)
        .returning(*ScheduledActivity.__table__.columns, *returned)
        .cte("written")
    )


class HasAddress(Protocol):
    """A value that names an activity: an `ActivityRef`, a row, or the input of a run."""

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant's id."""

    @property
    def id(self) -> UUID:
        """Return the activity's id."""


@dataclass(frozen=True)
class Event:
    """A line of the trail. The same `key` is never written twice for one activity.

    Each value is a constant or an expression over the written row. Without `to_status` it is the written row's.
    """

    type: EventType | ColumnElement[str]
    key: str | ColumnElement[str]
    to_status: ActivityStatus | None = None
    from_status: ActivityStatus | Expression | None = None
    actor: str | ColumnElement[str] | None = None
    request_id: str | ColumnElement[str] | None = None
    error_code: str | Expression | None = None
    error_message: str | Expression | None = None
    details: Columns | Expression | None = None
    occurred_at: ColumnElement[datetime] = CLOCK


def event_insert(row: CTE, event: Event) -> CTE:
    """Build an INSERT of the event for each row of a write, and of nothing where nothing was written."""
    said = {
        "event_key": event.key,
        "event_type": event.type,
        "from_status": event.from_status,
        "to_status": row.c.status if event.to_status is None else event.to_status,
        "error_code": event.error_code,
        "error_message": event.error_message,
        "actor": event.actor,
        "request_id": event.request_id,
        "details": event.details,
        "occurred_at": event.occurred_at,
    }
    values: dict[str, Expression] = {"tenant_id": row.c.tenant_id, "activity_id": row.c.id}
    values |= {name: _expression(name, value) for name, value in said.items() if value is not None}
    return insert(StatusEvent).from_select(list(values), select(*values.values())).cte("event")


def _expression(column: str, value: object) -> Expression:
    if isinstance(value, SQLColumnExpression):
        return value
    return literal(value.value if isinstance(value, StrEnum) else value, StatusEvent.__table__.c[column].type)


def in_contract_format(instant: Expression) -> ColumnElement[str]:
    """Return an instant as text, as the contract writes it: 2025-01-16T09:00:00.000Z."""
    return func.to_char(func.timezone("UTC", instant), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
