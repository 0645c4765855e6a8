"""All statements across tenants: reconciliation's lists, page by page, and the counts of operators' commands."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import and_, func, select, true, tuple_

from db.bulk_operations import IS_OPEN, IS_QUEUED, IS_RUNNING, own_quota
from db.engine import Database
from db.leases import ExpiredLease, expire_leases_statement, expired_leases_statement
from db.models import (
    ENDED_OTHERWISE,
    IS_CLOSED,
    ActivityResult,
    BulkOperation,
    RemovedActivity,
    RetentionSettings,
    ScheduledActivity,
)
from db.results import CANCELABLE, FOLLOW_UPS, OVERRIDDEN_FOLLOW_UPS, FollowUp, OverriddenFollowUp
from db.rows import CHANGED_AT, ID_OF_CREATION, NOW, Columns, Rows, fetch_rows, page_statement
from workflows.findings import Cursor, Page
from workflows.messages import ActivityRef
from workflows.tenant_limits import RUNNING_OPERATIONS
from workflows.words import OPEN, ActivityStatus

Typed = TypeVar("Typed")
Activities = Sequence[tuple[UUID, UUID]]
"""Activities, each a tenant and an id."""

_PLACE = (ScheduledActivity.scheduled_at, ScheduledActivity.tenant_id, ScheduledActivity.id)
_OWN = tuple_(ScheduledActivity.tenant_id, ScheduledActivity.id)
_ENDED_PLACE = (CHANGED_AT.label("ended_at"), ScheduledActivity.tenant_id, ScheduledActivity.id)


class OpenRow(NamedTuple):
    """A row that needs a run, as reconciliation compares it. `is_settled`: it was not written within the grace."""

    scheduled_at: datetime
    tenant_id: UUID
    id: UUID
    idempotency_key: str
    run_id: str
    version: int
    status: ActivityStatus
    is_settled: bool
    is_overdue: bool


class EndedRow(NamedTuple):
    """A row that needs no run any more."""

    ended_at: datetime
    tenant_id: UUID
    id: UUID
    idempotency_key: str


class OpenRequest(NamedTuple):
    """A row that needs a run, with everything that a run is started from."""

    scheduled_at: datetime
    tenant_id: UUID
    id: UUID
    request: Columns
    status: ActivityStatus
    version: int
    request_id: str | None
    traceparent: str | None


def open_rows_statement(page: Page) -> Rows:
    """Select the `OpenRow`s of a page, the most urgent first, along the index of the open ones."""
    grace = timedelta(seconds=page.grace_seconds)
    rows = select(
        *_PLACE,
        ScheduledActivity.idempotency_key,
        ScheduledActivity.run_id,
        ScheduledActivity.version,
        ScheduledActivity.status,
        (ScheduledActivity.updated_at < NOW - grace).label("is_settled"),
        and_(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.scheduled_at < NOW - grace).label(
            "is_overdue"
        ),
    ).where(ScheduledActivity.status.in_(OPEN))
    if page.ready_only:
        rows = rows.where(ScheduledActivity.status == ActivityStatus.READY)
    return page_statement(rows, _PLACE, page.after, page.size)


def ended_rows_statement(page: Page) -> Rows:
    """Select the `EndedRow`s of a page that were canceled, or due at another time than the first, in that order.

    A run can't miss the end at its first time, for which its history has a timer. Without a cursor the page begins a
    day ago.
    """
    rows = select(*_ENDED_PLACE, ScheduledActivity.idempotency_key).where(
        ENDED_OTHERWISE, NOW - timedelta(seconds=page.grace_seconds) > CHANGED_AT
    )
    if page.after is None:
        rows = rows.where(NOW - timedelta(days=1) < CHANGED_AT)
    return page_statement(rows, _ENDED_PLACE, page.after, page.size)


def ended_among_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `EndedRow`s of those activities, each a tenant and an id, whose rows need no run any more."""
    rows = select(*_ENDED_PLACE, ScheduledActivity.idempotency_key)
    return rows.where(_OWN.in_(activities), ScheduledActivity.status.not_in(OPEN))


def still_open_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, whose rows need a run."""
    return recorded_statement(activities).where(ScheduledActivity.status.in_(OPEN))


def recorded_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, that have a row."""
    return select(ScheduledActivity.tenant_id, ScheduledActivity.id).where(_OWN.in_(activities))


