"""/api/operations: list, read and stop bulk operations."""

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field, JsonValue, field_validator
from sqlalchemy import RowMapping
from temporalio.service import RPCError

from api.http.auth import Caller, Permission
from api.http.dependencies import CanView, Opened, Resources
from api.http.errors import NotFound, PermissionDenied, problem_responses
from api.http.fields import Answer, Instant, format_times
from api.http.pages import Page, PageQuery, as_list, read_page
from db import bulk_operations as statements
from db.rows import ADVISORY_LOCK_STATEMENT
from runs.ask import ENDED_FROM_OUTSIDE
from runs.bulk import find_bulk_run
from runs.patience import BULK_STOP_PATIENCE
from workflows.bulk import BulkOperation, BulkState, BulkVerb, ItemOutcome, OperationRef

router = APIRouter(prefix="/api/operations", tags=["many at once"])

BETWEEN_LOOKS_SECONDS = 0.2
UNCHOSEN = (BulkState.QUEUED, BulkState.COLLECTING)
PASSING = (BulkState.COLLECTING, BulkState.RUNNING, BulkState.STOPPING)
"""A stop waits in these states: until the activities are chosen, so that its answer counts them, and until every change
that was begun has an outcome. RUNNING is read if they were chosen after the stop was written: it is written again."""
ListedStates = Annotated[list[BulkState], BeforeValidator(as_list), Field(max_length=len(BulkState))]
PERMISSIONS = {
    BulkVerb.CANCEL: Permission.CANCEL_ACTIVITY,
    BulkVerb.RESCHEDULE: Permission.CREATE_ACTIVITY,
    BulkVerb.RETRY_RESOLUTION: Permission.CREATE_ACTIVITY,
    BulkVerb.ERASE: Permission.ERASE_PERSONAL_DATA,
}


class ItemCounts(Answer):
    """The number of items by outcome. ACCEPTED items will still be changed; REFUSED and FAILED ones were not."""

    pending: int = 0
    applied: int = 0
    accepted: int = 0
    refused: int = 0
    failed: int = 0


class ItemRead(Answer):
    """The outcome of one activity."""

    activity_id: UUID
    scheduled_at: Instant = Field(description="The activity's time when it was chosen.")
    outcome: ItemOutcome
    code: str | None = Field(description="The error code that a call for this activity alone would have returned.")
    detail: str | None = Field(
        description="The reason of the outcome. After a retry that was APPLIED, what could not be resolved again."
    )
    changed_at: Instant | None


