"""Bulk operations, one change to many activities: their enumerations and the messages that cross Temporal."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from workflows.hand_off import FINISHED
from workflows.messages import ActivityFilter, Message
from workflows.words import OPEN, ActivityStatus

MOST_ITEMS = 100_000
"""The most activities that one operation changes."""


class BulkVerb(StrEnum):
    """The change that is made to each activity."""

    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    RETRY_RESOLUTION = "retry-resolution"
    ERASE = "erase"

    @property
    def allowed_statuses(self) -> tuple[ActivityStatus, ...]:
        """Return the statuses in which the change can succeed."""
        match self:
            case BulkVerb.CANCEL:
                return *OPEN, ActivityStatus.DUE
            case BulkVerb.ERASE:
                return FINISHED
            case BulkVerb.RESCHEDULE:
                return OPEN
            case BulkVerb.RETRY_RESOLUTION:
                return (ActivityStatus.UNRESOLVED,)

    @property
    def participle(self) -> str:
        """Return the past participle, to be used in sentences."""
        match self:
            case BulkVerb.CANCEL:
                return "canceled"
            case BulkVerb.ERASE:
                return "erased"
            case BulkVerb.RESCHEDULE:
                return "moved"
            case BulkVerb.RETRY_RESOLUTION:
                return "resolved again"


class BulkState(StrEnum):
    """The progress of the operation.

    QUEUED waits until fewer of the tenant's operations run, COLLECTING chooses the activities. STOPPING begins no
    change any more and waits for those that were begun; REJECTED has changed nothing.
    """

    QUEUED = "QUEUED"
    COLLECTING = "COLLECTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"


RUNNING_STATES = (BulkState.COLLECTING, BulkState.RUNNING, BulkState.STOPPING)
"""The states of an operation that has a run, and counts among those that its tenant may run at the same time."""


class ItemOutcome(StrEnum):
    """The outcome for one activity: ACCEPTED is still to be carried out; REFUSED and FAILED have changed nothing."""

    PENDING = "PENDING"
    APPLIED = "APPLIED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class ItemResult(Message):
    """The recorded result for one activity; `code` and `detail` say why, as the answer to a single call would."""

    outcome: ItemOutcome
    code: str | None = None
    detail: str | None = None


class BulkChange(Message):
    """The change; `scheduled_at` or `shift_seconds` gives the new time of each rescheduled activity."""

    verb: BulkVerb
    reason: str
    scheduled_at: AwareDatetime | None = None
    shift_seconds: int | None = None
    commerce_user_id: UUID | None = None
    """The user whose personal data is erased; None: that of the commerce in the filter, with all its users."""
    cancel_open: bool | None = None
    """Of an erasure: cancel open activities first."""

    def new_time(self, scheduled_at: datetime) -> datetime:
        """Return the new time of an activity that is scheduled at `scheduled_at`."""
        return self.scheduled_at or scheduled_at + timedelta(seconds=self.shift_seconds or 0)


class BulkOperation(Message):
    """Start the run of an operation; the last three fields hold the progress of an earlier run of it.

    The actor travels in a header; the run itself sets it for its first step.
    `at_most` is the number of activities above which the operation is rejected when they are chosen.
    """

    id: UUID
    tenant_id: UUID
    filter: ActivityFilter
    change: BulkChange
    actor: str | None = None
    request_id: str | None = None
    """The id of the request that was accepted as this operation."""
    traceparent: str | None = None
    """The span of the call that starts the run."""
    per_second: int = 20
    confirm_total: int | None = None
    at_most: int = MOST_ITEMS
    collected: bool = False
    round: int = 1
    after: int = 0


class OperationRef(Message):
    """Name a bulk operation."""

    tenant_id: UUID
    id: UUID


class Chunk(OperationRef):
    """Ask for the next items, those behind the position `after`."""

    after: int
    size: int
    per_second: int
    round: int = 1
    request_id: str | None = None
    traceparent: str | None = None


class ChunkDone(Message):
    """Report the progress: up to the position `after`, or, without it, to the end, with `pending` items left.

    `state` is the operation's stored state; unless it is RUNNING, no change is to be begun. It is COLLECTING if
    PostgreSQL was restored to a time before the items were chosen.
    """

    after: int | None = None
    pending: int = 0
    state: BulkState = BulkState.RUNNING


class Finish(OperationRef):
    """Ask for the final state to be recorded, with the reason if the operation was ended from outside."""

    state: BulkState
    detail: str | None = None


_CHANGE = "bulk-operation:"


def change_key(operation_id: UUID, round_number: int) -> str:
    """Return the key of an item's change in a round: a withdrawn change is tried again under another key."""
    return f"{_CHANGE}{operation_id}:{round_number}"


def find_operation_id(key: str) -> UUID | None:
    """Return the operation that a change's key belongs to; None for a change that no operation has made."""
    if not key.startswith(_CHANGE):
        return None
    try:
        return UUID(key.removeprefix(_CHANGE).split(":")[0])
    except ValueError:  # an update of another sender has this id
        return None


def bulk_workflow_id(tenant_id: UUID, operation_id: UUID) -> str:
    """Return the workflow ID of an operation; the ID of an activity's run begins with its tenant's ID instead."""
    return f"bulk-operation:{tenant_id}:{operation_id}"
