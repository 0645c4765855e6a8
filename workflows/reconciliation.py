"""Compares rows with runs, page by page: run by a Temporal Schedule, and by an operator's command."""

from datetime import timedelta

from temporalio import workflow

from workflows.activities import ReconciliationActivities
from workflows.findings import Compared, Reconcile

PAGE_TIMEOUT = timedelta(minutes=2)


@workflow.defn
class ReconciliationWorkflow:
    """One round over all open rows; its result says what was found and done."""

    @workflow.run
    async def run(self, wanted: Reconcile) -> Compared:
        """Each page is one step; a long round goes on in a new run."""
        found = wanted.so_far
        page = wanted.page
        while True:
            compared = await workflow.execute_activity_method(
                ReconciliationActivities.compare_page,
                page,
                start_to_close_timeout=PAGE_TIMEOUT,
                summary="open rows with their runs",
            )
            found = found.plus(compared)
            if compared.after is None:
                break
            page = page.model_copy(update={"after": compared.after})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(wanted.model_copy(update={"page": page, "so_far": found}))
        stuck = await workflow.execute_activity_method(
            ReconciliationActivities.find_stuck,
            wanted.stuck_seconds,
            start_to_close_timeout=PAGE_TIMEOUT,
            summary="runs without a row",
        )
        leases = await workflow.execute_activity_method(
            ReconciliationActivities.expire_leases, start_to_close_timeout=PAGE_TIMEOUT, summary="leases that ran out"
        )
        found = found.plus(stuck).plus(leases)
        if workflow.patched("follow-ups"):
            follow_ups = await workflow.execute_activity_method(
                ReconciliationActivities.create_follow_ups,
                wanted.page.grace_seconds,
                start_to_close_timeout=PAGE_TIMEOUT,
                summary="follow-ups that are missing",
            )
            found = found.plus(follow_ups)
        return found