class ListedOperationRead(Answer):
    """A bulk operation in a list, without the number of its items by outcome."""

    id: UUID
    verb: BulkVerb
    state: BulkState = Field(description="After STOPPED, COMPLETED and REJECTED nothing is changed any more.")
    detail: str | None = Field(default=None, description="The reason why the operation was rejected, or was ended.")
    reason: str
    scheduled_at: Instant | None = None
    shift_seconds: int | None = None
    commerce_user_id: UUID | None = Field(
        default=None, description="Of an erasure: the user; null for all of the commerce in `filter`."
    )
    cancel_open: bool | None = Field(default=None, description="Of an erasure: whether open activities are cancelled.")
    filter: dict[str, JsonValue]
    per_second: int
    confirm_total: int | None = None
    actor: str
    created_at: Instant | None = None
    started_at: Instant | None = Field(
        default=None, description="The time at which its turn has come; null while QUEUED."
    )
    finished_at: Instant | None = None
    queue_position: int | None = Field(
        default=None, description="Its place among the tenant's QUEUED operations, from 1; null in every other state."
    )
    total: int | None = Field(default=None, description="Null until the activities are chosen.")

    @field_validator("filter")
    @classmethod
    def format_times(cls, conditions: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Write times as in all answers."""
        return format_times(conditions, ("scheduled_from", "scheduled_to"))

    @classmethod
    def of_listed(cls, row: RowMapping) -> Self:
        """Compose the answer from a row of a list."""
        total = None if row["state"] in UNCHOSEN else row["total"]
        return cls.model_validate({**row, **row["change"], "total": total})


class OperationRead(ListedOperationRead):
    """A bulk operation and its progress."""

    counts: ItemCounts = ItemCounts()

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """Compose the answer from a row with its counts."""
        counts = {outcome.lower(): number for outcome, number in row["counts"].items()}
        total = None if row["state"] in UNCHOSEN else sum(counts.values())
        return cls.model_validate({**row, **row["change"], "counts": counts, "total": total})

    @classmethod
    def of_request(cls, requested: BulkOperation) -> Self:
        """Compose what the row of a request will be, to compare it with another."""
        known = requested.model_dump(include={"id", "actor", "per_second", "confirm_total"})
        conditions = requested.filter.model_dump(mode="json", exclude_defaults=True)
        return cls(**known, **requested.change.model_dump(), filter=conditions, state=BulkState.QUEUED)

    @property
    def path(self) -> str:
        """Return the operation's path."""
        return f"/api/operations/{self.id}"


class OperationDetailRead(OperationRead):
    """A bulk operation with a page of its items, the earliest first."""

    items: Page[ItemRead]


class OperationsQuery(PageQuery):
    """The operations to return."""

    state: ListedStates = Field(default=[], description="One or more states.")
    verb: BulkVerb | None = None


@router.get("", responses=problem_responses())
async def list_operations(
    caller: CanView, opened: Opened, query: Annotated[OperationsQuery, Query()]
) -> Page[ListedOperationRead]:
    """List the tenant's bulk operations, the latest first.

    `GET /api/operations/{id}` counts the activities of one by outcome, and has the outcome of each.
    """
    statement = statements.operations_statement(caller.tenant_id, query.state, query.verb)
    return await read_page(opened.database, statement, query, ListedOperationRead.of_listed)


class OperationQuery(PageQuery):
    """The items to return."""

    outcome: ItemOutcome | None = None


@router.get("/{operation_id}", responses=problem_responses(NotFound))
async def get_operation(
    caller: CanView, opened: Opened, operation_id: UUID, query: Annotated[OperationQuery, Query()]
) -> OperationDetailRead:
    """Retrieve a bulk operation: its progress, and the outcome of each activity, page by page."""
    statement = statements.items_statement(caller.tenant_id, operation_id, query.outcome)
    async with opened.turns.reading_whole(caller.tenant_id):  # an operation may have 100,000 items
        operation = await read_operation(opened, caller, operation_id)
        items = await read_page(opened.database, statement, query, ItemRead.model_validate)
    return OperationDetailRead(**operation.model_dump(), items=items)


STOPPING = {
    202: {"model": OperationRead, "description": "Nothing more is begun; some changes have no outcome yet."},
    **problem_responses(NotFound),
}


@router.post("/{operation_id}/stop", responses=STOPPING)
async def stop_operation(caller: CanView, opened: Opened, response: Response, operation_id: UUID) -> OperationRead:
    """Stop a bulk operation. Activities that it has changed stay changed.

    Stopping needs the permission that starting needed. From the answer on, no change is begun any more. After a 200,
    `state` and `counts` are final, also if the operation had completed before. A 202 says STOPPING: changes that were
    begun have no outcome yet. Repeat the call, or read the operation.
    """
    operation = await _read_recorded(opened, caller, operation_id)
    if operation is None:
        raise _no_operation(operation_id)
    needed = PERMISSIONS[operation.verb]
    if not caller.may(needed):
        raise PermissionDenied(f"The token lacks the permission {needed} in tenant {caller.tenant_id}.")
    ref = OperationRef(tenant_id=caller.tenant_id, id=operation_id)
    until = time.monotonic() + BULK_STOP_PATIENCE.total_seconds()
    state = await _write_stop(opened, ref)
    while state in PASSING and time.monotonic() < until:
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)
        state = await _write_stop(opened, ref)
    if state in {BulkState.COLLECTING, BulkState.RUNNING}:
        await _write_stop(opened, ref, BulkState.COLLECTING)  # waits for a choice that is being committed
    stopped = await read_operation(opened, caller, operation_id)
    if stopped.state is BulkState.STOPPING:
        response.status_code = HTTPStatus.ACCEPTED
    return stopped


async def _write_stop(opened: Resources, ref: OperationRef, *unbegun: BulkState) -> BulkState:
    """Write that the operation is to stop, and that it has stopped once every change that was begun has an outcome.

    A QUEUED operation stops at once, and so does one in a state of `unbegun`. Returns the state that is written.
    """
    async with opened.database.transactions.begin() as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, statements.queue_lock(ref.tenant_id))
        await connection.execute(statements.end_unbegun_statement(ref, BulkState.QUEUED, *unbegun))
        await connection.execute(statements.stop_statement(ref))
        # A statement of its own: it has to see the items that were claimed while the one above waited for the row.
        await connection.execute(statements.end_stop_statement(ref))
        state: BulkState = (await connection.execute(statements.state_statement(ref))).scalar_one()
    return state


async def read_operation(opened: Resources, caller: Caller, operation_id: UUID) -> OperationRead:
    """Read an operation of the caller's tenant, or raise a 404."""
    found = await find_operation(opened, caller, operation_id)
    if found is None:
        raise _no_operation(operation_id)
    return found


async def find_operation(opened: Resources, caller: Caller, operation_id: UUID) -> OperationRead | None:
    """Find an operation; one whose run was ended in Temporal before it chose its activities reads as STOPPED."""
    found = await _read_recorded(opened, caller, operation_id)
    if found is None or found.state is not BulkState.COLLECTING:
        return found
    with suppress(RPCError):  # without an answer the row stands
        run = await find_bulk_run(opened.temporal, caller.tenant_id, operation_id)
        if run and run.status in ENDED_FROM_OUTSIDE:
            found = await _read_recorded(opened, caller, operation_id)  # the run may have chosen them before its end
            if found and found.state is BulkState.COLLECTING:
                ended = {
                    "state": BulkState.STOPPED,
                    "detail": "Its run was ended in Temporal before it chose activities.",
                }
                return found.model_copy(update=ended)
    return found


async def _read_recorded(opened: Resources, caller: Caller, operation_id: UUID) -> OperationRead | None:
    async with opened.database.autocommit.connect() as connection:
        statement = statements.operation_statement(caller.tenant_id, operation_id)
        row = (await connection.execute(statement)).mappings().one_or_none()
    return OperationRead.of(row) if row else None


def _no_operation(operation_id: UUID) -> NotFound:
    return NotFound(f"This tenant has no operation {operation_id}.")
