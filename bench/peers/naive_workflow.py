"""Temporal as its tutorials have it: every step a regular activity, one after the other."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from workflows.activities import ResolutionActivities, ScheduledActivityActivities
from workflows.messages import MarkDue, Record, Resolve, ScheduledActivityInput, Snapshot

QUEUE = "bench-naive"


async def step(method: Any, argument: Any) -> Any:
    """A regular activity."""
    return await workflow.execute_activity_method(method, argument, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class NaiveWorkflow:
    """The same steps, the same answer, the same wait, the same mark."""

    def __init__(self) -> None:
        self._recorded: Snapshot | None = None

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> str:
        """The whole life."""
        await step(ScheduledActivityActivities.resolve_commerce, scheduled)
        resolve = Resolve(scheduled=scheduled)
        reason = await step(ResolutionActivities.resolve_reason, resolve)
        target = await step(ResolutionActivities.resolve_target, resolve)
        attributes = await step(ResolutionActivities.resolve_attributes, resolve)
        ready = Record(scheduled=scheduled, reason=reason, target=target, attributes=attributes)
        self._recorded = await step(ScheduledActivityActivities.record, ready)
        wait = scheduled.request.scheduled_at - workflow.now()
        if wait > timedelta(0):
            await workflow.sleep(wait)
        mark = MarkDue(tenant_id=scheduled.tenant_id, id=scheduled.id, version=1)
        await step(ScheduledActivityActivities.mark_due, mark)
        return "DUE"

    @workflow.update
    async def create(self) -> Snapshot:
        """Answers once the row is there."""
        await workflow.wait_condition(lambda: self._recorded is not None)
        if self._recorded is None:
            raise AssertionError
        return self._recorded
