"""Define the workflow as in Temporal's tutorials: every step is a regular activity, one after the other."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from workflows.activities import ResolutionActivities, ScheduledActivityActivities
from workflows.messages import MarkDue, Record, Resolve, ScheduledActivityInput, Snapshot

QUEUE = "bench-naive"


async def run_step(method: Any, argument: Any) -> Any:
    """Run a step as a regular activity."""
    return await workflow.execute_activity_method(method, argument, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class NaiveWorkflow:
    """A workflow with the steps, answer, wait and mark of ours."""

    def __init__(self) -> None:
        self._recorded: Snapshot | None = None

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> str:
        """Create, wait and mark."""
        await run_step(ScheduledActivityActivities.resolve_commerce, scheduled)
        resolve = Resolve(scheduled=scheduled)
        reason = await run_step(ResolutionActivities.resolve_reason, resolve)
        target = await run_step(ResolutionActivities.resolve_target, resolve)
        attributes = await run_step(ResolutionActivities.resolve_attributes, resolve)
        ready = Record(scheduled=scheduled, reason=reason, target=target, attributes=attributes)
        self._recorded = await run_step(ScheduledActivityActivities.record, ready)
        wait = scheduled.request.scheduled_at - workflow.now()
        if wait > timedelta(0):
            await workflow.sleep(wait)
        mark = MarkDue(tenant_id=scheduled.tenant_id, id=scheduled.id, version=1)
        await run_step(ScheduledActivityActivities.mark_due, mark)
        return "DUE"

    @workflow.update
    async def create(self) -> Snapshot:
        """Answer once the row is recorded."""
        await workflow.wait_condition(lambda: self._recorded is not None)
        if self._recorded is None:
            raise AssertionError
        return self._recorded
