"""The workflow of a bulk operation: choose the activities once, then change them at a bounded rate until stopped."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from workflows.activities import BulkOperationActivities
from workflows.actors import read_actor
from workflows.bulk import BulkOperation, BulkState, Chunk, ChunkDone, Finish
from workflows.steps import run_long_step

ROUNDS = 3
"""The number of attempts for an item that fails for a reason that may pass."""

BETWEEN_ROUNDS = timedelta(seconds=10)

CHUNK_SECONDS = 2
"""The amount of work in one step, and so the longest time until a stop takes effect."""


@workflow.defn
class BulkOperationWorkflow:
    """Collect the items of the operation, change them in chunks, and record the final state.

    The table of items records each outcome, so a step that runs twice continues from its first run.
    """

    @workflow.init
    def __init__(self, operation: BulkOperation) -> None:
        actor = operation.actor if operation.collected else read_actor(workflow.info().headers)
        self._operation = operation.model_copy(update={"actor": actor})
        self._stop_asked = False
        self._state = BulkState.RUNNING

    @workflow.run
    async def run(self, _: BulkOperation) -> BulkState:
        """Carry the operation out; return its final state."""
        if not self._operation.collected:
            await self._collect()
        state = await self._change_all()
        finish = Finish(tenant_id=self._operation.tenant_id, id=self._operation.id, state=state)
        self._state = await run_long_step(
            BulkOperationActivities.finish, finish, f"record {state.lower()}", at_most=timedelta(minutes=1)
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    @workflow.update(
        name="stop", description="Stop the operation: items not changed yet stay as they are. No arguments."
    )
    async def stop(self) -> BulkState:
        """Stop the operation and return its final state; an operation that has ended keeps the state it has."""
        self._stop_asked = True
        await workflow.wait_condition(lambda: self._state is not BulkState.RUNNING)
        return self._state

    async def _collect(self) -> None:
        """Choose the items, all at one moment; activities that are created later are not among them."""
        await run_long_step(
            BulkOperationActivities.collect, self._operation, "choose the activities", at_most=timedelta(minutes=5)
        )
        self._operation = self._operation.model_copy(update={"collected": True})

    async def _change_all(self) -> BulkState:
        """Change all items in chunks until the operation is stopped, by its update or in its row.

        Items that failed for a reason that may pass get another round.
        """
        while not self._stop_asked:
            done = await self._change_some()
            if done.state is not BulkState.RUNNING:
                return BulkState.STOPPED
            if done.after is not None:
                self._operation = self._operation.model_copy(update={"after": done.after})
            elif done.pending and self._operation.round < ROUNDS:
                await self._begin_next_round()
            else:
                return BulkState.COMPLETED
            if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                workflow.continue_as_new(self._operation)
        return BulkState.STOPPED

    async def _begin_next_round(self) -> None:
        """Start again at the first item, after a wait that gives the cause of the failures time to pass."""
        next_round = {"after": 0, "round": self._operation.round + 1}
        self._operation = self._operation.model_copy(update=next_round)
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._stop_asked, timeout=BETWEEN_ROUNDS)

    async def _change_some(self) -> ChunkDone:
        operation = self._operation
        workflow.set_current_details(
            f"**{operation.change.verb}**: round {operation.round}, {operation.after} items done."
        )
        chunk = Chunk(
            tenant_id=operation.tenant_id,
            id=operation.id,
            after=operation.after,
            size=operation.per_second * CHUNK_SECONDS,
            per_second=operation.per_second,
            round=operation.round,
            request_id=operation.request_id,
            traceparent=operation.traceparent,
        )
        summary = f"change items from {operation.after + 1} on"
        done = await run_long_step(BulkOperationActivities.change_some, chunk, summary, at_most=timedelta(minutes=10))
        if done.state is not BulkState.COLLECTING:
            return done
        await self._choose_again()
        return ChunkDone(after=0)

    async def _choose_again(self) -> None:
        """Choose the items once more, because PostgreSQL was restored to a time before they were chosen.

        A key of an earlier round would be answered by the change that a run has carried out before the restore.
        """
        self._operation = self._operation.model_copy(update={"after": 0, "round": self._operation.round + 1})
        await self._collect()
