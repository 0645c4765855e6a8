"""The updates by which clients and operators change an open run; the answer of each says where the row stands."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError, FailureError

from workflows import display, limits
from workflows.activities import (
    DEFECT,
    ROW_MISSING,
    ResolutionActivities,
    ScheduledActivityActivities,
    rejection_failure,
)
from workflows.actors import current_actor, read_actor
from workflows.messages import (
    ActivityRef,
    Apply,
    AssignTarget,
    Cancel,
    Change,
    ExecuteNow,
    Message,
    Refresh,
    Rejection,
    Reschedule,
    Resolve,
    ResolvedAttributes,
    ResolvedTarget,
    Restore,
    RetryResolution,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)
from workflows.queue import Queue
from workflows.search_attributes import ACTIVITY_STATUS, SCHEDULED_AT, listed_status
from workflows.steps import REFUSED, leave_failed_steps_unreported, run_step
from workflows.words import ActivityStatus, Pending, ResolutionMoment

EXECUTE_NOW, RETRY, REFRESH = ExecuteNow(), RetryResolution(), Refresh()
"""The arguments that an update has if the web UI's form was sent empty."""

OpenParts = tuple[ResolvedTarget | None, ResolvedAttributes | None]
"""The target and the attributes as one resolution found them; None for each that was not open."""


