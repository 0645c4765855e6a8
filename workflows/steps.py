"""Run the steps of a workflow: as local activities while they succeed, as visible activities once they fail.

A local activity costs one history event and no state transition, but operators cannot see it fail. A visible (regular)
activity shows its attempts, last failure and next retry in the web UI, where it can be paused, reset and retried.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    is_cancelled_exception,
)

Contract = TypeVar("Contract")
Argument = TypeVar("Argument")
Result = TypeVar("Result")
Method = Callable[[Contract, Argument], Awaitable[Result]]

REFUSED = "DataRefused"
"""The type of a failure that no retry cures: PostgreSQL refuses the data, or stored data can't be decoded."""

LOCAL_ATTEMPT_TIMEOUT = timedelta(seconds=2)
LOCAL_BUDGET = timedelta(seconds=4)
"""Shorter than a workflow task may last, and long enough for the queue of a worker that serves a herd."""
LOCAL_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
ATTEMPT_TIMEOUT = timedelta(seconds=10)
LONGEST_RETRY_INTERVAL = timedelta(seconds=10)
"""With longer intervals, activities would still be late long after an outage has ended."""
VISIBLE_RETRIES = RetryPolicy(maximum_interval=LONGEST_RETRY_INTERVAL)
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""The time without a heartbeat after which a long step is given to another worker, as after the end of an attempt."""


async def run_step(  # noqa: PLR0913 - the argument of the step, and how it is run
    method: Method[Contract, Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (),
    give_way: Callable[[], bool] | None = None,
) -> Result:
    """Run one step until it succeeds or can never succeed, however long an outage lasts.

    The web UI shows the step as `step_id` (default: the name of its method). A failure whose type is in `give_up_on` is
    not retried. Once `give_way` returns True, a step in trouble ends after the attempt that is under way.

    Raises:
        FailureError: the step can never succeed; it is the failure itself, not a wrapper.
        GaveWayError: the step has not succeeded, and has ended because `give_way` returned True.
    """
    try:
        return await run_local_step(method, argument, summary, step_id=step_id, give_up_on=give_up_on)
    except TroubleError:
        return await run_visible_step(
            method, argument, summary, step_id=step_id, give_up_on=give_up_on, give_way=give_way
        )


class GaveWayError(Exception):
    """A step in trouble has ended before it succeeded, because something else goes first."""


class TroubleError(Exception):
    """A local step has spent its budget on failures that may pass."""


async def run_local_step(
    method: Method[Contract, Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (REFUSED,),
) -> Result:
    """Run a step as a local activity only.

    Raises:
        TroubleError: the budget is spent; the next attempts belong in a visible step.
        FailureError: the step can never succeed.
    """
    try:
        return await workflow.execute_local_activity_method(
            method,
            argument,
            activity_id=step_id or method.__name__,
            summary=summary,
            start_to_close_timeout=LOCAL_ATTEMPT_TIMEOUT,
            schedule_to_close_timeout=LOCAL_BUDGET,
            retry_policy=replace(LOCAL_RETRIES, non_retryable_error_types=give_up_on),
        )
    except FailureError as failure:
        cause = _unwrap(failure)
        if is_cancelled_exception(failure) or _is_final(cause, give_up_on):
            raise cause from None
        raise TroubleError from failure


async def run_visible_step(  # noqa: PLR0913 - as `run_step`, which calls it
    method: Method[Contract, Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (REFUSED,),
    give_way: Callable[[], bool] | None = None,
) -> Result:
    """Run a step as a regular activity, which operators see from its first attempt.

    Raises:
        FailureError: the step can never succeed, or the run was cancelled meanwhile.
        GaveWayError: the step has not succeeded, and has ended because `give_way` returned True.
    """
    step = workflow.start_activity_method(
        method,
        argument,
        activity_id=step_id or method.__name__,
        summary=summary,
        start_to_close_timeout=ATTEMPT_TIMEOUT,
        retry_policy=replace(VISIBLE_RETRIES, non_retryable_error_types=give_up_on),
        # The server ends a cancelled step after the attempt under way, which may still succeed.
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    has_to_give_way = give_way is not None and await _cancel_when(step, give_way)
    try:
        return await step
    except ActivityError as failure:
        cause = _unwrap(failure)
        if _is_final(cause, give_up_on):
            raise cause from None
        # Only a cancellation ends a step that could be retried, whatever its last attempt has failed with.
        raise (GaveWayError if has_to_give_way else CancelledError) from failure


def leave_failed_steps_unreported() -> None:
    """Keep failures of steps that nothing awaits any more out of the worker's log.

    asyncio reports them as errors, with their texts, which quote requests. A run whose reason and attributes have both
    failed is asked for the first only, and the SDK drops the failure of a local step that comes with a cancellation.
    """
    asyncio.get_running_loop().set_exception_handler(_report)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), FailureError):
        loop.default_exception_handler(context)


async def run_long_step(
    method: Method[Contract, Argument, Result],
    argument: Argument,
    summary: str,
    *,
    at_most: timedelta,
    retries: RetryPolicy = VISIBLE_RETRIES,
) -> Result:
    """Run a step that may take minutes, as a regular activity whose worker sends heartbeats.

    If the worker ends, or the report of the finished step is lost, the next attempt begins within seconds.

    Raises:
        ActivityError: the step has failed, and `retries` allows no further attempt.
    """
    return await workflow.execute_activity_method(
        method,
        argument,
        start_to_close_timeout=at_most,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=retries,
        summary=summary,
    )


async def _cancel_when(step: workflow.ActivityHandle[Result], give_way: Callable[[], bool]) -> bool:
    """Wait for the end of the step, and cancel it once `give_way` returns True; return whether it was cancelled."""
    try:
        await workflow.wait_condition(lambda: step.done() or give_way())
    except asyncio.CancelledError:
        step.cancel()
        raise
    return not step.done() and step.cancel()


def _unwrap(failure: FailureError) -> FailureError:
    """Return the failure that the step has raised; Temporal wraps that of a regular activity only."""
    inner = failure.cause if isinstance(failure, ActivityError) else None
    return inner if isinstance(inner, FailureError) else failure


def _is_final(failure: FailureError, give_up_on: tuple[str, ...]) -> bool:
    return isinstance(failure, ApplicationError) and (failure.non_retryable or failure.type in give_up_on)
