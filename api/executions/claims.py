"""POST /api/executions/claim: hand due activities to executors."""

import asyncio
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.schemas import ScheduledActivityRead, TargetUserRead
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanDispatch, Opened, Resources
from api.http.errors import RateLimited, problem_responses
from api.http.fields import Answer, Instant, RequestBody, ShortIdentifier
from api.http.metrics import CLAIMABLE_LATENESS, CLAIMED_LATENESS
from api.http.turns import turn_of
from db import claims
from db.claims import Contact, Person
from db.due_watch import Waiter
from db.rows import ADVISORY_LOCK_STATEMENT, Columns
from workflows.resolution.criteria import REACHED_BY
from workflows.tenant_limits import WAITING_CLAIMS
from workflows.words import ActivityStatus, ActivityType, Channel, ContactType

router = APIRouter(prefix="/api/executions", tags=["executions"])

LONGEST_SLEEP_SECONDS = 5.0
"""No longer than the shortest lease, so that each lease that ends during a sleep was known before it."""

MOST_SEARCHES = 10
"""The most statements in a row that find only activities whose targets can't be reached."""

Word = TypeVar("Word", bound=str)


def _drop_repeats(words: list[Word]) -> list[Word]:
    """Return the words without repetitions, in their order."""
    return list(dict.fromkeys(words))


LeaseSeconds = Annotated[int, Field(ge=5, le=3600)]
Executor = ShortIdentifier


class ExecutionClaim(RequestBody):
    """The activities that an executor can carry out now."""

    channels: Annotated[list[Channel], Field(min_length=1, max_length=20), AfterValidator(_drop_repeats)]
    types: Annotated[list[ActivityType], Field(min_length=1, max_length=20), AfterValidator(_drop_repeats)] = Field(
        default=[ActivityType.TASK, ActivityType.MESSAGE]
    )
    limit: Annotated[
        int, Field(ge=1, le=100, description="The most activities to return; fewer, if they have many bytes.")
    ] = 10
    lease_seconds: LeaseSeconds = Field(default=60, description="How long the executor holds each activity.")
    wait_seconds: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="How long to wait if nothing is due. The response is sent as soon as something is."
    )
    executor: Executor = Field(description="The executor's name, as shown in the trail and in error messages.")
    claim_id: UUID | None = Field(
        default=None,
        description="An id of the caller's for this claim. Sent again by the same executor, the claim returns the same"
        " leases while they last, so that a lost answer costs no attempt.",
    )

    def claim_of(self, caller: Caller) -> claims.Claim:
        """Return the parameters of the claiming statement."""
        return claims.Claim(
            tenant_id=caller.tenant_id,
            channels=self.channels,
            types=self.types,
            limit=self.limit,
            lease=timedelta(seconds=self.lease_seconds),
            executor=self.executor,
            claim_id=self.claim_id,
            actor=caller.subject,
            request_id=caller.request_id,
        )


class ClaimedContactRead(Answer):
    """A contact of the target user that works on the activity's channel."""

    contact_type: ContactType
    value: str


class ClaimedTargetRead(TargetUserRead):
    """The target user and how to reach them. SALESMAN and PUSH need no contact."""

    name: str | None
    contact: ClaimedContactRead | None


class ClaimedCommerceRead(Answer):
    """The commerce, by the tenant's own id and name."""

    external_id: str
    name: str


class ClaimedActivityRead(ScheduledActivityRead):
    """A claimed activity: all that an executor needs to carry it out, and the lease."""

    target_users: tuple[ClaimedTargetRead, ...] = ()
    commerce: ClaimedCommerceRead
    lease_token: UUID = Field(
        description="The executor's secret. Send it to extend or release the lease, and with a result."
    )
    lease_expires_at: Instant
    attempt: int = Field(description="The number of times the activity has been claimed, this time included.")

    @classmethod
    def of_claimed(cls, claimed: claims.ClaimedActivity) -> "ClaimedActivityRead":
        """Compose the answer for an activity that was just claimed."""
        people: dict[str, Person] = {person["id"]: person for person in claimed.people}
        read = ScheduledActivityRead.of(claimed.snapshot, None)
        targets = [_add_contact(target, people, read.channel) for target in read.target_users]
        lease = {name: getattr(claimed, name) for name in ("lease_token", "lease_expires_at", "attempt")}
        return cls.model_validate(dict(read) | lease | {"target_users": targets, "commerce": claimed.commerce})


class ClaimedActivities(Answer):
    """The claimed activities; empty if nothing is due."""

    data: list[ClaimedActivityRead] = Field(description="By score, highest first; then by the time they became due.")


