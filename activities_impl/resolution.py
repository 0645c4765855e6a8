"""Finds what a request only describes: loads the facts in one statement a step, and lets the engine decide."""

from collections.abc import Callable
from typing import TypeVar

from temporalio import activity

from db import facts
from db.engine import Database
from workflows.activities import ResolutionActivities, rejected
from workflows.messages import RejectedError, Resolve, ResolvedAttributes, ResolvedReason, ResolvedTarget
from workflows.resolution.attributes import choose_attributes
from workflows.resolution.reasons import match_reason
from workflows.resolution.targets import choose_target
from workflows.words import ResolutionMoment

Known = TypeVar("Known")
Decided = TypeVar("Decided")


class Resolution(ResolutionActivities):
    """The steps that only read: run twice, they answer by the facts of the second time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def resolve_reason(self, resolve: Resolve) -> ResolvedReason:
        """Match the reason, and the user status if given, with the tenant's catalogues."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.reason_facts(connection, resolve)
        return or_rejected(match_reason, known)

    @activity.defn
    async def resolve_target(self, resolve: Resolve) -> ResolvedTarget:
        """Choose the commerce user whom the activity is aimed at."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.target_facts(connection, resolve)
        return choose_target(known)

    @activity.defn
    async def resolve_attributes(self, resolve: Resolve) -> ResolvedAttributes:
        """Find the attributes' values; a creation that asks for none costs no statement."""
        if resolve.moment is ResolutionMoment.CREATION and not facts.asks_for_some(resolve.scheduled.request):
            return ResolvedAttributes()
        async with self._database.autocommit.connect() as connection:
            known = await facts.attribute_facts(connection, resolve)
        return or_rejected(choose_attributes, known)


def or_rejected(decide: Callable[[Known], Decided], known: Known) -> Decided:
    """Decide; what the caller has to mend fails the step for good."""
    try:
        return decide(known)
    except RejectedError as refused:
        raise rejected(refused.rejection) from None
