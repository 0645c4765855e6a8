"""What executors send and get: claims, leases, and the activities that they have taken, whole."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Row

from api.activities.schemas import ScheduledActivityRead, TargetUserRead
from api.http.auth import Caller
from api.http.fields import Answer, Instant, RequestBody, Text
from db.claims import Claim
from db.snapshots import snapshot
from workflows.resolution.criteria import REACHED_BY
from workflows.words import ActivityStatus, ActivityType, Channel, ContactType


def _once(words: list[Any]) -> list[Any]:
    return list(dict.fromkeys(words))


LeaseSeconds = Annotated[int, Field(ge=5, le=3600)]
Executor = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class ExecutionClaim(RequestBody):
    """What an executor can carry out now."""

    channels: Annotated[list[Channel], Field(min_length=1, max_length=20), AfterValidator(_once)]
    types: Annotated[list[ActivityType], Field(min_length=1, max_length=20), AfterValidator(_once)] = Field(
        default=[ActivityType.TASK, ActivityType.MESSAGE]
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    lease_seconds: LeaseSeconds = Field(default=60, description="For how long they are the executor's alone.")
    wait_seconds: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="How long to wait if nothing is due; the answer comes as soon as something is."
    )
    executor: Executor = Field(description="Who takes them, for the trail and for those who ask who has one.")

    def for_caller(self, caller: Caller) -> Claim:
        """What the statement is told."""
        return Claim(
            tenant_id=caller.tenant_id,
            channels=self.channels,
            types=self.types,
            limit=self.limit,
            lease=timedelta(seconds=self.lease_seconds),
            executor=self.executor,
            actor=caller.subject,
        )


class LeaseExtension(RequestBody):
    """How long from now the lease shall last."""

    lease_seconds: LeaseSeconds = 60


class LeaseRelease(RequestBody):
    """Why the executor gives it back."""

    reason: Text | None = None


class LeaseRead(Answer):
    """A lease after a change; the activity is the executor's while it is DISPATCHED."""

    activity_id: UUID
    status: ActivityStatus
    lease_token: UUID
    lease_expires_at: Instant
    attempt: int


class ClaimedContactRead(Answer):
    """How the target is reached on the activity's channel."""

    contact_type: ContactType
    value: str


class ClaimedTargetRead(TargetUserRead):
    """Whom it is aimed at, and how to reach them; SALESMAN and PUSH need no contact."""

    name: str | None
    contact: ClaimedContactRead | None


class ClaimedCommerceRead(Answer):
    """The commerce in the tenant's own words."""

    external_id: str
    name: str


class ClaimedActivityRead(ScheduledActivityRead):
    """An activity in an executor's hands: all that is needed to carry it out, and the lease."""

    target_users: tuple[ClaimedTargetRead, ...] = ()
    commerce: ClaimedCommerceRead
    lease_token: UUID = Field(description="The executor's secret: it extends or releases the lease, and signs results.")
    lease_expires_at: Instant
    attempt: int = Field(description="How often it has been taken, this time included.")

    @classmethod
    def taken(cls, row: Row[Any]) -> "ClaimedActivityRead":
        """One row of `db.claims.claim`."""
        people = {person["id"]: person for person in row.people or ()}
        read = ScheduledActivityRead.of(snapshot(row), None)
        targets = [_with_contact(target, people, read.channel) for target in read.target_users]
        lease = {"lease_token": row.lease_token, "lease_expires_at": row.lease_expires_at, "attempt": row.attempts}
        return cls.model_validate(dict(read) | lease | {"target_users": targets, "commerce": row.commerce})


class ClaimedActivities(Answer):
    """What was taken: highest score first, then longest due; nothing if nothing is due."""

    data: list[ClaimedActivityRead]


def _with_contact(target: TargetUserRead, people: dict[str, Any], channel: Channel) -> dict[str, Any]:
    person = people.get(str(target.commerce_user_id), {"name": None, "contacts": []})
    return dict(target) | {"name": person["name"], "contact": contact_for(channel, person["contacts"])}


def contact_for(channel: Channel, contacts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The channel's preferred type of contact first, of that the primary one, else the first."""
    for contact_type in REACHED_BY.get(channel, ()):
        usable = [contact for contact in contacts if contact["contact_type"] == contact_type]
        if usable:
            return next((contact for contact in usable if contact.get("is_primary")), usable[0])
    return None
