"""Define the workflow with no step, two and five, beside the one step that it has; each sleeps afterwards."""

from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

from workflows.activities import ResolutionActivities, ScheduledActivityActivities
from workflows.messages import Record, Resolve, ScheduledActivityInput, Snapshot
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.steps import run_local_step

QUEUE = "bench-steps"


class Half:
    """The steps of a creation in two halves: the first decides, the second is `record`."""

    @activity.defn(name="decide")
    async def decide(self, scheduled: ScheduledActivityInput) -> Record:
        """Resolve everything that the row records."""
        raise NotImplementedError


@workflow.defn
class TwoSteps(ScheduledActivityWorkflow):
    """A creation of two steps: one decides, the other writes."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> Any:
        """Run as the base class does."""
        return await super().run(scheduled)

    async def _resolve_and_record(self) -> Snapshot:
        record = await run_local_step(Half.decide, self._scheduled, "commerce, reason, target user, attributes")
        return await run_local_step(ScheduledActivityActivities.record, record, "row and first event")


@workflow.defn
class FiveSteps(ScheduledActivityWorkflow):
    """A creation of five steps, each a local activity, one after the other."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> Any:
        """Run as the base class does."""
        return await super().run(scheduled)

    async def _resolve_and_record(self) -> Snapshot:
        resolve = Resolve(scheduled=self._scheduled)
        await run_local_step(ScheduledActivityActivities.resolve_commerce, self._scheduled, "commerce")
        record = Record(
            scheduled=self._scheduled,
            reason=await run_local_step(ResolutionActivities.resolve_reason, resolve, "reason"),
            target=await run_local_step(ResolutionActivities.resolve_target, resolve, "target user"),
            attributes=await run_local_step(ResolutionActivities.resolve_attributes, resolve, "attributes"),
        )
        return await run_local_step(ScheduledActivityActivities.record, record, "row and first event")


@workflow.defn
class NoSteps:
    """A run without steps: an answer, and a timer for a month."""

    def __init__(self) -> None:
        self._begun = False

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> None:
        """Sleep until the activity's time."""
        wait = scheduled.request.scheduled_at - workflow.now()
        self._begun = True
        await workflow.wait_condition(lambda: False, timeout=max(wait, timedelta(0)))

    @workflow.update
    async def create(self) -> str:
        """Answer once the run has begun."""
        await workflow.wait_condition(lambda: self._begun)
        return "READY"
