"""The least that Temporal can do for a creation: a run that answers an update and has nothing else to do."""

from temporalio import workflow

QUEUE = "bench-floor"


@workflow.defn
class EmptyWorkflow:
    """Answers and ends."""

    @workflow.run
    async def run(self) -> None:
        """Wait for the answer to be given."""
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def create(self) -> str:
        """Nothing to do."""
        return "READY"
