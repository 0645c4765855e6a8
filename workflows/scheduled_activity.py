"""One scheduled activity, from the request that creates it to the moment it is marked for execution."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from workflows import display
from workflows.activities import ResolutionActivities, ScheduledActivityActivities, is_rejection
from workflows.changes import ChangeableActivity
from workflows.messages import Cancel, MarkDue, Record, Resolve, ScheduledActivityInput, Snapshot, Standing
from workflows.search_attributes import ACTIVITY_STATUS
from workflows.steps import TroubleError, locally, step, visibly
from workflows.words import OPEN, ActivityStatus, ResolutionMoment

ALL_STEPS = "commerce, reason, target user, attributes, row and first event"


@workflow.defn
class ScheduledActivityWorkflow(ChangeableActivity):
    """Resolve, record, answer, wait for the time, mark: the row decides every race, and the mark ends the run."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        super().__init__(scheduled)

    @workflow.run
    async def run(self, _: ScheduledActivityInput) -> ActivityStatus:
        """The whole story; answers the status in which the activity is left to PostgreSQL."""
        workflow.set_current_details("**RESOLVING**: looks for commerce, reason, target user and attributes.")
        try:
            self._snapshot = await self._resolve_and_record()
            self._stands(self._snapshot.standing)
            while self._standing.status in OPEN:
                if await self._time_comes_before_a_change():
                    self._stands(await self._mark_due())
                await workflow.wait_condition(workflow.all_handlers_finished)
                if workflow.info().is_continue_as_new_suggested() and self._standing.status in OPEN:
                    workflow.continue_as_new(self._scheduled)
        except (FailureError, asyncio.CancelledError) as failure:
            await self._end_early(failure)
            raise
        return self._standing.status

    @workflow.update(
        name="create", description="Answers when the activity is recorded, or with the reason why it can't be."
    )
    async def create(self) -> Snapshot:
        """What the creating call waits for; it starts the run as well."""
        await workflow.wait_condition(lambda: bool(self._snapshot or self._refusal))
        if self._snapshot:
            return self._snapshot
        raise self._refusal or AssertionError

    async def _resolve_and_record(self) -> Snapshot:
        """Create the activity in one local step; after a failure, in named steps that an operator can see and retry."""
        try:
            return await locally(ScheduledActivityActivities.create, self._scheduled, ALL_STEPS)
        except TroubleError:
            return await self._resolve_step_by_step()

    async def _resolve_step_by_step(self) -> Snapshot:
        """Find the commerce, then the independent parts together; report their failures in the contract's order."""
        found = await visibly(ScheduledActivityActivities.resolve_commerce, self._scheduled, "commerce")
        if found.recorded:
            return found.recorded
        resolve = Resolve(scheduled=self._scheduled)
        reason = asyncio.create_task(visibly(ResolutionActivities.resolve_reason, resolve, "reason"))
        target = asyncio.create_task(visibly(ResolutionActivities.resolve_target, resolve, "target user"))
        attributes = asyncio.create_task(visibly(ResolutionActivities.resolve_attributes, resolve, "attributes"))
        await workflow.wait((reason, target, attributes))
        record = Record(
            scheduled=self._scheduled, reason=reason.result(), target=target.result(), attributes=attributes.result()
        )
        return await visibly(ScheduledActivityActivities.record, record, "row and first event")

    async def _time_comes_before_a_change(self) -> bool:
        """Sleep until its time (UNRESOLVED has none), or until a handler has changed where it stands."""
        seen = self._standing
        wake_at = self._scheduled.wake_at(seen)
        ready = seen.status is ActivityStatus.READY
        try:
            await workflow.wait_condition(
                lambda: self._standing != seen,
                timeout=max(wake_at - workflow.now(), timedelta(0)) if ready else None,
                timeout_summary=f"until {display.minute(wake_at)}",
            )
        except TimeoutError:
            return True
        return False

    async def _mark_due(self) -> Standing:
        """Resolve what was left for this moment, then mark it: if anything has changed meanwhile, nothing is marked."""
        seen = self._standing
        target, attributes = await self._resolve_open_parts(ResolutionMoment.WAKE_UP)
        mark = MarkDue(
            tenant_id=self._scheduled.tenant_id,
            id=self._scheduled.id,
            version=seen.version,
            target=target,
            attributes=attributes,
        )
        return await step(ScheduledActivityActivities.mark_due, mark, "marked for execution")

    async def _end_early(self, failure: BaseException) -> None:
        """A refused creation answers its caller before it fails; a cancelled run leaves a cancelled row."""
        if self._snapshot and is_cancelled_exception(failure):
            why = ": ".join(filter(None, ("The run was cancelled in Temporal", workflow.cancellation_reason())))
            with suppress(FailureError):  # taken by an executor: then it can't be cancelled any more, the run can
                await self._apply(Cancel(reason=why), key="cancel-request")
        elif not self._snapshot:
            refused = is_rejection(failure)
            status = ActivityStatus.REJECTED if refused else ActivityStatus.FAILED
            workflow.upsert_search_attributes([ACTIVITY_STATUS.value_set(status)])
            self._refusal = failure if isinstance(failure, FailureError) else ApplicationError("cancelled in Temporal")
        await workflow.wait_condition(workflow.all_handlers_finished)
