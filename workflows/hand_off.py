"""What becomes of a scheduled activity in an executor's hands: the words, and the judgement of a result."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from workflows.messages import Message
from workflows.words import ActivityStatus


class ResultStatus(StrEnum):
    """What an executor says became of the activity; PENDING says that it is still at it."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    NOT_EXECUTED = "NOT_EXECUTED"
    CANCELED = "CANCELED"
    TRANSFERRED = "TRANSFERRED"


class ContactDirection(StrEnum):
    """Who began the conversation: the commerce (INBOUND) or the executor."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


EFFECTS = {
    ResultStatus.COMPLETED: ActivityStatus.COMPLETED,
    ResultStatus.TRANSFERRED: ActivityStatus.COMPLETED,
    ResultStatus.NOT_EXECUTED: ActivityStatus.FAILED,
    ResultStatus.CANCELED: ActivityStatus.CANCELED,
}
"""The status that a result gives the activity; PENDING gives none."""

CONTACTED = (ResultStatus.COMPLETED, ResultStatus.TRANSFERRED)
"""The results that say somebody was spoken to."""

FINISHED = (ActivityStatus.COMPLETED, ActivityStatus.FAILED, ActivityStatus.CANCELED)


class Lease(Message):
    """Who took the activity last; it is theirs until `expires_at`, and their result counts until another takes it."""

    attempt: int
    token: UUID
    executor: str
    taken_at: datetime
    expires_at: datetime


class KnownResult(Message):
    """A result that was accepted before; `attempt` is the taking that it belongs to."""

    id: UUID
    fingerprint: str
    status: ResultStatus
    attempt: int


class HandOff(Message):
    """Where the activity stands: `results` are in the order of their arrival."""

    status: ActivityStatus
    lease: Lease | None = None
    results: tuple[KnownResult, ...] = ()

    @property
    def deciding(self) -> KnownResult | None:
        """The result that gave the activity its status: the last one that gave it any."""
        return next((one for one in reversed(self.results) if one.status in EFFECTS), None)


class Claimed(Message):
    """What a new result says of itself, as far as it decides; without token and attempt it may be anybody's."""

    status: ResultStatus
    fingerprint: str
    occurred_at: datetime
    hard_override: bool = False
    lease_token: UUID | None = None
    attempt: int | None = None


class Repeated(Message):
    """The same was accepted before: nothing changes."""

    id: UUID


class Accepted(Message):
    """It is recorded; `to_status` is what the activity becomes or stays."""

    to_status: ActivityStatus
    attempt: int
    overrides: UUID | None = None


class Refused(Message):
    """It comes too late, too early or from the wrong hands; the sentence is for the caller."""

    detail: str


def judge(seen: HandOff, result: Claimed) -> Repeated | Accepted | Refused:
    """What a result does: the first result of the last one who took it counts, others only with `hard_override`."""
    repeated = _repeated(seen, result)
    if repeated:
        return repeated
    if seen.lease is None:
        return Refused(detail=f"The activity is {seen.status}, and nobody has taken it.")
    is_open = seen.status not in FINISHED or _gave_up(seen)
    if not is_open and not result.hard_override:
        return Refused(detail=f"The activity is {seen.status} already; only `hard_override` can change that.")
    if is_open and _taken_since(seen.lease, result):
        return Refused(
            detail=f"The activity was taken since by {seen.lease.executor}, whose lease ends at"
            f" {seen.lease.expires_at:%Y-%m-%dT%H:%M:%SZ}; only their result counts."
        )
    return Accepted(
        to_status=EFFECTS.get(result.status, seen.status),
        attempt=seen.lease.attempt,
        overrides=seen.deciding.id if seen.deciding and not is_open and result.status in EFFECTS else None,
    )


def _repeated(seen: HandOff, result: Claimed) -> Repeated | None:
    """An overridden result that arrives once more is a repetition; with `hard_override` it is meant to count again."""
    same = [one for one in seen.results if one.fingerprint == result.fingerprint]
    if not same:
        return None
    meant_anew = result.hard_override and seen.status in FINISHED and same[-1] != seen.deciding
    return None if meant_anew else Repeated(id=same[-1].id)


def _gave_up(seen: HandOff) -> bool:
    """FAILED because its leases ran out, not by a result: whoever took it last may still say how it went."""
    return seen.status is ActivityStatus.FAILED and seen.deciding is None


def _taken_since(lease: Lease, result: Claimed) -> bool:
    """By the token or the attempt if the result names one; else what happened before this lease is another's."""
    if result.lease_token:
        return result.lease_token != lease.token
    if result.attempt is not None:
        return result.attempt != lease.attempt
    return lease.attempt > 1 and result.occurred_at < lease.taken_at
