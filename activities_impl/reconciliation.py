"""Compare rows with their runs, page by page, and look at each difference again before it is repaired."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from activities_impl.findings import merge_found, report, report_page, settle_each
from db.across_tenants import AcrossTenants, ExpiredActivity, OpenOperation, OpenRow, TenantToBegin
from db.engine import Database
from db.failures import concerns_row
from db.leases import ExpiredLease, expire_leases_statement
from db.reconciliation import run_note_statement
from db.removal import remove_activities
from db.results import FollowUp, OverriddenFollowUp
from db.rows import address, fetch_row, row_lock
from runs.ask import describe_run, read_beginning
from runs.bulk_queue import begin_queued
from runs.bulk_recovery import settle_operation
from runs.client import workflow_id
from runs.follow_up import FollowUps
from runs.lead import Lead
from runs.patience import ROW_PATIENCE
from runs.recovery import Recovery, has_task, refresh_run
from workflows.activities import ReconciliationActivities
from workflows.bulk import OperationRef
from workflows.findings import Compared, Cursor, Finding, Page
from workflows.messages import ActivityRef, Refresh
from workflows.search_attributes import ACTIVITY_ID, ACTIVITY_STATUS, SCHEDULED_AT, listed_status
from workflows.words import EventType, RemovalCause

SLICE = 200
"""Activities that one transaction removes: their rows are locked for some tens of milliseconds."""


class Reconciliation(ReconciliationActivities):
    """The steps of reconciliation that start from rows. A difference is confirmed under the row's lock."""

    def __init__(self, client: Client, database: Database, across_tenants: AcrossTenants, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._across_tenants = across_tenants
        self._recovery = Recovery(client, database, lead, database.begin_briefly)
        self._follow_ups = FollowUps(client, database, lead)
        self._lead = lead

    @activity.defn
    async def expire_leases(self, page: Page) -> Compared:
        """Expire the leases of all tenants in one statement, and those that it leaves one by one, the oldest first.

        It leaves rows that are locked, and all of them if one can't be written.
        """
        expired = await self._expire_together(page)
        if len(expired) == page.size:
            return report_page({Finding.LEASE_EXPIRED: expired}, (None, True))
        left = await self._across_tenants.list_expired_leases(page.size)
        found = await settle_each(left, self._expire_lease)
        return report(merge_found({Finding.LEASE_EXPIRED: expired}, found))

    async def _expire_together(self, page: Page) -> list[str]:
        try:
            expired = await self._across_tenants.expire_leases(page.size)
        except SQLAlchemyError as failure:
            if not concerns_row(failure):
                raise
            return []
        return [str(row.id) for row in expired]

    async def _expire_lease(self, ref: ActivityRef) -> Finding | None:
        this = address(ref.tenant_id, ref.id)
        async with self._database.begin_briefly() as connection:
            await connection.execute(select(row_lock(this)))  # the statement below passes over a locked row
            expired = await fetch_row(connection, ExpiredLease, expire_leases_statement(this))
        return Finding.LEASE_EXPIRED if expired else None

    @activity.defn
    async def create_follow_ups(self, page: Page) -> Compared:
        """Create missing follow-ups, the oldest first."""
        rows = await self._across_tenants.list_missing_follow_ups(page)
        found = await settle_each(rows, self._create_follow_up)
        return report_page(found, _find_position(page, [(row.received_at, row.tenant_id, row.id) for row in rows]))

    async def _create_follow_up(self, row: FollowUp) -> Finding | None:
        return Finding.FOLLOWED_UP if await self._follow_ups.create(row, ROW_PATIENCE.total_seconds()) else None

    @activity.defn
    async def take_back_follow_ups(self, page: Page) -> Compared:
        """Cancel the follow-ups of overridden results in the same way."""
        rows = await self._across_tenants.list_overridden_follow_ups(page)
        found = await settle_each(rows, self._take_back_follow_up)
        places = [(row.received_at, row.tenant_id, row.result_id) for row in rows]
        return report_page(found, _find_position(page, places))

    async def _take_back_follow_up(self, made: OverriddenFollowUp) -> Finding:
        await self._follow_ups.take_back(made, ROW_PATIENCE.total_seconds())
        return Finding.TAKEN_BACK

    @activity.defn
    async def settle_operations(self, page: Page) -> Compared:
        """Settle the bulk operations without a run, the oldest first, and begin queued ones whose turn has come."""
        rows = await self._across_tenants.list_open_operations(page)
        tenants = await self._across_tenants.list_tenants_to_begin(page.size)
        found = await settle_each(rows, self._settle_operation)
        found = merge_found(found, await settle_each(tenants, self._begin_queued))
        return report_page(found, _find_position(page, rows))

    async def _begin_queued(self, tenant: TenantToBegin) -> Finding | None:
        begun = await begin_queued(self._client, self._database, tenant.id)
        return Finding.OPERATION_BEGUN if begun else None

    async def _settle_operation(self, row: OpenOperation) -> Finding | None:
        return await settle_operation(self._client, self._database, OperationRef(tenant_id=row.tenant_id, id=row.id))

    @activity.defn
    async def compare_page(self, page: Page) -> Compared:
        """Ask for the run of each open row, and settle or refresh those that differ."""
        rows = await self._across_tenants.list_open_rows(page)
        grace = timedelta(seconds=page.grace_seconds)
        found = await settle_each(rows, partial(self._compare, grace=grace))
        position = _find_position(page, [(row.scheduled_at, row.tenant_id, row.id) for row in rows])
        return report_page(found, position, rows=len(rows))

    async def _compare(self, row: OpenRow, grace: timedelta) -> Finding | None:
        if not row.is_settled:
            return None
        run = await self._find_open_run(row)
        if run is None:
            return await self._recovery.settle(ActivityRef(tenant_id=row.tenant_id, id=row.id))
        if run.start_time > datetime.now(UTC) - grace:
            return None
        if run.run_id != row.run_id and await self._note_run(row, run):
            return Finding.RESET
        if _has_missed_a_change(run, row) and await self._refresh(row):
            return Finding.MOVED
        return Finding.OVERDUE if row.is_overdue else None

    async def _find_open_run(self, row: OpenRow) -> WorkflowExecutionDescription | None:
        """Return the row's open run, or None; a list by ids would make the server look at every open run."""
        run = await describe_run(self._client, workflow_id(row.tenant_id, row.idempotency_key))
        if run is None or run.status is not WorkflowExecutionStatus.RUNNING:
            return None
        return run if run.typed_search_attributes.get(ACTIVITY_ID) == str(row.id) else None

    async def _note_run(self, row: OpenRow, run: WorkflowExecutionDescription) -> bool:
        beginning = await read_beginning(self._client, run)
        event_type = EventType.RUN_RESET if beginning.is_reset else None
        note = run_note_statement(row, run.run_id, event_type, "temporal-ui", key_id=beginning.key_id)
        async with self._database.begin_briefly() as connection:
            noted = await connection.execute(note)
            return beginning.is_reset and noted.first() is not None

    async def _refresh(self, row: OpenRow) -> bool:
        """Make the run read its row again; return False if it has done so meanwhile."""
        run = workflow_id(row.tenant_id, row.idempotency_key)
        now = await describe_run(self._client, run)  # the page was read a while ago
        if now is None or not _has_missed_a_change(now, row):
            return False
        return await refresh_run(self._client, run, Refresh(lead_seconds=self._lead.before(row.scheduled_at)))

    @activity.defn
    async def end_runs(self, page: Page) -> Compared:
        """End the runs beside activities that were canceled, or due at another time than their first, in that order."""
        rows = await self._across_tenants.list_ended_rows(page)
        found = await settle_each(rows, self._recovery.end_run)
        last = Cursor(at=rows[-1].ended_at, tenant_id=rows[-1].tenant_id, id=rows[-1].id) if rows else page.after
        return report_page(found, (last, len(rows) == page.size))

    @activity.defn
    async def remove_closed(self, page: Page) -> Compared:
        """Remove the closed activities that are kept for longest beyond their tenants' retention.

        A tenant's are removed in slices, and those of a slice that fails one by one.
        """
        expired = await self._across_tenants.list_expired_activities(page.size)
        removed: list[str] = []
        left: list[ExpiredActivity] = []
        found = await settle_each(_slice_by_tenant(expired), partial(self._remove_slice, removed=removed, left=left))
        found = merge_found({Finding.REMOVED: removed}, merge_found(found, await settle_each(left, self._remove_one)))
        has_more = len(expired) == page.size and len(found[Finding.REMOVED]) > 0
        return report_page(found, (None, has_more))

    async def _remove_slice(self, expired: "ExpiredSlice", removed: list[str], left: list[ExpiredActivity]) -> None:
        """Remove a tenant's activities in one transaction, or leave them if one of them can't be removed."""
        try:
            removed += map(str, await self._remove(expired.id, expired.activity_ids))
        except SQLAlchemyError as failure:
            if not concerns_row(failure):
                raise
            left += (ExpiredActivity(expired.id, activity_id) for activity_id in expired.activity_ids)

    async def _remove_one(self, expired: ExpiredActivity) -> Finding | None:
        return Finding.REMOVED if await self._remove(expired.tenant_id, [expired.id]) else None

    async def _remove(self, tenant_id: UUID, activity_ids: Sequence[UUID]) -> list[UUID]:
        """Remove a tenant's activities, but those that another session has locked; return the ids of the removed."""
        async with self._database.begin_briefly() as connection:
            return await remove_activities(connection, tenant_id, activity_ids, RemovalCause.RETENTION)


class ExpiredSlice(NamedTuple):
    """Activities of a tenant, whose id it is named by, that are removed in one transaction."""

    id: UUID
    activity_ids: Sequence[UUID]

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant's id, as rows of other tables name it."""
        return self.id


def _slice_by_tenant(expired: Iterable[ExpiredActivity]) -> list[ExpiredSlice]:
    by_tenant: dict[UUID, list[UUID]] = {}
    for row in expired:
        by_tenant.setdefault(row.tenant_id, []).append(row.id)
    return [
        ExpiredSlice(tenant_id, ids[start : start + SLICE])
        for tenant_id, ids in by_tenant.items()
        for start in range(0, len(ids), SLICE)
    ]


def _find_position(page: Page, places: Sequence[tuple[datetime, UUID, UUID]]) -> tuple[Cursor | None, bool]:
    """Return the last row of a page and True, or None and False for the last page."""
    if len(places) < page.size:
        return None, False
    at, tenant_id, row_id = places[-1]
    return Cursor(at=at, tenant_id=tenant_id, id=row_id), True


def _has_missed_a_change(run: WorkflowExecutionDescription, row: OpenRow) -> bool:
    """Return whether the run sleeps towards another time than the row's, or shows another status.

    A run with a pending workflow task may still read the row in it: a reset run does so in its first task.
    """
    if has_task(run):
        return False
    at, status = run.typed_search_attributes.get(SCHEDULED_AT), run.typed_search_attributes.get(ACTIVITY_STATUS)
    return at is None or abs(at - row.scheduled_at) >= timedelta(milliseconds=1) or status != listed_status(row.status)
