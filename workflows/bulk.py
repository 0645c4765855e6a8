"""What is done to many activities at once: its words and the messages that cross Temporal."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from workflows.messages import ActivityFilter, Message
from workflows.words import ActivityStatus


class BulkVerb(StrEnum):
    """What is done to each."""

    CANCEL = "cancel"
    RESCHEDULE = "reschedule"

    @property
    def possible_in(self) -> tuple[ActivityStatus, ...]:
        """The statuses in which it can succeed."""
        still_open = (ActivityStatus.READY, ActivityStatus.UNRESOLVED)
        return still_open if self is BulkVerb.RESCHEDULE else (*still_open, ActivityStatus.DUE)

    @property
    def done(self) -> str:
        """Its participle."""
        return {BulkVerb.CANCEL: "canceled", BulkVerb.RESCHEDULE: "moved"}[self]


class BulkState(StrEnum):
    """How far it is; COLLECTING is never stored."""

    COLLECTING = "COLLECTING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"


class ItemOutcome(StrEnum):
    """What became of one activity: ACCEPTED will still be carried out, REFUSED and FAILED have changed nothing."""

    PENDING = "PENDING"
    APPLIED = "APPLIED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class ItemResult(Message):
    """What is written down of one activity; `code` and `detail` say why, as a single call would have."""

    outcome: ItemOutcome
    code: str | None = None
    detail: str | None = None


class BulkChange(Message):
    """What is to be done: `scheduled_at` or `shift_seconds` says where a rescheduled activity goes."""

    verb: BulkVerb
    reason: str
    scheduled_at: AwareDatetime | None = None
    shift_seconds: int | None = None

    def moved(self, scheduled_at: datetime) -> datetime:
        """Where an activity goes that was scheduled then."""
        return self.scheduled_at or scheduled_at + timedelta(seconds=self.shift_seconds or 0)


class BulkOperation(Message):
    """Starts the run; the last three say how far an earlier run of it has come."""

    id: UUID
    tenant_id: UUID
    filter: ActivityFilter
    change: BulkChange
    actor: str
    per_second: int = 20
    collected: bool = False
    round: int = 1
    after: int = 0


class Chunk(Message):
    """Asks for the next items, those behind the position `after`."""

    tenant_id: UUID
    id: UUID
    after: int
    size: int
    per_second: int
    round: int = 1


class ChunkDone(Message):
    """How far it came: to the position `after`, or, without one, to the end, with so many `pending` left."""

    after: int | None = None
    pending: int = 0


class Finish(Message):
    """Writes down how it ended."""

    tenant_id: UUID
    id: UUID
    state: BulkState


def bulk_workflow_id(tenant_id: UUID, operation_id: UUID) -> str:
    """No activity's run has such an ID: theirs begin with a tenant's."""
    return f"bulk-operation:{tenant_id}:{operation_id}"
