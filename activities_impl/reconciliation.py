"""Compare open rows with their runs, page by page, and look at each difference again before it is repaired."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from db.bulk_operations import open_operations_statement
from db.engine import Database
from db.leases import ExpiredLease, expire_leases_statement
from db.reconciliation import OpenRow, open_rows_statement, run_note_statement, still_open_statement
from db.results import (
    FollowUp,
    OverriddenFollowUp,
    missing_follow_ups_statement,
    recent_overridden_follow_ups_statement,
)
from db.rows import fetch_rows
from runs.ask import UnansweredError, describe_run, is_reset
from runs.bulk_recovery import settle_operation
from runs.client import workflow_id
from runs.follow_up import FollowUps
from runs.lead import Lead
from runs.patience import ROW_PATIENCE
from runs.recovery import Recovery
from workflows.activities import ReconciliationActivities
from workflows.bulk import OperationRef
from workflows.findings import Compared, Cursor, Finding, Page
from workflows.messages import ActivityRef, Refresh
from workflows.search_attributes import ACTIVITY_ID, ACTIVITY_STATUS, SCHEDULED_AT, TENANT_ID, listed_status
from workflows.words import EventType

EXAMPLES = 10
"""The most activities that a finding names."""
FOLLOW_UPS_AT_ONCE = 200
ROWS_AT_ONCE = 1000
QUESTIONS_AT_ONCE = 16
FINDINGS_OF_OPERATIONS = (Finding.OPERATION_RESUMED, Finding.OPERATION_STOPPED)
FINDINGS_OF_ROWS = [
    finding
    for finding in Finding
    if finding
    not in {Finding.STUCK, Finding.LEASE_EXPIRED, Finding.FOLLOWED_UP, Finding.TAKEN_BACK, *FINDINGS_OF_OPERATIONS}
]


class Reconciliation(ReconciliationActivities):
    """The steps of reconciliation.

    Temporal's lists lag behind, so a difference is confirmed under the row's lock and by a description of the run.
    """

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._recovery = Recovery(client, database, lead)
        self._follow_ups = FollowUps(client, database, lead)
        self._lead = lead

    @activity.defn
    async def compare_page(self, page: Page) -> Compared:
        """Read a page of open rows, ask for the run of each, and settle or refresh those that differ."""
        async with self._database.autocommit.connect() as connection:
            rows = await fetch_rows(connection, OpenRow, open_rows_statement(page))
        turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        runs = await asyncio.gather(*(self._find_open_run(row, turn) for row in rows))
        grace = timedelta(seconds=page.grace_seconds)
        judged = [(row, await self._compare(row, run, grace)) for row, run in zip(rows, runs, strict=True)]
        last = Cursor(**{name: getattr(rows[-1], name) for name in Cursor.model_fields}) if rows else None
        return _report(_group_by_finding(judged), rows=len(rows), after=last if len(rows) == page.size else None)

    async def _find_open_run(self, row: OpenRow, turn: asyncio.Semaphore) -> WorkflowExecutionDescription | None:
        """Return the row's open run, or None."""
        async with turn:  # one question a row: a list of ids makes the server look at every open run
            run = await describe_run(self._client, workflow_id(row.tenant_id, row.idempotency_key))
        if run is None or run.status is not WorkflowExecutionStatus.RUNNING:
            return None
        return run if run.typed_search_attributes.get(ACTIVITY_ID) == str(row.id) else None

    async def _compare(
        self, row: OpenRow, run: WorkflowExecutionDescription | None, grace: timedelta
    ) -> Finding | None:
        if not row.is_settled:
            return None
        if run is None:
            return await self._recovery.settle(ActivityRef(tenant_id=row.tenant_id, id=row.id))
        if run.start_time > datetime.now(UTC) - grace:
            return None
        if run.run_id != row.run_id and await self._note_run(row, run):
            return Finding.RESET
        if _has_missed_a_change(run, row) and await self._refresh(row):
            return Finding.MOVED
        return Finding.OVERDUE if row.is_overdue else None

    async def _note_run(self, row: OpenRow, run: WorkflowExecutionDescription) -> bool:
        reset = await is_reset(self._client, run)
        event_type = EventType.RUN_RESET if reset else None
        async with self._database.autocommit.connect() as connection:
            noted = await connection.execute(run_note_statement(row, run.run_id, event_type, "temporal-ui"))
            return reset and noted.first() is not None

    async def _refresh(self, row: OpenRow) -> bool:
        """Make the run read its row again; return False if it has done so meanwhile, or doesn't answer in time."""
        run = workflow_id(row.tenant_id, row.idempotency_key)
        now = await describe_run(self._client, run)  # the page was read a while ago
        if now is None or not _has_missed_a_change(now, row):
            return False
        refresh = Refresh(lead_seconds=self._lead.before(row.scheduled_at))
        update = self._client.get_workflow_handle(run).execute_update("refresh", refresh)
        try:
            async with asyncio.timeout(ROW_PATIENCE.total_seconds()):
                await update
        except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
            return False  # the next round comes back to this run; the other rows of the page come first
        except RPCError as failure:
            if failure.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    @activity.defn
    async def settle_ended(self, within_seconds: float) -> Compared:
        """Settle the open rows of runs that Temporal lists as ended from outside."""
        since = (datetime.now(UTC) - timedelta(seconds=within_seconds)).isoformat()
        query = (
            "WorkflowType = 'ScheduledActivityWorkflow' AND ExecutionStatus IN ('Terminated', 'Canceled', 'TimedOut')"
            f" AND CloseTime > '{since}'"
        )
        ended = [
            (UUID(attributes[TENANT_ID]), UUID(attributes[ACTIVITY_ID]))
            async for run in self._client.list_workflows(query)
            if (attributes := run.typed_search_attributes).get(ACTIVITY_ID)
        ]
        rows: list[ActivityRef] = []
        async with self._database.autocommit.connect() as connection:
            for start in range(0, len(ended), ROWS_AT_ONCE):
                some = still_open_statement(ended[start : start + ROWS_AT_ONCE])
                rows += await fetch_rows(connection, ActivityRef, some)
        judged = [(row, await self._recovery.settle(row)) for row in rows[:ROWS_AT_ONCE]]
        return _report(_group_by_finding(judged))  # rows beyond the limit are still open in the next round

    @activity.defn
    async def find_stuck(self, older_than_seconds: float) -> Compared:
        """Count the runs that Temporal lists as RESOLVING for that long; change nothing."""
        since = (datetime.now(UTC) - timedelta(seconds=older_than_seconds)).isoformat()
        query = f"ExecutionStatus = 'Running' AND ActivityStatus = 'RESOLVING' AND StartTime < '{since}'"
        count = (await self._client.count_workflows(query)).count
        runs = [run async for run in self._client.list_workflows(query, limit=EXAMPLES)] if count else []
        examples = tuple(run.typed_search_attributes.get(ACTIVITY_ID, run.id) for run in runs)
        _count_findings({Finding.STUCK: count})
        return Compared(counts={Finding.STUCK: count}, examples={Finding.STUCK: examples})

    @activity.defn
    async def expire_leases(self) -> Compared:
        """Expire the leases of all tenants, the oldest first, up to a limit."""
        async with self._database.autocommit.connect() as connection:
            expired = await fetch_rows(connection, ExpiredLease, expire_leases_statement())
        return _report({Finding.LEASE_EXPIRED: [str(row.id) for row in expired]})

    @activity.defn
    async def create_follow_ups(self, older_than_seconds: float) -> Compared:
        """Create missing follow-ups, and cancel those of overridden results."""
        async with self._database.autocommit.connect() as connection:
            oldest = missing_follow_ups_statement(older_than_seconds, FOLLOW_UPS_AT_ONCE)
            missing = await fetch_rows(connection, FollowUp, oldest)
            recent = recent_overridden_follow_ups_statement(older_than_seconds, FOLLOW_UPS_AT_ONCE)
            overridden = await fetch_rows(connection, OverriddenFollowUp, recent)
        created = await self._create_missing(missing)
        return _report({Finding.FOLLOWED_UP: created, Finding.TAKEN_BACK: await self._take_back(overridden)})

    async def _create_missing(self, missing: Sequence[FollowUp]) -> list[str]:
        """Create follow-ups, the oldest first, until Temporal or the workers do not answer in time."""
        created = []
        for row in missing:
            try:
                if await self._follow_ups.create(row, ROW_PATIENCE.total_seconds()):
                    created.append(str(row.id))
            except UnansweredError:
                break  # the others would not be answered either; the next round comes back to them
        return created

    async def _take_back(self, overridden: Sequence[OverriddenFollowUp]) -> list[str]:
        """Cancel follow-ups in the same way; return the ids of their activities."""
        taken_back = []
        for made in overridden:
            try:
                await self._follow_ups.take_back(made, ROW_PATIENCE.total_seconds())
            except UnansweredError:
                break
            taken_back.append(str(made.id))
        return taken_back

    @activity.defn
    async def settle_operations(self) -> Compared:
        """Settle the bulk operations without a run, the oldest first; one that fails does not hold up the others."""
        async with self._database.autocommit.connect() as connection:
            open_ones = await fetch_rows(connection, OperationRef, open_operations_statement(ROWS_AT_ONCE))
        found: dict[Finding, list[str]] = {finding: [] for finding in FINDINGS_OF_OPERATIONS}
        for ref in open_ones:
            try:
                finding = await settle_operation(self._client, self._database, ref)
            except (RPCError, SQLAlchemyError, OSError) as failure:
                activity.logger.warning("settling bulk operation %s failed: %s", ref.id, type(failure).__name__)
                continue
            if finding:
                found[finding].append(str(ref.id))
        return _report(found)


