"""One change to many activities: chosen once, then changed one after another at a bounded rate, until it is stopped."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.activities import BulkOperationActivities
from workflows.bulk import BulkOperation, BulkState, Chunk, ChunkDone, Finish
from workflows.steps import LONGEST_RETRY_INTERVAL

ROUNDS = 3
"""How often an item is tried that fails for a reason that may pass."""

BETWEEN_ROUNDS = timedelta(seconds=10)

CHUNK_SECONDS = 2
"""How much of the work is one step: as long as it may take until a stop is heard."""

RETRIES = RetryPolicy(maximum_interval=LONGEST_RETRY_INTERVAL)


@workflow.defn
class BulkOperationWorkflow:
    """The table has what became of each item; a step that runs twice goes on where the first one ended."""

    @workflow.init
    def __init__(self, operation: BulkOperation) -> None:
        self._operation = operation
        self._stop_asked = False
        self._state = BulkState.RUNNING

    @workflow.run
    async def run(self, _: BulkOperation) -> BulkState:
        """The whole story; answers how it ended."""
        if not self._operation.collected:
            await self._collect()
        state = await self._change_all()
        finish = Finish(tenant_id=self._operation.tenant_id, id=self._operation.id, state=state)
        await workflow.execute_activity_method(
            BulkOperationActivities.finish,
            finish,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RETRIES,
            summary=state.lower(),
        )
        self._state = state
        await workflow.wait_condition(workflow.all_handlers_finished)
        return state

    @workflow.update(
        name="stop", description="Leaves what isn't changed yet as it is; answers once it has stopped. No arguments."
    )
    async def stop(self) -> BulkState:
        """Possible at any time; what has ended stays as it ended."""
        self._stop_asked = True
        await workflow.wait_condition(lambda: self._state is not BulkState.RUNNING)
        return self._state

    async def _collect(self) -> None:
        """Choose the items, all at one moment: what is created later isn't among them."""
        await workflow.execute_activity_method(
            BulkOperationActivities.collect,
            self._operation,
            start_to_close_timeout=timedelta(minutes=5),
            retry_policy=RETRIES,
            summary="choose the activities",
        )
        self._operation = self._operation.model_copy(update={"collected": True})

    async def _change_all(self) -> BulkState:
        """Chunk by chunk; what couldn't be changed for a reason that may pass gets another round."""
        while not self._stop_asked:
            done = await self._change_some()
            if done.after is not None:
                self._operation = self._operation.model_copy(update={"after": done.after})
            elif done.pending and self._operation.round < ROUNDS:
                await self._begin_another_round()
            else:
                return BulkState.COMPLETED
            if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                workflow.continue_as_new(self._operation)
        return BulkState.STOPPED

    async def _begin_another_round(self) -> None:
        """After a while: what was in the way may be gone then."""
        next_round = {"after": 0, "round": self._operation.round + 1}
        self._operation = self._operation.model_copy(update=next_round)
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._stop_asked, timeout=BETWEEN_ROUNDS)

    async def _change_some(self) -> ChunkDone:
        operation = self._operation
        workflow.set_current_details(f"**{operation.change.verb}**: round {operation.round}, {operation.after} seen.")
        chunk = Chunk(
            tenant_id=operation.tenant_id,
            id=operation.id,
            after=operation.after,
            size=operation.per_second * CHUNK_SECONDS,
            per_second=operation.per_second,
            round=operation.round,
        )
        return await workflow.execute_activity_method(
            BulkOperationActivities.change_some,
            chunk,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RETRIES,
            summary=f"from item {operation.after + 1} on",
        )
