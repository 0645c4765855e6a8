"""Carry one change of one activity out, through its open run or, once that has ended, in its row."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from db import changes
from db.engine import Database
from runs.ask import Fate, LimitedError, RunIsFullError, UnansweredError, describe_silence, find_fate
from runs.client import workflow_id
from runs.lead import Lead
from runs.locked import LockedCalls
from runs.recovery import Recovery
from runs.start import RunFailedError, failure_of, resume_run
from workflows.activities import DEFECT
from workflows.actors import acting_as
from workflows.messages import Apply, Cancel, RejectedError, Rejection, Snapshot
from workflows.words import OPEN, ActivityStatus

TURNS = 3
"""Attempts to meet the run or the row: a move or a mark hands the activity over between two questions."""
WITHDRAWN = "unavailable"
"""The code of the rejection of a change that was withdrawn before."""
ABORTED = "AcceptedUpdateCompletedWorkflow"
"""Temporal's name for an accepted update whose run ended before it carried the update out."""


@dataclass(frozen=True)
class Applied:
    """The change is written."""


@dataclass(frozen=True)
class Accepted:
    """The run has accepted the change durably and will carry it out."""


@dataclass(frozen=True)
class Rejected:
    """The activity, or a value in the change, does not allow it; nothing was changed."""

    rejection: Rejection


@dataclass(frozen=True)
class Withdrawn:
    """Nothing was changed, and nothing will be: the row rejects the change's key from now on."""

    detail: str
    is_defect: bool = False
    """True if the service itself is at fault, so that another attempt is not known to help."""
    is_limit: bool = False
    """True if Temporal has refused the change because a limit is reached."""