def _has_missed_a_change(run: WorkflowExecutionDescription, row: OpenRow) -> bool:
    """Return whether the run sleeps towards another time than the row's, or shows another status.

    A run with a pending workflow task may still read the row in it: a reset run does so in its first task.
    """
    if run.raw_description.HasField("pending_workflow_task"):
        return False
    at, status = run.typed_search_attributes.get(SCHEDULED_AT), run.typed_search_attributes.get(ACTIVITY_STATUS)
    return at is None or abs(at - row.scheduled_at) >= timedelta(milliseconds=1) or status != listed_status(row.status)


def _group_by_finding(judged: Sequence[tuple[OpenRow | ActivityRef, Finding | None]]) -> dict[Finding, list[str]]:
    """Return the ids of the activities with each finding; a finding that no row has is empty."""
    return {finding: [str(row.id) for row, found in judged if found is finding] for finding in FINDINGS_OF_ROWS}


def _report(found: dict[Finding, list[str]], rows: int = 0, after: Cursor | None = None) -> Compared:
    """Count the findings, and name some activities of each."""
    counts = {finding: len(ids) for finding, ids in found.items()}
    _count_findings(counts)
    counts = {finding: count for finding, count in counts.items() if count}
    examples = {finding: tuple(ids[:EXAMPLES]) for finding, ids in found.items() if ids}
    return Compared(rows=rows, counts=counts, examples=examples, after=after)


def _count_findings(counts: dict[Finding, int]) -> None:
    """Add to the worker's /metrics; a count of zero is added too, so that the first finding shows as an increase."""
    meter = activity.metric_meter()
    findings = meter.create_counter("reconciliation_findings", "Rows and runs that differed, by what was found.")
    for finding, count in counts.items():
        findings.add(count, {"finding": finding.value})
