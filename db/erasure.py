"""The statements of an erasure: the personal data of a commerce, or of one of its users, and its activities."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Text,
    Update,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.bulk_operations import OperationRow, is_item_of
from db.models import (
    AuditEntry,
    BulkOperationItem,
    Commerce,
    CommerceUser,
    ContactLogEntry,
    OfScheduledActivity,
    ResolutionAttempt,
    ScheduledActivity,
    StatusEvent,
    Table,
    TargetUser,
)
from db.rows import CLOCK, Columns, HasAddress, Rows, address, parts_of
from workflows.bulk import BulkChange, BulkOperation, ItemOutcome, OperationRef
from workflows.hand_off import FINISHED
from workflows.words import AuditedResource

NO_ONE = "00000000-0000-0000-0000-000000000000"
"""The id that stands in explanations, reasons and trails for an erased user."""


class Subject(NamedTuple):
    """A commerce, or one of its users, whose personal data is erased."""

    tenant_id: UUID
    commerce_id: UUID
    user_id: UUID | None

    @classmethod
    def of(cls, operation: OperationRow) -> "Subject":
        """Return the subject of an operation that erases."""
        user_id = BulkChange.model_validate(operation.change).commerce_user_id
        return cls(operation.tenant_id, UUID(operation.filter["commerce_id"]), user_id)

    @classmethod
    def of_input(cls, operation: BulkOperation) -> "Subject":
        """Return the subject of an operation that erases, from the input of its run."""
        assert operation.filter.commerce_id is not None  # noqa: S101 - every such operation names a commerce
        return cls(operation.tenant_id, operation.filter.commerce_id, operation.change.commerce_user_id)


def lock_subject_statement(subject: Subject) -> Rows:
    """Lock the commerce, erased or not, as each change of its users does; no row if there is no such commerce or user.

    A change that has read a user would otherwise write after the erasure.
    """
    statement = select(Commerce.id).where(Commerce.tenant_id == subject.tenant_id, Commerce.id == subject.commerce_id)
    if subject.user_id is not None:
        statement = statement.where(exists().where(_is_user_of(subject)))
    return statement.with_for_update(key_share=True)


def open_count_statement(subject: Subject) -> Rows:
    """Count the subject's activities that are not closed."""
    open_ones = select(func.count()).select_from(ScheduledActivity)
    return open_ones.where(_is_about(subject), ScheduledActivity.status.not_in(FINISHED))


def person_statements(subject: Subject) -> list[Update]:
    """Build the UPDATEs that empty the rows of the subject: the commerce with all its users, or one user.

    The rows stay, because activities refer to them until they are removed, and so that an erasure can be repeated.
    """
    users = update(CommerceUser).where(_is_user_of(subject), CommerceUser.erased_at.is_(None))
    erase_users = users.values(
        external_id=literal("erased:") + cast(CommerceUser.id, Text),
        name="",
        roles=[],
        contacts=[],
        is_active=False,
        updated_at=CLOCK,
        erased_at=CLOCK,
    )
    if subject.user_id is not None:
        return [erase_users]
    commerce = update(Commerce).where(
        Commerce.tenant_id == subject.tenant_id, Commerce.id == subject.commerce_id, Commerce.erased_at.is_(None)
    )
    erase_commerce = commerce.values(
        external_id=literal("erased:") + cast(Commerce.id, Text),
        name="",
        tax_id=null(),
        global_external_id=null(),
        addresses=[],
        metadata_={},
        is_active=False,
        updated_at=CLOCK,
        erased_at=CLOCK,
    )
    return [erase_commerce, erase_users]


def contacts_delete_statement(subject: Subject) -> Delete:
    """Build a DELETE of the subject's entries of the contact log."""
    entry = ContactLogEntry
    statement = delete(entry).where(entry.tenant_id == subject.tenant_id, entry.commerce_id == subject.commerce_id)
    return statement if subject.user_id is None else statement.where(entry.commerce_user_id == subject.user_id)


def mentions_statements(subject: Subject) -> list[Update]:
    """Build the UPDATEs that take a user out of the explanations, reasons and trails of the commerce's activities."""
    if subject.user_id is None:
        return []
    is_mentioned, values = _replace_mention(subject, ScheduledActivity, "why")
    counted_up = {"version": ScheduledActivity.version + 1, "updated_at": CLOCK}  # clients and runs see the reason
    return [
        update(ScheduledActivity).where(_of_commerce(subject), is_mentioned).values(values | counted_up),
        _mentions_update(subject, TargetUser, "error_message"),
        _mentions_update(subject, ResolutionAttempt, "explanation"),
        _mentions_update(subject, StatusEvent, "details"),
        _mentions_update(subject, StatusEvent, "error_message"),
    ]


