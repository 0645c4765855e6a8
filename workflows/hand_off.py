"""The hand-off of a due activity to executors: its enumerations, and the judgement of a reported result."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from workflows.messages import Message
from workflows.words import ActivityStatus


class ResultStatus(StrEnum):
    """The outcome that an executor reports; PENDING means that the executor is still at work."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    NOT_EXECUTED = "NOT_EXECUTED"
    CANCELED = "CANCELED"
    TRANSFERRED = "TRANSFERRED"


class ContactDirection(StrEnum):
    """The side that began the conversation: the commerce (INBOUND) or the executor (OUTBOUND)."""

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
"""The results after which the target user counts as contacted."""

FINISHED = (ActivityStatus.COMPLETED, ActivityStatus.FAILED, ActivityStatus.CANCELED)


class Lease(Message):
    """The latest lease of the activity; its executor's result counts until another executor claims the activity."""

    attempt: int
    token: UUID
    executor: str
    taken_at: datetime
    expires_at: datetime


class KnownResult(Message):
    """A result that was accepted before; `attempt` is the number of the lease that it belongs to."""

    id: UUID
    fingerprint: str
    status: ResultStatus
    attempt: int
    provider_activity_id: str | None = None


class HandOff(Message):
    """The state of an activity's hand-off; `results` are in the order of their arrival."""

    status: ActivityStatus
    lease: Lease | None = None
    results: tuple[KnownResult, ...] = ()

    @property
    def decisive_result(self) -> KnownResult | None:
        """Return the result that gave the activity its status: the last one that has an effect."""
        return next((one for one in reversed(self.results) if one.status in EFFECTS), None)


class ReportedResult(Message):
    """The parts of a new result that decide; without token and attempt it may belong to any lease."""

    status: ResultStatus
    fingerprint: str
    occurred_at: datetime
    hard_override: bool = False
    lease_token: UUID | None = None
    attempt: int | None = None
    provider_activity_id: str | None = None


class Repeated(Message):
    """The same result was accepted before; nothing changes."""

    id: UUID


class Accepted(Message):
    """The result is recorded; `to_status` is the activity's status afterwards."""

    to_status: ActivityStatus
    attempt: int
    overrides: UUID | None = None


class Rejected(Message):
    """The result comes too late, too early or from another executor; `detail` is the sentence for the caller."""

    detail: str


def judge(seen: HandOff, result: ReportedResult) -> Repeated | Accepted | Rejected:
    """Judge a result: the first one of the latest lease counts, any other only with `hard_override`."""
    repeated = _find_repetition(seen, result)
    if repeated:
        return repeated
    if seen.lease is None:
        return Rejected(detail=f"The activity is {seen.status}, and no executor has claimed it.")
    is_open = seen.status not in FINISHED or _is_exhausted(seen)
    if not is_open and not result.hard_override:
        return Rejected(detail=f"{_describe_decided(seen, result)}; only `hard_override` can change that.")
    if is_open and _is_superseded(result, seen.lease):
        return Rejected(
            detail=f"The activity was claimed since by {seen.lease.executor}, whose lease ends at"
            f" {seen.lease.expires_at:%Y-%m-%dT%H:%M:%SZ}; only the result of that lease counts."
        )
    overrides = seen.decisive_result if not is_open and result.status in EFFECTS else None
    return Accepted(
        to_status=EFFECTS.get(result.status, seen.status),
        attempt=seen.lease.attempt,
        overrides=overrides.id if overrides else None,
    )


def _find_repetition(seen: HandOff, result: ReportedResult) -> Repeated | None:
    """Find the equal result that was accepted before, the one with the same provider's id if there are several.

    A result with a provider's id that none of the activity's results has is another one: the id would be lost. An
    overridden result that arrives again is a repetition as well, unless `hard_override` asks for it to count again.
    """
    sent = result.provider_activity_id
    same = [one for one in seen.results if one.fingerprint == result.fingerprint]
    same.sort(key=lambda one: one.provider_activity_id == sent)
    if not same or sent not in {None, *(one.provider_activity_id for one in seen.results)}:
        return None
    could_decide = result.hard_override and result.status in EFFECTS and seen.status in FINISHED
    counts_again = could_decide and same[-1] != seen.decisive_result
    return None if counts_again else Repeated(id=same[-1].id)


def _describe_decided(seen: HandOff, result: ReportedResult) -> str:
    """Describe the finished activity, or its equal result whose provider's id differs."""
    known = next((one for one in reversed(seen.results) if one.fingerprint == result.fingerprint), None)
    if known is None:
        return f"The activity is {seen.status} already"
    named = f"the provider's id {known.provider_activity_id!r}" if known.provider_activity_id else "no provider's id"
    return f"The activity has this result already, with {named} instead of {result.provider_activity_id!r}"


def _is_exhausted(seen: HandOff) -> bool:
    """Return whether the activity FAILED by expired leases: the last executor may still report a result."""
    return seen.status is ActivityStatus.FAILED and seen.decisive_result is None


def _is_superseded(result: ReportedResult, lease: Lease) -> bool:
    """Return whether the result belongs to an earlier lease, by its token, its attempt or else its time."""
    if result.lease_token:
        return result.lease_token != lease.token
    if result.attempt is not None:
        return result.attempt != lease.attempt
    return lease.attempt > 1 and result.occurred_at < lease.taken_at