def removed_among_statement(activities: Sequence[tuple[UUID, UUID]]) -> Rows:
    """Select the `ActivityRef`s of those activities, each a tenant and an id, that were removed: they need no row."""
    removed = tuple_(RemovedActivity.tenant_id, RemovedActivity.activity_id)
    statement = select(RemovedActivity.tenant_id, RemovedActivity.activity_id.label("id"))
    return statement.where(removed.in_(activities))


def open_requests_statement(after: Cursor | None, size: int) -> Rows:
    """Select the `OpenRequest`s after a cursor, the most urgent first."""
    stored = ScheduledActivity
    needed = (stored.request, stored.status, stored.version, stored.traceparent)
    rows = select(*_PLACE, *needed, ID_OF_CREATION.label("request_id"))
    return page_statement(rows.where(ScheduledActivity.status.in_(OPEN)), _PLACE, after, size)


_RESULT_PLACE = (ActivityResult.received_at, ActivityResult.tenant_id, ActivityResult.id)


def missing_follow_ups_statement(page: Page) -> Rows:
    """Select the `FollowUp`s of a page that were neither created nor rejected, the oldest first."""
    rows = FOLLOW_UPS.where(
        ActivityResult.follow_up_error.is_(None),
        ActivityResult.received_at < NOW - timedelta(seconds=page.grace_seconds),
    )
    return page_statement(rows, _RESULT_PLACE, page.after, page.size)


def recent_overridden_follow_ups_statement(page: Page) -> Rows:
    """Select the `OverriddenFollowUp`s of the last day that can still be cancelled, by page."""
    rows = OVERRIDDEN_FOLLOW_UPS.where(
        ActivityResult.received_at > NOW - timedelta(days=1),
        ActivityResult.received_at < NOW - timedelta(seconds=page.grace_seconds),
        ScheduledActivity.status.in_(CANCELABLE),
    )
    return page_statement(rows, _RESULT_PLACE, page.after, page.size)


class TenantToBegin(NamedTuple):
    """A tenant that has queued operations and runs fewer than it may."""

    id: UUID

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant's id, as rows of other tables name it."""
        return self.id


def tenants_to_begin_statement(limit: int) -> Rows:
    """Select the `TenantToBegin`s."""
    tenant_id = BulkOperation.tenant_id
    return (
        select(tenant_id.label("id"))
        .where(IS_OPEN)
        .group_by(tenant_id)
        .having(func.bool_or(IS_QUEUED))
        .having(func.count().filter(IS_RUNNING) < own_quota(tenant_id, RUNNING_OPERATIONS))
        .limit(limit)
    )


class OpenOperation(NamedTuple):
    """A bulk operation that has begun and not ended."""

    created_at: datetime
    tenant_id: UUID
    id: UUID


def open_operations_statement(page: Page) -> Rows:
    """Select the `OpenOperation`s of a page, the oldest first."""
    place = (BulkOperation.created_at, BulkOperation.tenant_id, BulkOperation.id)
    return page_statement(select(*place).where(IS_OPEN, IS_RUNNING), place, page.after, page.size)


class NeededKey(NamedTuple):
    """A key, and the number of open activities whose runs began with it. None: those runs are not encrypted."""

    key_id: str | None
    activities: int


def needed_keys_statement() -> Rows:
    """Select the `NeededKey`s of all open activities."""
    counted = select(ScheduledActivity.payload_key_id.label("key_id"), func.count().label("activities"))
    return (
        counted.where(ScheduledActivity.status.in_(OPEN))
        .group_by(ScheduledActivity.payload_key_id)
        .order_by(ScheduledActivity.payload_key_id)
    )


class ExpiredActivity(NamedTuple):
    """A closed activity that its tenant wants to keep no longer."""

    tenant_id: UUID
    id: UUID


_AGE = func.make_interval(0, 0, 0, RetentionSettings.retention_days)