def _mentions_update(subject: Subject, table: type[OfScheduledActivity], name: str) -> Update:
    is_mentioned, values = _replace_mention(subject, table, name)
    of_activity = parts_of(table, ScheduledActivity.tenant_id, ScheduledActivity.id)
    return update(table).where(of_activity, _of_commerce(subject), is_mentioned).values(values)


def _replace_mention(subject: Subject, table: type[Table], name: str) -> tuple[ColumnElement[bool], Columns]:
    """Match the rows whose column mentions the user, and return its value without the mention."""
    column, user_id = table.__table__.c[name], str(subject.user_id)
    written = cast(column, Text)
    return written.contains(user_id), {name: cast(func.replace(written, user_id, NO_ONE), column.type)}


def _of_commerce(subject: Subject) -> ColumnElement[bool]:
    return and_(ScheduledActivity.tenant_id == subject.tenant_id, ScheduledActivity.commerce_id == subject.commerce_id)


def audit_statement(operation: BulkOperation, subject: Subject) -> Insert:
    """Build an INSERT of the entry that says whose personal data is erased, without the data."""
    after = {
        "commerce_id": str(subject.commerce_id),
        "commerce_user_id": str(subject.user_id) if subject.user_id else None,
        "cancel_open": operation.change.cancel_open,
        "operation_id": str(operation.id),
    }
    return insert(AuditEntry).values(
        tenant_id=subject.tenant_id,
        resource=AuditedResource.PERSONAL_DATA,
        resource_key=str(subject.user_id or subject.commerce_id),
        actor=operation.actor,
        after=after,
    )


def erased_items_insert_statement(ref: HasAddress, subject: Subject, limit: int) -> Rows:
    """Build an INSERT of the subject's activities that are not among the operation's items; returns their number."""
    item = BulkOperationItem
    of_operation = is_item_of(ref.tenant_id, ref.id)
    last = select(func.coalesce(func.max(item.position), 0)).where(of_operation).scalar_subquery()
    order = (ScheduledActivity.scheduled_at, ScheduledActivity.id)
    values: dict[str, Any] = {
        "tenant_id": ScheduledActivity.tenant_id,
        "operation_id": literal(ref.id),
        "position": last + func.row_number().over(order_by=order),
        "activity_id": ScheduledActivity.id,
        "scheduled_at": ScheduledActivity.scheduled_at,
        "outcome": literal(ItemOutcome.PENDING.value),
    }
    is_item = exists().where(of_operation, item.activity_id == ScheduledActivity.id)
    chosen = select(*values.values()).where(_is_about(subject), not_(is_item)).order_by(*order).limit(limit)
    inserted = insert(item).from_select(list(values), chosen).returning(item.position).cte("inserted")
    return select(func.count()).select_from(inserted)


def removed_items_statement(ref: OperationRef) -> Update:
    """Build an UPDATE that records the items without an outcome as APPLIED whose activities are removed."""
    item = BulkOperationItem
    is_there = exists().where(address(item.tenant_id, item.activity_id))
    return (
        update(item)
        .where(
            is_item_of(ref.tenant_id, ref.id),
            item.outcome == ItemOutcome.PENDING,
            not_(is_there),
        )
        .values(outcome=ItemOutcome.APPLIED, detail=null(), changed_at=CLOCK)
    )


def _is_about(subject: Subject) -> ColumnElement[bool]:
    """Match the activities of the commerce, or those of them that are aimed at the user."""
    of_commerce = _of_commerce(subject)
    if subject.user_id is None:
        return of_commerce
    is_target = exists().where(
        parts_of(TargetUser, ScheduledActivity.tenant_id, ScheduledActivity.id),
        TargetUser.commerce_user_id == subject.user_id,
    )
    return and_(of_commerce, is_target)


def _is_user_of(subject: Subject) -> ColumnElement[bool]:
    users = and_(CommerceUser.tenant_id == subject.tenant_id, CommerceUser.commerce_id == subject.commerce_id)
    return users if subject.user_id is None else and_(users, CommerceUser.id == subject.user_id)


async def erase_person(connection: AsyncConnection, subject: Subject) -> None:
    """Empty the rows of the subject. From then on no resolution finds them, and no activity is created for them."""
    for statement in person_statements(subject):
        await connection.execute(statement)


async def erase_traces(connection: AsyncConnection, subject: Subject) -> None:
    """Delete the subject's contact log, and take it out of what stays of other activities."""
    for statement in (contacts_delete_statement(subject), *mentions_statements(subject)):
        await connection.execute(statement)


async def choose_activities(connection: AsyncConnection, ref: HasAddress, subject: Subject, limit: int) -> int:
    """Add the subject's activities to the operation's items, those that were created meanwhile; return their number."""
    return int((await connection.execute(erased_items_insert_statement(ref, subject, limit))).scalar_one())
