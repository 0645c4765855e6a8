"""The workflow that compares rows with runs, page by page: started by a Temporal Schedule or an operator's command."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

from workflows.activities import ReconciliationActivities
from workflows.findings import Compared, Cursor, Page, Reconcile
from workflows.steps import HEARTBEAT_TIMEOUT, run_long_step

PAGE_TIMEOUT = timedelta(minutes=2)

Argument = TypeVar("Argument")


@workflow.defn
class ReconciliationWorkflow:
    """Carry out one round; its result holds the findings, and the position where the next round continues."""

    @workflow.run
    async def run(self, wanted: Reconcile) -> Compared:
        """Compare the pages of one round, each in a step of its own; a long round continues in a new run."""
        if wanted.ended_within_seconds:
            ended = ReconciliationActivities.settle_ended
            settled = await _run_step(ended, wanted.ended_within_seconds, "runs that were ended from outside")
            wanted = wanted.with_findings(settled)
        resume_at = _find_end_of_last_round() if wanted.pages else None
        if resume_at:
            # The rows that are due first are compared in every round, wherever the round continues.
            wanted = wanted.with_findings(await _compare_page(wanted.page.model_copy(update={"ready_only": True})))
        found = await _compare_pages(wanted, resume_at or wanted.page.after)
        after = found.after
        stuck = await _run_step(ReconciliationActivities.find_stuck, wanted.stuck_seconds, "runs without a row")
        leases = await workflow.execute_activity_method(
            ReconciliationActivities.expire_leases,
            start_to_close_timeout=PAGE_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            summary="leases that ran out",
        )
        missing = ReconciliationActivities.create_follow_ups
        follow_ups = await _run_step(missing, wanted.page.grace_seconds, "follow-ups that are missing")
        operations = await workflow.execute_activity_method(
            ReconciliationActivities.settle_operations,
            start_to_close_timeout=PAGE_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            summary="bulk operations without a run",
        )
        merged = found.merge(stuck).merge(leases).merge(follow_ups).merge(operations)
        return merged.model_copy(update={"after": after})


def _find_end_of_last_round() -> Cursor | None:
    """Return the position where the last scheduled round stopped; None if it reached the end."""
    last = workflow.get_last_completion_result(Compared) if workflow.has_last_completion_result() else None
    return last.after if last else None


async def _compare_pages(wanted: Reconcile, after: Cursor | None) -> Compared:
    """Compare the wanted number of pages; `after` of the answer is the position reached, None after the last row."""
    found, compared = wanted.so_far, 0
    while True:
        found = found.merge(await _compare_page(wanted.page.model_copy(update={"after": after})))
        after, compared = found.after, compared + 1
        if after is None or compared == wanted.pages:
            return found
        if workflow.info().is_continue_as_new_suggested():
            page = wanted.page.model_copy(update={"after": after})
            workflow.continue_as_new(wanted.model_copy(update={"page": page, "so_far": found}))


async def _compare_page(page: Page) -> Compared:
    return await _run_step(ReconciliationActivities.compare_page, page, "open rows with their runs")


async def _run_step(
    method: Callable[[ReconciliationActivities, Argument], Awaitable[Compared]], argument: Argument, summary: str
) -> Compared:
    return await run_long_step(method, argument, summary, at_most=PAGE_TIMEOUT)