def expired_activities_statement(limit: int) -> Rows:
    """Select the `ExpiredActivity`s of all tenants, those that should have been removed first before the others."""
    of_tenant = (
        select(ScheduledActivity.id, ScheduledActivity.updated_at)
        .where(
            ScheduledActivity.tenant_id == RetentionSettings.tenant_id,
            IS_CLOSED,
            ScheduledActivity.updated_at < NOW - _AGE,
        )
        .order_by(ScheduledActivity.updated_at)
        .limit(limit)
        .lateral("expired")
    )
    return (
        select(RetentionSettings.tenant_id, of_tenant.c.id)
        .join_from(RetentionSettings, of_tenant, true())
        .order_by(of_tenant.c.updated_at + _AGE)
        .limit(limit)
    )


class AcrossTenants:
    """Executes the statements of this module as `scheduler_system`. The worker and the operators' commands have it.

    The API has no such role: the few numbers that it needs of all tenants come from functions in the database.
    """

    def __init__(self, database: Database) -> None:
        """`database` is opened with the URL of `scheduler_system`; nothing else uses it."""
        self._database = database

    async def dispose(self) -> None:
        """Close the idle connections."""
        await self._database.dispose()

    async def _fetch(self, kind: Callable[..., Typed], statement: Rows) -> list[Typed]:
        async with self._database.autocommit.connect() as connection:
            return await fetch_rows(connection, kind, statement)

    async def list_open_rows(self, page: Page) -> list[OpenRow]:
        """List the open rows of a page, the most urgent first."""
        return await self._fetch(OpenRow, open_rows_statement(page))

    async def list_ended_rows(self, page: Page) -> list[EndedRow]:
        """List the rows of a page that have ended otherwise than by their run's first timer."""
        return await self._fetch(EndedRow, ended_rows_statement(page))

    async def find_ended(self, activities: Activities) -> list[EndedRow]:
        """Find those of the activities whose rows need no run any more."""
        return await self._fetch(EndedRow, ended_among_statement(activities))

    async def find_open(self, activities: Activities) -> list[ActivityRef]:
        """Find those of the activities whose rows need a run."""
        return await self._fetch(ActivityRef, still_open_statement(activities))

    async def find_recorded(self, activities: Activities) -> list[ActivityRef]:
        """Find those of the activities that have a row."""
        return await self._fetch(ActivityRef, recorded_statement(activities))

    async def find_removed(self, activities: Activities) -> list[ActivityRef]:
        """Find those of the activities that were removed."""
        return await self._fetch(ActivityRef, removed_among_statement(activities))

    async def list_open_requests(self, after: Cursor | None, size: int) -> list[OpenRequest]:
        """List the open rows after a cursor, with what their runs are started from."""
        return await self._fetch(OpenRequest, open_requests_statement(after, size))

    async def expire_leases(self, limit: int) -> list[ExpiredLease]:
        """Take back the leases that have run out, but those of locked rows."""
        return await self._fetch(ExpiredLease, expire_leases_statement(limit=limit))

    async def list_expired_leases(self, limit: int) -> list[ActivityRef]:
        """List the activities whose leases have run out, the oldest first."""
        return await self._fetch(ActivityRef, expired_leases_statement(limit=limit))

    async def list_missing_follow_ups(self, page: Page) -> list[FollowUp]:
        """List the follow-ups of a page that are still to be created."""
        return await self._fetch(FollowUp, missing_follow_ups_statement(page))

    async def list_overridden_follow_ups(self, page: Page) -> list[OverriddenFollowUp]:
        """List the follow-ups of a page that are still to be cancelled."""
        return await self._fetch(OverriddenFollowUp, recent_overridden_follow_ups_statement(page))

    async def list_open_operations(self, page: Page) -> list[OpenOperation]:
        """List the bulk operations of a page that have begun and not ended."""
        return await self._fetch(OpenOperation, open_operations_statement(page))

    async def list_tenants_to_begin(self, limit: int) -> list[TenantToBegin]:
        """List the tenants whose queued operations can begin."""
        return await self._fetch(TenantToBegin, tenants_to_begin_statement(limit))

    async def list_expired_activities(self, limit: int) -> list[ExpiredActivity]:
        """List the closed activities that are kept beyond their tenants' retention."""
        return await self._fetch(ExpiredActivity, expired_activities_statement(limit))

    async def count_needed_keys(self) -> list[NeededKey]:
        """Count the open activities by the key that their runs began with."""
        return await self._fetch(NeededKey, needed_keys_statement())