Outcome = Applied | Accepted | Rejected | Withdrawn
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def decide_again(
    write: Callable[Arguments, Coroutine[Any, Any, Answer]],
) -> Callable[Arguments, Coroutine[Any, Any, Answer]]:
    """Repeat a transaction that a mark has overtaken: it is then decided by the status that readers have seen."""

    @wraps(write)
    async def write_or_repeat(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        while True:
            with suppress(changes.MarkIsVisibleError):
                return await write(*arguments, **named)

    return write_or_repeat


class Changes:
    """Carries changes out. Sending one again is harmless: its key is the update's id and the event's key."""

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._lead = lead
        self._database = database
        self._recovery = Recovery(client, database, lead)

    async def carry_out(
        self, wanted: Apply, idempotency_key: str, status: ActivityStatus, deadline_seconds: float
    ) -> Outcome:
        """Carry the change out, or withdraw it if no run accepts it within the deadline.

        `status` is the stored one, as it was last read: it says where to begin, and the row decides.

        Raises:
            SQLAlchemyError, OSError: PostgreSQL gave no answer, so the change may be written or not.
        """
        try:
            return await self._carry_out(
                wanted, workflow_id(wanted.tenant_id, idempotency_key), status, deadline_seconds
            )
        except RejectedError as rejected:
            return _describe_rejection(rejected.rejection)
        except RunFailedError:
            return await self._withdraw(wanted, "Its run could not carry the change out.", is_defect=True)
        except UnansweredError as unanswered:
            silence = unanswered
        except (WorkflowAlreadyStartedError, RPCError, RuntimeError) as failure:
            silence = describe_silence(failure, "No run could be started for it.")
        return await self._withdraw(wanted, str(silence), is_limit=isinstance(silence, LimitedError))

    async def _carry_out(
        self, wanted: Apply, run: str, status: ActivityStatus, deadline_seconds: float
    ) -> Applied | Accepted | Withdrawn:
        is_open = status in OPEN
        for _ in range(TURNS):
            outcome = await self._try_run(wanted, run, deadline_seconds) if is_open else None
            if outcome:
                return outcome
            if await self._write_to_row(wanted):
                return Applied()
            await self._recovery.settle(wanted)
            is_open = True
        return await self._withdraw(wanted, "Its run was missing.")

    async def _try_run(self, wanted: Apply, run: str, deadline_seconds: float) -> Applied | Accepted | None:
        """Send the change to the run, unless the row rejects it as it stands; return None if the run has ended.

        Temporal limits the number of a run's updates, and a rejected one counts.
        """
        async with self._database.autocommit.connect() as connection:
            await changes.check_open_activity(connection, wanted)
        try:
            return await self._send_to_run(wanted, run, deadline_seconds)
        except RunIsFullError:
            if not isinstance(wanted.change, Cancel):
                raise
            await self._cancel_row(wanted)
            return Applied()

    @decide_again
    async def _cancel_row(self, wanted: Apply) -> None:
        """Cancel the activity beside its open run, which finds the row canceled when it wakes."""
        async with self._database.transactions.begin() as connection:
            await changes.apply_change(connection, wanted)

    async def _send_to_run(self, wanted: Apply, run: str, deadline_seconds: float) -> Applied | Accepted | None:
        """Send the change as an update; return None if the run has ended.

        Raises:
            RejectedError: the run, or the row, does not allow the change.
            RunFailedError: the update failed by a defect.
            UnansweredError: the run is not known to have accepted the change.
            RunIsFullError: the run has had as many updates as Temporal allows.
        """
        update = None
        try:
            async with asyncio.timeout(deadline_seconds):
                with acting_as(wanted.actor):
                    update = await self._client.get_workflow_handle(run).start_update(
                        wanted.change.verb, wanted.change, id=wanted.key, wait_for_stage=WorkflowUpdateStage.ACCEPTED
                    )
                await update.result()
        except WorkflowUpdateFailedError as failure:
            if isinstance(failure.cause, ApplicationError) and failure.cause.type == ABORTED:
                return None
            raise failure_of(failure.cause) from failure
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RPCError, RuntimeError) as failure:
            if isinstance(failure, RPCError) and failure.status is RPCStatusCode.NOT_FOUND:
                return None
            if update:
                return Accepted()  # an update that was accepted is never lost: withdrawing it would break a promise
            raise _describe_refusal(failure) from failure
        return Applied()

    @decide_again
    async def _write_to_row(self, wanted: Apply) -> bool:
        """Write the change in the row, if no run holds the activity; return False if a run does, or has to."""
        async with self._database.transactions.begin() as connection:
            seen = await changes.lock_activity(connection, wanted)
            calls = LockedCalls()
            if seen.standing.status in OPEN and not await self._is_cancellation_without_run(wanted, seen, calls):
                return False
            async with changes.unseen_mark(connection, wanted, seen):
                standing = await changes.apply_change(connection, wanted)
                if standing.status in OPEN:  # a move took back a mark that was not due yet
                    scheduled = await changes.read_run_input(
                        connection, wanted, self._lead.before(standing.scheduled_at)
                    )
                    await calls.limit(resume_run(self._client, scheduled, standing))
        return True

    async def _is_cancellation_without_run(self, wanted: Apply, seen: Snapshot, calls: LockedCalls) -> bool:
        """Return whether an open row can be canceled without a run; asked under the lock, where no run is started."""
        if not isinstance(wanted.change, Cancel):
            return False
        fate, _ = await calls.limit(find_fate(self._client, wanted.tenant_id, seen))
        return fate is not Fate.RUNNING

    @decide_again
    async def _withdraw(
        self, wanted: Apply, detail: str, *, is_defect: bool = False, is_limit: bool = False
    ) -> Applied | Withdrawn:
        """Take the change's key in the row, unless the change was already written under it."""
        async with self._database.transactions.begin() as connection:
            withdrawn = await changes.withdraw_change(connection, wanted)
        return Withdrawn(detail, is_defect, is_limit) if withdrawn else Applied()


def _describe_rejection(rejection: Rejection) -> Rejected | Withdrawn:
    """Say why the row has rejected the change: because of the activity, or because the change was withdrawn before."""
    if rejection.code in {WITHDRAWN, DEFECT}:
        return Withdrawn(rejection.detail, is_defect=rejection.code == DEFECT)
    return Rejected(rejection)


def _describe_refusal(failure: BaseException) -> UnansweredError:
    """Say why no run has accepted the change."""
    if isinstance(failure, RPCError) and failure.status is RPCStatusCode.FAILED_PRECONDITION:
        return RunIsFullError("Temporal refuses more changes of its run until a worker has continued it as a new run.")
    # The SDK repeats a call that Temporal refuses because ten other updates are in flight, and hides the reason.
    detail = "No worker took the change in time, or ten other changes of the activity are under way."
    return describe_silence(failure, detail)
