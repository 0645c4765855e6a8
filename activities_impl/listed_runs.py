"""Find differences between rows and runs by Temporal's lists of runs, which lag behind and may stand still."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from temporalio import activity
from temporalio.client import Client

from activities_impl.findings import (
    EXAMPLES,
    Found,
    count_findings,
    merge_found,
    note_failure,
    report,
    settle_each,
)
from db.across_tenants import AcrossTenants
from db.engine import Database
from runs.ask import ListedRun, count_runs, list_runs
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE
from runs.lead import Lead
from runs.recovery import Recovery
from runs.restoration import MissingRow, Restoration
from workflows.activities import ListedRunActivities
from workflows.findings import Compared, Finding, Listing

OURS = "WorkflowType = 'ScheduledActivityWorkflow'"
ENDED_FROM_OUTSIDE = f"{OURS} AND ExecutionStatus IN ('Terminated', 'Canceled', 'TimedOut')"
"""Runs that were ended by an operator, or by Temporal because they did not end."""
OPEN = f"{OURS} AND ExecutionStatus = 'Running'"
UNENDED = f"{OPEN} AND (ActivityStatus IN ('UNRESOLVED', 'RESOLVING') OR ScheduledAt < "
"""Open runs that no timer ends, and those whose time has passed; the time is to be added."""
PROBLEMS = f"TaskQueue IN ('{TASK_QUEUE}', '{BULK_TASK_QUEUE}') AND TemporalReportedProblems IS NOT NULL"
"""Runs whose workflow tasks have failed several times in a row. Temporal removes the attribute by itself."""
COMPLETED = f"{OURS} AND ExecutionStatus = 'Completed' AND CloseTime >"
LATELY = timedelta(days=1)
"""The time for which a round looks for the rows of completed runs; an operator can name an earlier point."""


class ListedRuns(ListedRunActivities):
    """The steps of reconciliation that start from Temporal's lists. A difference is confirmed by row and run."""

    def __init__(self, client: Client, database: Database, across_tenants: AcrossTenants, lead: Lead) -> None:
        self._client = client
        self._across_tenants = across_tenants
        self._recovery = Recovery(client, database, lead, database.begin_briefly)
        self._restoration = Restoration(client, database, lead)

    @activity.defn
    async def settle_ended(self, listing: Listing) -> Compared:
        """Settle the open rows of runs that Temporal lists as ended from outside."""
        since = f" AND CloseTime > '{listing.since.isoformat()}'" if listing.since else ""
        runs, token = await list_runs(self._client, ENDED_FROM_OUTSIDE + since, listing)
        activities, failed = _read_activities(runs)
        rows = await self._across_tenants.find_open(activities)
        return _report(await settle_each(rows, self._recovery.settle), failed, token)

    @activity.defn
    async def end_listed(self, listing: Listing) -> Compared:
        """End the open runs that are past their time, UNRESOLVED or RESOLVING beside an activity that has ended."""
        assert listing.began_at is not None  # noqa: S101 - every walk through a list has begun
        runs, token = await list_runs(self._client, f"{UNENDED}'{listing.began_at.isoformat()}')", listing)
        activities, failed = _read_activities(runs)
        rows = await self._across_tenants.find_ended(activities)
        return _report(await settle_each(rows, self._recovery.end_run), failed, token)

    @activity.defn
    async def restore_open(self, listing: Listing) -> Compared:
        """Restore the missing rows of open runs, the runs that were started last first, and end those of ended ones.

        A run is passed over while it has a task, and fails to end while it does not answer. It is listed here until it
        has ended.
        """
        runs, token = await list_runs(self._client, OPEN, listing)
        activities, _ = _read_activities(runs)
        rows = await self._across_tenants.find_ended(activities)
        ended = await settle_each(rows, self._recovery.end_run)
        return _report(merge_found(ended, await self._restore_missing(runs)), [], token)

    @activity.defn
    async def restore_completed(self, listing: Listing) -> Compared:
        """Restore those of runs that have completed since the point of the restore, or within the last day."""
        assert listing.began_at is not None  # noqa: S101 - every walk through a list has begun
        since = listing.restored_to or listing.began_at - LATELY
        runs, token = await list_runs(self._client, f"{COMPLETED} '{since.isoformat()}'", listing)
        return _report(await self._restore_missing(runs), [], token)

    async def _restore_missing(self, runs: Sequence[ListedRun]) -> Found:
        named = {place: run.id for run in runs for place in _read_activities([run])[0]}
        recorded = await self._across_tenants.find_recorded(list(named))
        recorded += await self._across_tenants.find_removed(list(named))
        missing = named.keys() - {(row.tenant_id, row.id) for row in recorded}
        rows = [MissingRow(*place, named[place]) for place in missing]
        return await settle_each(rows, self._restoration.restore)

    @activity.defn
    async def find_stuck(self, older_than_seconds: float) -> Compared:
        """Count the runs listed as RESOLVING for that long, and those whose tasks keep failing; change nothing."""
        since = (datetime.now(UTC) - timedelta(seconds=older_than_seconds)).isoformat()
        resolving = f"ActivityStatus = 'RESOLVING' AND StartTime < '{since}'"
        query = f"ExecutionStatus = 'Running' AND (({resolving}) OR ({PROBLEMS}))"
        count = await count_runs(self._client, query)
        runs, _ = await list_runs(self._client, query, Listing(size=EXAMPLES)) if count else ([], None)
        examples = tuple(run.activity_id or run.id for run in runs)
        count_findings({Finding.STUCK: count})
        return Compared(counts={Finding.STUCK: count}, examples={Finding.STUCK: examples})


def _read_activities(runs: Sequence[ListedRun]) -> tuple[list[tuple[UUID, UUID]], list[str]]:
    """Return the tenant and the activity that each run names, and the runs that name none, with the failure."""
    activities, failed = [], []
    for run in runs:
        try:
            activities.append((UUID(run.tenant_id), UUID(run.activity_id)))
        except (ValueError, TypeError) as failure:
            failed.append(note_failure(f"run {run.id}", failure))
    return activities, failed


def _report(found: Found, failed: list[str], token: str | None) -> Compared:
    found = merge_found(found, {Finding.FAILED: failed})
    return report(found).model_copy(update={"token": token, "has_more": token is not None})
