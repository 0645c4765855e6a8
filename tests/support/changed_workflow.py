"""The workflow after two changes of its steps: one that sleeping runs survive, and one that they don't."""

from datetime import timedelta

from temporalio import workflow

from workflows.messages import ScheduledActivityInput, Standing
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.words import ActivityStatus


@workflow.defn(name="ScheduledActivityWorkflow")
class Patched(ScheduledActivityWorkflow):
    """Waits a moment before the mark, in runs that begin that part of their story on this code."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> ActivityStatus:
        """The same story, but for one new step."""
        if workflow.patched("look-around-first"):
            await workflow.sleep(timedelta(milliseconds=10), summary="looks around first")
        return await super().run(scheduled)

    async def _mark_due(self) -> Standing:
        if workflow.patched("breathe-before-the-mark"):
            await workflow.sleep(timedelta(milliseconds=10), summary="breathes")
        return await super()._mark_due()


@workflow.defn(name="ScheduledActivityWorkflow")
class Careless(ScheduledActivityWorkflow):
    """The same new step, without asking whether the run has passed that place already."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> ActivityStatus:
        """A story that no recorded history tells."""
        await workflow.sleep(timedelta(milliseconds=10))
        return await super().run(scheduled)