@router.post("/claim", responses=problem_responses())
async def claim_activities(
    request: Request, caller: CanDispatch, opened: Opened, body: Json[ExecutionClaim]
) -> ClaimedActivities:
    """Claim due activities for an executor.

    Each activity goes to one executor and is DISPATCHED until its lease ends. The highest score goes first, then the
    activity that has been due longest. Everything that was `PENDING` is resolved before an activity can be claimed.

    An activity whose target user is inactive by now, or lost the contact that the channel needs, is not returned: it
    becomes UNRESOLVED. An activity that would be FAILED if its next lease ran out is claimed alone.

    Before a lease ends, report a result, extend the lease or release it. Otherwise the activity becomes DUE again, or
    FAILED after too many expired leases.
    """
    await _require_room(opened, caller, body)
    give_up_at = asyncio.get_running_loop().time() + body.wait_seconds
    claim = body.claim_of(caller)
    with opened.due_watch.waiting(caller.tenant_id, body.channels, body.types) as waiter:
        while True:
            waiter.begin_read()
            claimed, next_in = await _claim(opened, claim)
            left = give_up_at - asyncio.get_running_loop().time()
            if claimed or left <= 0 or not await _wait_for_more(min(left, next_in), waiter, request, opened):
                break
    if claimed:
        structlog.contextvars.bind_contextvars(activity_ids=[str(one.snapshot.id) for one in claimed])
        opened.link_traces(span for one in claimed for span in one.traceparents)
    return ClaimedActivities(data=[ClaimedActivityRead.of_claimed(one) for one in claimed])


async def _require_room(opened: Resources, caller: Caller, body: ExecutionClaim) -> None:
    """Raise `RateLimited` if the claim may wait and as many of the tenant's claims wait as may."""
    most = await opened.quotas.find(caller.tenant_id, WAITING_CLAIMS) if body.wait_seconds else None
    if most is not None and opened.due_watch.count_waiting(caller.tenant_id) >= most:
        raise RateLimited(
            f"{most:,} of the tenant's claims wait already. Wait with fewer executors, or claim without `wait_seconds`."
        )


async def _claim(opened: Resources, claim: claims.Claim) -> tuple[list[claims.ClaimedActivity], float]:
    """Return the claimed activities; without any, the seconds until the next attempt if no notification arrives."""
    parameters = claim.parameters()
    if claim.claim_id is None:
        async with opened.database.autocommit.connect() as connection:
            return await _take(connection, parameters)
    async with opened.database.transactions.begin() as connection:
        # A repetition that arrives during the claim waits for its commit, and then finds its leases.
        await connection.execute(ADVISORY_LOCK_STATEMENT, {"lock": f"claim:{claim.tenant_id}:{claim.claim_id}"})
        repeated = await connection.execute(claims.REPEATED_CLAIM_STATEMENT, parameters)
        held = [claims.build_claimed(row) for row in repeated.mappings()]
        return (held, 0) if held else await _take(connection, parameters)


async def _take(connection: AsyncConnection, parameters: Columns) -> tuple[list[claims.ClaimedActivity], float]:
    """Take due activities, as `_claim` returns them."""
    await connection.execute(claims.EXPIRE_STATEMENT, parameters)
    for _ in range(MOST_SEARCHES):
        rows = (await connection.execute(claims.CLAIM_STATEMENT, parameters)).mappings().all()
        claimed = [claims.build_claimed(row) for row in rows if row["status"] == ActivityStatus.DISPATCHED]
        if claimed:
            _observe_lateness(claimed)
            return claimed, 0
        if not rows:
            break
    else:
        return [], 0
    seconds = (await connection.execute(claims.SECONDS_TO_NEXT_STATEMENT, parameters)).scalar_one()
    return [], LONGEST_SLEEP_SECONDS if seconds is None else min(float(seconds), LONGEST_SLEEP_SECONDS)


def _observe_lateness(claimed: list[claims.ClaimedActivity]) -> None:
    for one in claimed:
        if one.attempt == 1:
            CLAIMABLE_LATENESS.labels(one.snapshot.channel).observe(one.lateness_ms / 1000)
            CLAIMED_LATENESS.labels(one.snapshot.channel).observe(one.claimed_late_seconds)


async def _wait_for_more(seconds: float, waiter: Waiter, request: Request, opened: Resources) -> bool:
    """Sleep until something may be due; return False if the process is stopping or the caller has disconnected."""
    if opened.due_watch.is_stopping:
        return False
    turn = turn_of(request)
    turn.give_back()
    await waiter.sleep(seconds)
    await turn.take(patient=True)  # a mark may wake all claims of a tenant
    return not await request.is_disconnected()


def _add_contact(target: TargetUserRead, people: dict[str, Person], channel: Channel) -> dict[str, object]:
    person = people.get(str(target.commerce_user_id)) or Person(name=None, contacts=[])
    return dict(target) | {"name": person["name"], "contact": choose_contact(channel, person["contacts"])}


def choose_contact(channel: Channel, contacts: list[Contact]) -> Contact | None:
    """Return the contact to use on a channel: of the preferred type, the primary one, else the first."""
    for contact_type in REACHED_BY.get(channel, ()):
        usable = [contact for contact in contacts if contact["contact_type"] == contact_type]
        if usable:
            return next((contact for contact in usable if contact.get("is_primary")), usable[0])
    return None
