"""Compares rows with runs, page by page: run by a Temporal Schedule, and by an operator's command."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

from workflows.activities import ReconciliationActivities
from workflows.findings import Compared, Cursor, Page, Reconcile

PAGE_TIMEOUT = timedelta(minutes=2)

Argument = TypeVar("Argument")


@workflow.defn
class ReconciliationWorkflow:
    """One round; its result says what was found and done, and where the next one goes on."""

    @workflow.run
    async def run(self, wanted: Reconcile) -> Compared:
        """Each page is one step; a long round goes on in a new run."""
        if wanted.ended_within_seconds:
            ended = ReconciliationActivities.settle_ended
            wanted = wanted.plus(await _step(ended, wanted.ended_within_seconds, "runs that were ended from outside"))
        stopped_at = _stopped_at() if wanted.pages else None
        if stopped_at:
            wanted = wanted.plus(await _compare(wanted.page.model_copy(update={"ready_only": True})))
        found = await _all_pages(wanted, stopped_at or wanted.page.after)
        after = found.after
        stuck = await _step(ReconciliationActivities.find_stuck, wanted.stuck_seconds, "runs without a row")
        leases = await workflow.execute_activity_method(
            ReconciliationActivities.expire_leases, start_to_close_timeout=PAGE_TIMEOUT, summary="leases that ran out"
        )
        missing = ReconciliationActivities.create_follow_ups
        follow_ups = await _step(missing, wanted.page.grace_seconds, "follow-ups that are missing")
        return found.plus(stuck).plus(leases).plus(follow_ups).model_copy(update={"after": after})


def _stopped_at() -> Cursor | None:
    """Where the scheduled round before this one has stopped, if it hasn't come to the end."""
    last = workflow.get_last_completion_result(Compared) if workflow.has_last_completion_result() else None
    return last.after if last else None


async def _all_pages(wanted: Reconcile, after: Cursor | None) -> Compared:
    """As many pages as are wanted; `after` of the answer is where they stop, if that isn't the end."""
    found, taken = wanted.so_far, 0
    while True:
        found = found.plus(await _compare(wanted.page.model_copy(update={"after": after})))
        after, taken = found.after, taken + 1
        if after is None or taken == wanted.pages:
            return found
        if workflow.info().is_continue_as_new_suggested():
            page = wanted.page.model_copy(update={"after": after})
            workflow.continue_as_new(wanted.model_copy(update={"page": page, "so_far": found}))


async def _compare(page: Page) -> Compared:
    return await _step(ReconciliationActivities.compare_page, page, "open rows with their runs")


async def _step(method: Callable[[Any, Argument], Awaitable[Compared]], argument: Argument, summary: str) -> Compared:
    return await workflow.execute_activity_method(
        method, argument, start_to_close_timeout=PAGE_TIMEOUT, summary=summary
    )
