"""How every step runs: locally while all is well, as a regular activity that an operator can see once it is not."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Method = Callable[[Any, Argument], Awaitable[Result]]

UNEXPECTED = "UnexpectedError"
"""The type of a failure that a retry is not known to cure: a defect, or data that the database refuses."""

LOCAL_ATTEMPT_TIMEOUT = timedelta(seconds=2)
LOCAL_BUDGET = timedelta(seconds=4)
"""Shorter than a workflow task may last, and long enough for the queue before the worker in a herd."""
LOCAL_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
ATTEMPT_TIMEOUT = timedelta(seconds=10)
LONGEST_RETRY_INTERVAL = timedelta(seconds=10)
VISIBLE_RETRIES = RetryPolicy(maximum_interval=LONGEST_RETRY_INTERVAL)


async def step(
    method: Method[Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (),
) -> Result:
    """Run one step to its end, however long the outside is away.

    A local activity costs one history event, but its failures are invisible; so once its short budget is spent on a
    failure that may pass, the same step goes on as a regular activity, with attempts, last failure and next retry in
    the web UI. `step_id` names it there (default: the method's name); failures of the types in `give_up_on` are final.

    Raises:
        FailureError: the step can never succeed; always the failure itself, never a wrapper around it.
    """
    try:
        return await locally(method, argument, summary, step_id=step_id, give_up_on=give_up_on)
    except TroubleError:
        return await visibly(method, argument, summary, step_id=step_id, give_up_on=give_up_on)


class TroubleError(Exception):
    """A local activity has spent its budget on failures that may pass."""


async def locally(
    method: Method[Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (UNEXPECTED,),
) -> Result:
    """A step as a local activity alone.

    Raises:
        TroubleError: not now; an operator should see the next attempts.
        FailureError: it can never succeed.
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
        if is_cancelled_exception(failure) or is_final(cause(failure), give_up_on):
            raise cause(failure) from None
        raise TroubleError from failure


async def visibly(
    method: Method[Argument, Result],
    argument: Argument,
    summary: str,
    *,
    step_id: str | None = None,
    give_up_on: tuple[str, ...] = (UNEXPECTED,),
) -> Result:
    """A step that an operator sees from its first attempt.

    Raises:
        FailureError: it can never succeed.
    """
    try:
        return await workflow.execute_activity_method(
            method,
            argument,
            activity_id=step_id or method.__name__,
            summary=summary,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=replace(VISIBLE_RETRIES, non_retryable_error_types=give_up_on),
        )
    except ActivityError as failure:
        raise cause(failure) from None


def cause(failure: FailureError) -> FailureError:
    """The failure itself: a regular activity's comes wrapped, a local one's bare."""
    inner = failure.cause if isinstance(failure, ActivityError) else None
    return inner if isinstance(inner, FailureError) else failure


def is_final(failure: FailureError, give_up_on: tuple[str, ...] = ()) -> bool:
    """Whether no retry can cure it."""
    return isinstance(failure, ApplicationError) and (failure.non_retryable or failure.type in give_up_on)
