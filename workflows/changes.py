"""What clients and operators may do to an open run: updates, whose answer says what happened; the row decides."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import FailureError

from workflows import display, limits
from workflows.activities import ResolutionActivities, ScheduledActivityActivities, rejected
from workflows.messages import (
    ActivityRef,
    Apply,
    AssignTarget,
    Cancel,
    Change,
    ExecuteNow,
    Refresh,
    Rejection,
    Reschedule,
    Resolve,
    ResolvedAttributes,
    ResolvedTarget,
    RetryResolution,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.search_attributes import ACTIVITY_STATUS, SCHEDULED_AT
from workflows.steps import UNEXPECTED, step
from workflows.words import ActivityStatus, Pending, ResolutionMoment

EXECUTE_NOW, RETRY, REFRESH = ExecuteNow(), RetryResolution(), Refresh()
"""What the web UI's update form sends when nothing was typed into it."""


class ChangeableActivity:
    """Keeps where the activity stands, as far as the run knows; each update works from the web UI's form too."""

    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        info = workflow.info()
        reset_of = None if info.original_execution_run_id == info.run_id else info.original_execution_run_id
        self._scheduled = scheduled.model_copy(update={"reset_of": reset_of})
        self._snapshot: Snapshot | None = None
        self._refusal: FailureError | None = None
        self._standing = Standing(
            status=ActivityStatus.RESOLVING, version=0, scheduled_at=scheduled.request.scheduled_at
        )

    @workflow.update(name="cancel", description='It will not be executed. {"reason": "…"}')
    async def cancel(self, change: Cancel) -> Standing:
        """Possible while nobody has taken it."""
        return await self._apply(change)

    @workflow.update(name="reschedule", description='Move it: {"scheduled_at": "2025-01-16T09:00:00Z", "reason": "…"}')
    async def reschedule(self, change: Reschedule) -> Standing:
        """The timer moves with the row."""
        standing = await self._apply(change)
        if change.scheduled_at:
            self._scheduled = self._scheduled.model_copy(update={"lead_seconds": change.lead_seconds})
        return standing

    @workflow.update(name="execute_now", description="It becomes due at once, and keeps its scheduled_at. {}")
    async def execute_now(self, change: ExecuteNow = EXECUTE_NOW) -> Standing:
        """What was left for its time is resolved first."""
        target, attributes = await self._resolve_open_parts(ResolutionMoment.WAKE_UP)
        return await self._apply(change.model_copy(update={"target": target, "attributes": attributes}))

    @workflow.update(name="retry_resolution", description="What could not be resolved is tried again. {}")
    async def retry_resolution(self, change: RetryResolution = RETRY) -> Standing:
        """READY afterwards, or still UNRESOLVED with what failed now."""
        target, attributes = await self._resolve_open_parts(ResolutionMoment.RETRY)
        return await self._apply(change.model_copy(update={"target": target, "attributes": attributes}))

    @workflow.update(
        name="assign_target",
        description='Whom it is aimed at: {"target_user_id": "<of the activity>", "commerce_user_id": "<uuid>"}',
    )
    async def assign_target(self, change: AssignTarget) -> Standing:
        """READY afterwards, if that was all that was missing."""
        return await self._apply(change)

    @workflow.update(name="refresh", description="Read the row again; nothing is written. {}")
    async def refresh(self, refresh: Refresh = REFRESH) -> Standing:
        """Read the row again, after a change that the run has missed; take over the lead that belongs to its time."""
        key = await self._key()
        activity = ActivityRef(tenant_id=self._scheduled.tenant_id, id=self._scheduled.id)
        standing = await step(
            ScheduledActivityActivities.read_standing,
            activity,
            "where the row stands",
            step_id=f"refresh:{key}",
            give_up_on=(UNEXPECTED,),
        )
        if refresh.lead_seconds is not None:
            self._scheduled = self._scheduled.model_copy(update={"lead_seconds": refresh.lead_seconds})
        self._stands(standing)
        return standing

    @cancel.validator
    def _allow_cancel(self, change: Cancel) -> None:
        self._allow(change)

    @reschedule.validator
    def _allow_reschedule(self, change: Reschedule) -> None:
        self._allow(change)

    @execute_now.validator
    def _allow_execute_now(self, change: ExecuteNow = EXECUTE_NOW) -> None:
        self._allow(change)

    @retry_resolution.validator
    def _allow_retry_resolution(self, change: RetryResolution = RETRY) -> None:
        self._allow(change)

    @assign_target.validator
    def _allow_assign_target(self, change: AssignTarget) -> None:
        self._allow(change)

    def _allow(self, change: Change) -> None:
        fault = limits.fault_in(change, workflow.now())
        if fault:
            raise rejected(Rejection(code="validation_failed", detail=fault))

    async def _apply(self, change: Change, key: str | None = None) -> Standing:
        """Write it under the update's id.

        What PostgreSQL refuses for good fails the update: nothing hangs because of what was in it.
        """
        key = await self._key(key)
        apply = Apply(tenant_id=self._scheduled.tenant_id, id=self._scheduled.id, key=key, change=change)
        verb = apply.change.verb
        standing = await step(
            ScheduledActivityActivities.apply_change,
            apply,
            verb.replace("_", " "),
            step_id=f"{verb}:{key}",
            give_up_on=(UNEXPECTED,),
        )
        self._stands(standing)
        return standing

    async def _key(self, key: str | None = None) -> str:
        """Wait for the first step, since a reset hands updates in before it; then return the key of the step to run."""
        await workflow.wait_condition(lambda: bool(self._snapshot or self._refusal))
        update = workflow.current_update_info()
        return key or (update.id if update else workflow.info().run_id)

    async def _resolve_open_parts(
        self, moment: ResolutionMoment
    ) -> tuple[ResolvedTarget | None, ResolvedAttributes | None]:
        """Find what is left to find; nothing where nothing is."""
        await workflow.wait_condition(lambda: bool(self._snapshot or self._refusal))
        resolve = Resolve(scheduled=self._scheduled, moment=moment)
        update = workflow.current_update_info()
        suffix = f":{update.id}" if update else ""
        target = attributes = None
        if {Pending.TARGET, Pending.MANUAL_TARGET} & set(self._standing.pending):
            target = await step(
                ResolutionActivities.resolve_target, resolve, "target user", step_id=f"resolve_target{suffix}"
            )
        if Pending.ATTRIBUTES in self._standing.pending:
            attributes = await step(
                ResolutionActivities.resolve_attributes, resolve, "attributes", step_id=f"resolve_attributes{suffix}"
            )
        return target, attributes

    def _stands(self, standing: Standing) -> None:
        """Take note of the row as a step has left it, unless a later answer has come first; show it to operators.

        Rows of one version differ only after an edit by hand, which `refresh` has to follow.
        """
        if standing.version < self._standing.version or standing == self._standing:
            return
        changed: list[SearchAttributeUpdate[Any]] = []
        if standing.status is not self._standing.status:
            changed.append(ACTIVITY_STATUS.value_set(standing.status))
        if standing.scheduled_at != self._standing.scheduled_at:
            changed.append(SCHEDULED_AT.value_set(standing.scheduled_at))
        if changed:
            workflow.upsert_search_attributes(changed)
        self._standing = standing
        details = display.waits_for(standing, self._scheduled.wake_at(standing))
        if workflow.info().continued_run_id:  # continue-as-new loses the summary
            details = f"{display.headline(self._scheduled, standing.scheduled_at)}\n\n{details}"
        workflow.set_current_details(details)
