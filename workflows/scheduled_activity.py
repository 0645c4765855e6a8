"""One scheduled activity, from the request that creates it to the moment it is marked for execution."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows import display
from workflows.activities import ResolutionActivities, ScheduledActivityActivities, is_rejection
from workflows.payloads import (
    ActivityStatus,
    MarkDue,
    Pending,
    Record,
    ResolutionMoment,
    Resolve,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.search_attributes import ACTIVITY_STATUS
from workflows.steps import creation_step, step

OPEN = (ActivityStatus.READY, ActivityStatus.UNRESOLVED)
"""The statuses in which a run goes on; in all others PostgreSQL alone holds the activity."""


@workflow.defn
class ScheduledActivityWorkflow:
    """Resolve, record, answer, wait for the time, mark: the row decides every race, and the mark ends the run."""

    @workflow.init
    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        self._scheduled = scheduled
        self._snapshot: Snapshot | None = None
        self._refusal: FailureError | None = None
        self._standing = Standing(
            status=ActivityStatus.RESOLVING, version=0, scheduled_at=scheduled.request.scheduled_at
        )

    @workflow.run
    async def run(self, _: ScheduledActivityInput) -> ActivityStatus:
        """The whole story; answers the status in which it is left to PostgreSQL."""
        try:
            self._snapshot = await self._resolve_and_record()
        except FailureError as failure:
            await self._refuse(failure)
            raise
        self._stands(self._snapshot.standing)
        while self._standing.status in OPEN:
            if await self._time_comes_before_a_change():
                self._stands(await self._mark_due())
            await workflow.wait_condition(workflow.all_handlers_finished)
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
        """First the commerce, then what doesn't depend on one another together, judged in the contract's order."""
        found = await creation_step(ScheduledActivityActivities.resolve_commerce, self._scheduled, "commerce")
        if found.recorded:
            return found.recorded
        resolve = Resolve(scheduled=self._scheduled)
        reason = asyncio.create_task(creation_step(ResolutionActivities.resolve_reason, resolve, "reason"))
        target = asyncio.create_task(creation_step(ResolutionActivities.resolve_target, resolve, "target user"))
        attributes = asyncio.create_task(creation_step(ResolutionActivities.resolve_attributes, resolve, "attributes"))
        await workflow.wait((reason, target, attributes))
        record = Record(
            scheduled=self._scheduled,
            reason=reason.result(),
            target=target.result(),
            attributes=attributes.result(),
        )
        return await creation_step(ScheduledActivityActivities.record, record, "row and first event")

    async def _refuse(self, failure: FailureError) -> None:
        """Let the caller know first: a run that fails makes the idempotency key usable again."""
        status = ActivityStatus.REJECTED if is_rejection(failure) else ActivityStatus.FAILED
        workflow.upsert_search_attributes([ACTIVITY_STATUS.value_set(status)])
        self._refusal = failure
        await workflow.wait_condition(workflow.all_handlers_finished)

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
        seen, target, attributes = self._standing, None, None
        resolve = Resolve(scheduled=self._scheduled, moment=ResolutionMoment.WAKE_UP)
        if {Pending.TARGET, Pending.MANUAL_TARGET} & set(seen.pending):
            target = await step(ResolutionActivities.resolve_target, resolve, "target user, at its time")
        if Pending.ATTRIBUTES in seen.pending:
            attributes = await step(ResolutionActivities.resolve_attributes, resolve, "attributes, at its time")
        mark = MarkDue(
            tenant_id=self._scheduled.tenant_id,
            id=self._scheduled.id,
            version=seen.version,
            target=target,
            attributes=attributes,
        )
        return await step(ScheduledActivityActivities.mark_due, mark, "marked for execution")

    def _stands(self, standing: Standing) -> None:
        """Take note of the row as a step has left it, unless a later answer has come first; show it to operators."""
        if standing.version <= self._standing.version:
            return
        if standing.status is not self._standing.status:
            workflow.upsert_search_attributes([ACTIVITY_STATUS.value_set(standing.status)])
        self._standing = standing
        workflow.set_current_details(display.waits_for(standing, self._scheduled.wake_at(standing)))
