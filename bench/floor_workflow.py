"""Define the least that Temporal can do for a creation: a run that answers an update and ends."""

from temporalio import workflow

QUEUE = "bench-floor"


@workflow.defn
class EmptyWorkflow:
    """A run that answers one update and ends."""

    @workflow.run
    async def run(self) -> None:
        """End once the update is answered."""
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def create(self) -> str:
        """Answer at once."""
        return "READY"
