"""The workflow of one scheduled activity: from the request that creates it to the mark that makes it due."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from workflows import display, limits
from workflows.activities import ResolutionActivities, ScheduledActivityActivities, rejection_of
from workflows.changes import ChangeableActivity, reject_faulty
from workflows.messages import Cancel, MarkDue, Resolve, ScheduledActivityInput, Snapshot, Standing
from workflows.resolution import decide_in_order
from workflows.search_attributes import ACTIVITY_STATUS
from workflows.steps import GaveWayError, TroubleError, run_local_step, run_visible_step
from workflows.words import OPEN, ActivityStatus, ResolutionMoment

ALL_STEPS = "commerce, reason, target user, attributes, row and first event"


@workflow.defn
class ScheduledActivityWorkflow(ChangeableActivity):
    """Resolve and record the activity, answer its creator, sleep until its time, then mark it as due.

    The row in PostgreSQL decides every race: a step writes only if the row's status and version still allow it. The
    mark ends the run; from then on PostgreSQL alone holds the activity.
    """

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, scheduled: ScheduledActivityInput) -> ActivityStatus:
        """Take the activity from its creation to its mark; return its status at the end of the run."""
        workflow.set_current_details(display.RESUMED if scheduled.is_continued else display.RESOLVING)
        try:
            self._snapshot = await self._resolve_and_record()
            self._adopt_standing(self._snapshot.standing)
            while self._standing.status in OPEN:
                if await self._sleep_until_wake_up():
                    await self._mark_in_turn()
                await workflow.wait_condition(workflow.all_handlers_finished)
                if workflow.info().is_continue_as_new_suggested() and self._standing.status in OPEN:
                    workflow.continue_as_new(self._scheduled.model_copy(update={"is_continued": True}))
            # A change may come with the first task of a run whose row has ended: its caller gets an answer.
            await workflow.wait_condition(workflow.all_handlers_finished)
        except (FailureError, asyncio.CancelledError) as failure:
            await self._close_after(failure)
            raise
        return self._standing.status

    @workflow.update(name="create", description="Return the activity once it is recorded, or fail with the reason.")
    async def create(self) -> Snapshot:
        """Return the recorded activity to the call that started this run."""
        await self._wait_for_creation()
        if self._snapshot:
            return self._snapshot
        raise self._creation_failure or AssertionError

    @create.validator
    def _validate_create(self) -> None:
        reject_faulty()

    async def _resolve_and_record(self) -> Snapshot:
        """Create the activity in one local step; after a failure, in named steps that an operator can see and retry."""
        try:
            return await run_local_step(ScheduledActivityActivities.create, self._scheduled, ALL_STEPS)
        except TroubleError:
            return await self._resolve_step_by_step()

    async def _resolve_step_by_step(self) -> Snapshot:
        """Find the commerce, then resolve the independent parts together, then record the activity."""
        workflow.upsert_search_attributes([ACTIVITY_STATUS.value_set(ActivityStatus.RESOLVING)])
        found = await run_visible_step(ScheduledActivityActivities.resolve_commerce, self._scheduled, "commerce")
        if found.recorded:
            return found.recorded
        resolve = Resolve(scheduled=self._scheduled)
        reason = asyncio.create_task(run_visible_step(ResolutionActivities.resolve_reason, resolve, "reason"))
        target = asyncio.create_task(run_visible_step(ResolutionActivities.resolve_target, resolve, "target user"))
        attributes = asyncio.create_task(
            run_visible_step(ResolutionActivities.resolve_attributes, resolve, "attributes")
        )
        await workflow.wait((reason, target, attributes))
        record = decide_in_order(reason.result, target.result, attributes.result).as_record(self._scheduled)
        return await run_visible_step(ScheduledActivityActivities.record, record, "row and first event")

    async def _sleep_until_wake_up(self) -> bool:
        """Sleep until the wake-up, without end while UNRESOLVED.

        Return False if a change ends the sleep, or if Temporal suggests to continue as new: after its limit of updates,
        which those that change nothing reach as well, the run could not be changed any more.
        """
        seen = self._standing
        wake_at = self._scheduled.wake_at(seen)
        is_ready = seen.status is ActivityStatus.READY
        try:
            await workflow.wait_condition(
                lambda: self._standing != seen or workflow.info().is_continue_as_new_suggested(),
                timeout=max(wake_at - workflow.now(), timedelta(0)) if is_ready else None,
                timeout_summary=f"until {display.format_minute(wake_at)}",
            )
        except TimeoutError:
            return True
        return False

    async def _mark_in_turn(self) -> None:
        """Mark the activity when the changes accepted before have been carried out, unless one of them changed it.

        While PostgreSQL can't be reached, changes that are accepted meanwhile go first; the run then tries again.
        """
        seen = self._standing
        async with self._queue.turn():
            if self._standing == seen:
                with suppress(GaveWayError):
                    await self._mark_due()

    async def _mark_due(self) -> Standing:
        """Resolve what was left for the wake-up, then mark the activity; return the row's standing."""
        # The version is read before the resolution: a change that comes during it makes the mark write nothing.
        version = self._standing.version
        give_way = self._queue.is_awaited
        target, attributes = await self._resolve_open_parts(ResolutionMoment.WAKE_UP, give_way)
        mark = MarkDue(
            tenant_id=self._scheduled.tenant_id,
            id=self._scheduled.id,
            version=version,
            target=target,
            attributes=attributes,
            request_id=self._scheduled.request_id,
            created_by=self._scheduled.traceparent,
        )
        step = ScheduledActivityActivities.mark_due
        return await self._run_on_row(step, mark, "marked for execution", give_way=give_way)

    async def _close_after(self, failure: BaseException) -> None:
        """Answer the creator of a failed creation, or cancel the row of a cancelled run; then let handlers finish."""
        if self._snapshot is None:
            self._fail_creation(failure)
        elif is_cancelled_exception(failure):
            await self._cancel_row()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _fail_creation(self, failure: BaseException) -> None:
        """Keep the failure for the creator, and show whether the caller or an operator has to act."""
        status = ActivityStatus.REJECTED if rejection_of(failure) else ActivityStatus.FAILED
        workflow.upsert_search_attributes([ACTIVITY_STATUS.value_set(status)])
        cancelled = ApplicationError("The run was cancelled in Temporal.")
        self._creation_failure = failure if isinstance(failure, FailureError) else cancelled

    async def _cancel_row(self) -> None:
        """Cancel the activity because an operator has cancelled its run in Temporal."""
        reason = limits.make_storable(workflow.cancellation_reason() or "")
        why = ": ".join(filter(None, ("The run was cancelled in Temporal", reason)))
        with suppress(FailureError):  # an executor has claimed it: only the run can still be cancelled
            async with self._queue.turn():
                await self._carry_out(Cancel(reason=why), key="cancel-request")
