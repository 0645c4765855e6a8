"""Finds what a request only describes: loads the facts in one statement a step, and lets the engine decide."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import activity

from db import facts
from db.engine import Database
from workflows.activities import ResolutionActivities, rejection_failure
from workflows.messages import RejectedError, Resolve, ResolvedAttributes, ResolvedReason, ResolvedTarget
from workflows.resolution import choose_attributes, choose_target, match_reason
from workflows.words import ResolutionMoment


class Resolution(ResolutionActivities):
    """The steps that only read: run twice, they answer by the facts of the second time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def resolve_reason(self, resolve: Resolve) -> ResolvedReason:
        """Match the reason, and the user status if given, with the tenant's catalogues."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.reason_facts(connection, resolve)
        with rejection_as_failure():
            return match_reason(known)

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
        with rejection_as_failure():
            return choose_attributes(known)


@contextmanager
def rejection_as_failure() -> Iterator[None]:
    """Turn a rejection into the final failure of a step."""
    try:
        yield
    except RejectedError as rejected:
        raise rejection_failure(rejected.rejection) from None