class ChangeableActivity:
    """Hold the standing of the activity as this run knows it, and the updates that change it."""

    def __init__(self, scheduled: ScheduledActivityInput) -> None:
        leave_failed_steps_unreported()
        info = workflow.info()
        reset_of = None if info.original_execution_run_id == info.run_id else info.original_execution_run_id
        known = {"reset_of": reset_of, "actor": read_actor(info.headers)}
        self._scheduled = limits.bound_input(scheduled).model_copy(update=known)
        self._snapshot: Snapshot | None = None
        self._creation_failure: FailureError | None = None
        self._queue = Queue()
        self._standing = Standing(
            status=ActivityStatus.RESOLVING, version=0, scheduled_at=scheduled.request.scheduled_at
        )

    @workflow.update(
        name="cancel", description='Cancel the activity, unless an executor has claimed it. {"reason": "…"}'
    )
    async def cancel(self, change: Cancel) -> Standing:
        """Cancel the activity."""
        async with self._queue.turn():
            return await self._carry_out(change)

    @workflow.update(
        name="reschedule",
        description='Move the activity to another time. {"scheduled_at": "2025-01-16T09:00:00Z", "reason": "…"}',
    )
    async def reschedule(self, change: Reschedule) -> Standing:
        """Move the activity, and the wake-up of this run with it."""
        async with self._queue.turn():
            standing = await self._carry_out(change)
            if change.scheduled_at:
                self._replace_lead(change.lead_seconds)
                self._show_standing()
            return standing

    @workflow.update(name="execute_now", description="Make the activity due at once; its scheduled_at stays. {}")
    async def execute_now(self, change: ExecuteNow = EXECUTE_NOW) -> Standing:
        """Resolve what was left for the wake-up, then make the activity due at once."""
        async with self._queue.turn():
            return await self._carry_out(change, ResolutionMoment.WAKE_UP)

    @workflow.update(name="retry_resolution", description="Try again to resolve what has failed. {}")
    async def retry_resolution(self, change: RetryResolution = RETRY) -> Standing:
        """Resolve what has failed once more: READY afterwards, or UNRESOLVED with the failures of this attempt."""
        async with self._queue.turn():
            return await self._carry_out(change, ResolutionMoment.RETRY)

    @workflow.update(
        name="assign_target",
        description='Assign the target user. {"target_user_id": "<of the activity>", "commerce_user_id": "<uuid>"}',
    )
    async def assign_target(self, change: AssignTarget) -> Standing:
        """Assign the target user: READY afterwards, if nothing else is unresolved."""
        async with self._queue.turn():
            return await self._carry_out(change)

    @workflow.update(
        name="refresh", description="Read the row again, after a change that this run has missed; write nothing. {}"
    )
    async def refresh(self, refresh: Refresh = REFRESH) -> Standing:
        """Read the row again, and take over the lead that belongs to its time."""
        async with self._queue.turn():
            return await self._refresh(refresh)

    async def _refresh(self, refresh: Refresh) -> Standing:
        await self._wait_for_creation()
        if refresh.lead_seconds is not None:
            self._replace_lead(refresh.lead_seconds)
        return await self._run_on_row(
            ScheduledActivityActivities.read_standing,
            ActivityRef(tenant_id=self._scheduled.tenant_id, id=self._scheduled.id),
            "read the row",
            step_id=f"refresh:{_current_update_id()}",
            give_up_on=(REFUSED,),
        )

    @cancel.validator
    def _validate_cancel(self, change: Cancel) -> None:
        reject_faulty(change, Cancel)

    @reschedule.validator
    def _validate_reschedule(self, change: Reschedule) -> None:
        reject_faulty(change, Reschedule)

    @execute_now.validator
    def _validate_execute_now(self, change: ExecuteNow = EXECUTE_NOW) -> None:
        reject_faulty(change, ExecuteNow)

    @retry_resolution.validator
    def _validate_retry_resolution(self, change: RetryResolution = RETRY) -> None:
        reject_faulty(change, RetryResolution)

    @assign_target.validator
    def _validate_assign_target(self, change: AssignTarget) -> None:
        reject_faulty(change, AssignTarget)

    @refresh.validator
    def _validate_refresh(self, refresh: Refresh = REFRESH) -> None:
        reject_faulty(refresh, Refresh)

    async def _wait_for_creation(self) -> None:
        """Wait until the activity is recorded or its creation has failed."""
        # A reset hands updates in again before the first step has run.
        await workflow.wait_condition(lambda: bool(self._snapshot or self._creation_failure))

    async def _carry_out(
        self, change: Change, moment: ResolutionMoment | None = None, *, key: str | None = None
    ) -> Standing:
        """Resolve the parts that are open at `moment`, write the change, and return the standing it leaves.

        A change that fails by its data is withdrawn: it ends alone, with an event, and the queue goes on.
        """
        key = key or _current_update_id() or workflow.info().run_id
        await self._wait_for_creation()
        try:
            resolved = await self._resolve_open_parts(moment, change=change) if moment else (None, None)
            return await self._apply(change, key, resolved)
        except ApplicationError as failure:
            if failure.type != REFUSED:
                raise
            withdrawal = Rejection(code=DEFECT, detail=failure.message)
            return await self._apply(change, key, withdrawal=withdrawal)

    async def _apply(
        self, change: Change, key: str, resolved: OpenParts = (None, None), withdrawal: Rejection | None = None
    ) -> Standing:
        """Write the change, or its withdrawal, under `key`; return the standing it leaves."""
        target, attributes = resolved
        apply = Apply(
            tenant_id=self._scheduled.tenant_id,
            id=self._scheduled.id,
            key=key,
            actor=current_actor(),
            change=change,
            target=target,
            attributes=attributes,
            withdrawal=withdrawal,
            created_by=self._scheduled.traceparent,
        )
        verb = apply.change.verb
        return await self._run_on_row(
            ScheduledActivityActivities.apply_change,
            apply,
            f"withdraw: {verb}" if withdrawal else verb.replace("_", " "),
            step_id=f"withdraw:{key}" if withdrawal else f"{verb}:{key}",
            give_up_on=(REFUSED,),
        )

    async def _run_on_row(
        self, method: Callable[..., Awaitable[Standing]], argument: Message, summary: str, **options: Any
    ) -> Standing:
        """Run a step that needs the row, and adopt the standing that it returns.

        If the row is missing or behind, PostgreSQL was restored to an earlier point: the row wins, a missing one is
        written again.
        """
        known = self._standing
        is_change = method is ScheduledActivityActivities.apply_change
        give_way = options.get("give_way")
        try:
            standing = await run_step(method, argument, summary, **options)
        except ApplicationError as failure:
            if failure.type != ROW_MISSING:
                raise
            restored = await self._restore(give_way)
            return await self._run_on_row(method, argument, summary, **options) if is_change else restored
        # A change counts the version up: the same one with other content is of a row that had been behind.
        if standing.version < known.version or (is_change and standing.version == known.version and standing != known):
            return await self._restore(give_way)
        self._adopt_standing(standing)
        return standing

    async def _restore(self, give_way: Callable[[], bool] | None) -> Standing:
        """Adopt the row as it is, or write it again from what this run knows; the trail says so."""
        restore = Restore(scheduled=self._scheduled, known=self._standing, key=f"restored:{workflow.uuid4()}")
        step = ScheduledActivityActivities.restore
        standing = await run_step(step, restore, "take over a restored row", give_way=give_way)
        self._adopt_standing(standing)
        return standing

    async def _resolve_open_parts(
        self, moment: ResolutionMoment, give_way: Callable[[], bool] | None = None, change: Change | None = None
    ) -> OpenParts:
        """Resolve the target and the attributes that are still open; return None for each that is not."""
        await self._wait_for_creation()
        resolve = Resolve(
            scheduled=self._scheduled,
            moment=moment,
            request_id=change and change.request_id,
            traceparent=change and change.traceparent,
        )
        update_id = _current_update_id()
        suffix = f":{update_id}" if update_id else ""
        give_up_on = (REFUSED,) if update_id else ()  # the mark is never given up
        target = attributes = None
        if {Pending.TARGET, Pending.MANUAL_TARGET} & set(self._standing.pending):
            target = await run_step(
                ResolutionActivities.resolve_target,
                resolve,
                "target user",
                step_id=f"resolve_target{suffix}",
                give_up_on=give_up_on,
                give_way=give_way,
            )
        if Pending.ATTRIBUTES in self._standing.pending:
            attributes = await run_step(
                ResolutionActivities.resolve_attributes,
                resolve,
                "attributes",
                step_id=f"resolve_attributes{suffix}",
                give_up_on=give_up_on,
                give_way=give_way,
            )
        return target, attributes

    def _replace_lead(self, lead_seconds: float) -> None:
        self._scheduled = self._scheduled.model_copy(update={"lead_seconds": lead_seconds})

    def _adopt_standing(self, standing: Standing) -> None:
        """Keep the standing that a step has returned, and show it to operators."""
        # An equal version is adopted too: after an edit by hand, `refresh` reads a row that differs without a new one.
        if standing == self._standing:
            return
        changed: list[SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime]] = []
        if workflow.info().typed_search_attributes.get(ACTIVITY_STATUS) != listed_status(standing.status):
            changed.append(ACTIVITY_STATUS.value_set(listed_status(standing.status)))
        if standing.scheduled_at != self._standing.scheduled_at or _lists_another_time(standing):
            changed.append(SCHEDULED_AT.value_set(standing.scheduled_at))
        if changed:
            workflow.upsert_search_attributes(changed)
        self._standing = standing
        self._show_standing()

    def _show_standing(self) -> None:
        """Show operators in words what the run waits for."""
        standing = self._standing
        details = display.describe_standing(standing, self._scheduled.wake_at(standing))
        if workflow.info().continued_run_id:  # continue-as-new loses the summary
            details = f"{display.headline(self._scheduled, standing.scheduled_at)}\n\n{details}"
        workflow.set_current_details(details)


def reject_faulty(argument: Message | None = None, expected: type[Message] | None = None) -> None:
    """Fail the update before it is accepted, if its id or its argument is faulty."""
    fault = limits.find_faulty_id(_current_update_id() or "")
    # A payload in another encoding than JSON, such as null, is decoded whatever type the update expects.
    if expected and not isinstance(argument, expected):
        fault = "The argument must be one JSON object."
    elif argument and not fault:
        fault = limits.find_fault(argument, workflow.now())
    if fault:
        raise rejection_failure(Rejection(code="validation_failed", detail=fault))


def _lists_another_time(standing: Standing) -> bool:
    """Return whether Temporal lists the run under another time.

    A run does so that was resumed after a move, moved back to the time of its request, and reset.
    """
    listed = workflow.info().typed_search_attributes.get(SCHEDULED_AT)
    is_other = listed is not None and abs(listed - standing.scheduled_at) >= timedelta(milliseconds=1)
    return is_other and workflow.patched("listed-time")


def _current_update_id() -> str | None:
    """Return the id of the update that is being handled; None outside a handler."""
    update = workflow.current_update_info()
    return update.id if update else None
