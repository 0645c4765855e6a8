"""Our workflow with no steps and with two, beside the one and the five that it has: all of them sleep afterwards."""

from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

from workflows.activities import ScheduledActivityActivities
from workflows.payloads import Record, ScheduledActivityInput, Snapshot
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.steps import creation_step

QUEUE = "bench-steps"


class Half:
    """The steps of a creation in two halves: the first decides, the second is `record`."""

    @activity.defn(name="decide")
    async def decide(self, scheduled: ScheduledActivityInput) -> Record:
        """Everything up to the row."""
        raise NotImplementedError


@workflow.defn
class TwoSteps(ScheduledActivityWorkflow):
    """One local activity decides, another writes."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> Any:
        """The same story."""
        return await super().run(scheduled)

    async def _resolve_and_record(self) -> Snapshot:
        record = await creation_step(Half.decide, self._scheduled, "commerce, reason, target user, attributes")
        return await creation_step(ScheduledActivityActivities.record, record, "row and first event")


@workflow.defn
class NoSteps:
    """The run alone: an answer, and a timer for a month."""

    def __init__(self) -> None:
        self._begun = False

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> None:
        """Sleep."""
        wait = scheduled.request.scheduled_at - workflow.now()
        self._begun = True
        await workflow.wait_condition(lambda: False, timeout=max(wait, timedelta(0)))

    @workflow.update
    async def create(self) -> str:
        """Nothing to do but to begin."""
        await workflow.wait_condition(lambda: self._begun)
        return "READY"
