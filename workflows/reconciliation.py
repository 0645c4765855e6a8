"""The workflow that compares rows with runs, page by page: started by a Temporal Schedule or an operator's command."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows.activities import ListedRunActivities, ReconciliationActivities
from workflows.findings import Compared, Cursor, Finding, Listing, Page, Part, Reconcile
from workflows.steps import run_long_step

STEP_TIMEOUT = timedelta(minutes=10)
"""Longer than a page of rows of which each takes its whole time; a step without heartbeats ends much sooner."""
RETRIES = RetryPolicy(maximum_attempts=3, maximum_interval=timedelta(seconds=5))
"""Bounded, so that a step that can't succeed does not keep the others from being run."""
LEASES_AT_ONCE, OPERATIONS_AT_ONCE = 1000, 200
REMOVALS_AT_ONCE = 1000
FOLLOW_UPS_AT_ONCE = 100
"""A follow-up is a whole creation."""
OVERLAP = timedelta(minutes=10)
"""The time by which a list may lag behind: runs that have closed within it are read again."""

Contract = TypeVar("Contract")
Argument = TypeVar("Argument")
Step = Callable[[Contract, Argument], Awaitable[Compared]]


@workflow.defn
class ReconciliationWorkflow:
    """Carry out one round; its result holds the findings, and the positions where the next round continues."""

    @workflow.init
    def __init__(self, wanted: Reconcile) -> None:
        self._wanted = wanted
        self._found = wanted.so_far
        self._positions: dict[str, Cursor] = {}
        self._listings: dict[str, Listing] = {}

    @workflow.run
    async def run(self, _: Reconcile) -> Compared:
        """Run the steps of the wanted parts, those that need Temporal's lists last. Each step ends in bounded time."""
        self._restore_positions()
        if Part.ROWS in self._wanted.parts:
            await self._reconcile_rows()
        if Part.LISTS in self._wanted.parts:
            await self._reconcile_lists()
        completed = workflow.metric_meter().create_gauge(
            "reconciliation_completed_timestamp_seconds", "Time at which the last round has ended, by its part."
        )
        for part in self._wanted.parts:
            completed.set(int(workflow.time()), {"part": part.value})
        after = self._positions.pop(ReconciliationActivities.compare_page.__name__, None)
        kept = {"after": after, "positions": self._positions, "listings": self._listings}
        return self._found.model_copy(update=kept)

    def _restore_positions(self) -> None:
        """Continue where the last scheduled round has stopped; a round over all pages begins anew."""
        comparing = ReconciliationActivities.compare_page.__name__
        if self._wanted.page.after:
            self._positions[comparing] = self._wanted.page.after
        if self._wanted.pages and workflow.has_last_completion_result():
            last = workflow.get_last_completion_result(Compared) or Compared()
            after = {comparing: last.after} if last.after else {}
            self._positions, self._listings = last.positions | after, dict(last.listings)

    async def _reconcile_rows(self) -> None:
        steps, page = ReconciliationActivities, self._wanted.page
        leases, follow_ups, operations = (
            page.model_copy(update={"size": size}) for size in (LEASES_AT_ONCE, FOLLOW_UPS_AT_ONCE, OPERATIONS_AT_ONCE)
        )
        await self._walk(steps.expire_leases, leases, "leases that ran out")
        await self._walk(steps.create_follow_ups, follow_ups, "follow-ups that are missing")
        await self._walk(steps.take_back_follow_ups, follow_ups, "follow-ups that no longer count")
        await self._walk(steps.settle_operations, operations, "bulk operations without a run")
        if steps.compare_page.__name__ in self._positions and self._wanted.pages:
            # The rows that are due first are compared in every round, wherever the round continues.
            await self._run_step(steps.compare_page, page.model_copy(update={"ready_only": True}), "READY rows")
        await self._walk(steps.compare_page, page, "open rows with their runs")
        await self._walk(steps.end_runs, page, "runs of activities that have ended")
        removals = page.model_copy(update={"size": REMOVALS_AT_ONCE})
        await self._walk(steps.remove_closed, removals, "closed activities to remove")

    async def _reconcile_lists(self) -> None:
        steps = ListedRunActivities
        await self._walk_list(steps.settle_ended, "runs that were ended from outside")
        await self._walk_list(steps.end_listed, "open runs of activities that have ended")
        await self._walk_list(steps.restore_open, "open runs whose rows are missing")
        await self._walk_list(steps.restore_completed, "completed runs whose rows are missing")
        await self._run_step(steps.find_stuck, self._wanted.stuck_seconds, "runs without a row")

    async def _walk(self, step: Step[Contract, Page], page: Page, summary: str) -> None:
        """Run the step for page after page, from where the last round has stopped, and keep the position reached.

        A page that fails ends the walk of this round. A long walk over all pages continues in a new run.
        """
        after = self._positions.pop(step.__name__, None)
        for number in count(1):
            found = await self._run_step(step, page.model_copy(update={"after": after}), summary)
            after = found.after if found else after
            if not (found and found.has_more) or number == self._wanted.pages:
                break
            if step is ReconciliationActivities.compare_page and workflow.info().is_continue_as_new_suggested():
                page = self._wanted.page.model_copy(update={"after": after})
                workflow.continue_as_new(self._wanted.model_copy(update={"page": page, "so_far": self._found}))
        if after:
            self._positions[step.__name__] = after

    async def _walk_list(self, step: Step[Contract, Listing], summary: str) -> None:
        """Run the step for page after page of a list, over as many rounds as it takes.

        After its last page the next walk reads what has changed since this one began. A page that fails ends the walk:
        the next round begins it anew.
        """
        kept = self._listings.get(step.__name__, Listing())
        named = {"size": self._wanted.listing.size, "restored_to": self._wanted.listing.restored_to}
        listing = kept.model_copy(update=named)
        if listing.token is None:
            listing = listing.model_copy(update={"began_at": workflow.now()})
        for number in count(1):
            found = await self._run_step(step, listing, summary)
            listing = listing.model_copy(update={"token": found and found.token})
            if listing.token is None or number == self._wanted.listed_pages:
                break
        if found and found.token is None and listing.began_at:
            listing = Listing(since=listing.began_at - OVERLAP)
        self._listings[step.__name__] = listing

    async def _run_step(self, step: Step[Contract, Argument], argument: Argument, summary: str) -> Compared | None:
        """Run a step and keep its findings; return None if it has failed, which is a finding too."""
        try:
            found = await run_long_step(step, argument, summary, at_most=STEP_TIMEOUT, retries=RETRIES)
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                raise
            self._found = self._found.merge(_describe_failed_step(step.__name__, failure))
            return None
        self._found = self._found.merge(found)
        return found


def _describe_failed_step(name: str, failure: ActivityError) -> Compared:
    """Return the failure as a finding, and count it as the steps count theirs."""
    findings = workflow.metric_meter().create_counter("reconciliation_findings")
    findings.add(1, {"finding": Finding.FAILED.value})
    example = f"{name}: {getattr(failure.cause, 'message', failure.message)}"
    return Compared(counts={Finding.FAILED: 1}, examples={Finding.FAILED: (example,)})
