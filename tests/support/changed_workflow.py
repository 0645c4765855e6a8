"""Two changed versions of the workflow: sleeping runs replay on one of them, and break on the other."""

from datetime import timedelta

from temporalio import workflow

from workflows.messages import ScheduledActivityInput, Standing
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.words import ActivityStatus


@workflow.defn(name="ScheduledActivityWorkflow")
class Patched(ScheduledActivityWorkflow):
    """Add a timer before the mark, only for runs that reach that place on this code."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> ActivityStatus:
        """Run the workflow with one more timer at its beginning."""
        if workflow.patched("look-around-first"):
            await workflow.sleep(timedelta(milliseconds=10), summary="looks around first")
        return await super().run(scheduled)

    async def _mark_due(self) -> Standing:
        if workflow.patched("breathe-before-the-mark"):
            await workflow.sleep(timedelta(milliseconds=10), summary="breathes")
        return await super()._mark_due()


@workflow.defn(name="ScheduledActivityWorkflow")
class Careless(ScheduledActivityWorkflow):
    """Add the same timer for all runs, also for those that have passed that place already."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> ActivityStatus:
        """Run the workflow with a timer that no recorded history has."""
        await workflow.sleep(timedelta(milliseconds=10))
        return await super().run(scheduled)
