"""Resolve what a request only describes: load the facts, in one statement a step, and decide by them."""

from temporalio import activity

from db import facts
from db.engine import Database
from workflows.activities import ResolutionActivities
from workflows.messages import Resolve, ResolvedAttributes, ResolvedReason, ResolvedTarget
from workflows.resolution import choose_attributes, choose_target, match_reason
from workflows.words import ResolutionMoment


class Resolution(ResolutionActivities):
    """The steps that only read. A second run decides by the facts of its own time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def resolve_reason(self, resolve: Resolve) -> ResolvedReason:
        """Match the reason, and the user status if given, with the tenant's catalogues."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.read_reason_facts(connection, resolve)
        return match_reason(known)

    @activity.defn
    async def resolve_target(self, resolve: Resolve) -> ResolvedTarget:
        """Choose the target user."""
        async with self._database.autocommit.connect() as connection:
            known = await facts.read_target_facts(connection, resolve)
        return choose_target(known)

    @activity.defn
    async def resolve_attributes(self, resolve: Resolve) -> ResolvedAttributes:
        """Find the attributes' values, without a statement for a creation that asks for none."""
        if resolve.moment is ResolutionMoment.CREATION and not facts.has_attributes(resolve.scheduled.request):
            return ResolvedAttributes()
        async with self._database.autocommit.connect() as connection:
            known = await facts.read_attribute_facts(connection, resolve)
        return choose_attributes(known)
