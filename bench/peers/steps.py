"""Call the five steps of a creation as plain functions, with our statements and decisions."""

from activities_impl.resolution import Resolution
from activities_impl.scheduled_activities import ScheduledActivities
from db import creation
from db.engine import Database
from db.snapshots import build_snapshot
from db.tenant import act_for
from workflows.messages import (
    CommerceFound,
    Record,
    Resolve,
    ResolvedAttributes,
    ResolvedReason,
    ResolvedTarget,
    ScheduledActivityInput,
    Snapshot,
)


class Steps:
    """Our implementations, called directly; `record` takes the id of the run as an argument."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._resolution, self._rows = Resolution(database), ScheduledActivities(database)

    async def commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Find the commerce."""
        act_for(scheduled.tenant_id)
        return await self._rows.resolve_commerce(scheduled)

    async def reason(self, scheduled: ScheduledActivityInput) -> ResolvedReason:
        """Match the reason."""
        act_for(scheduled.tenant_id)
        return await self._resolution.resolve_reason(Resolve(scheduled=scheduled))

    async def target(self, scheduled: ScheduledActivityInput) -> ResolvedTarget:
        """Choose the target."""
        act_for(scheduled.tenant_id)
        return await self._resolution.resolve_target(Resolve(scheduled=scheduled))

    async def attributes(self, scheduled: ScheduledActivityInput) -> ResolvedAttributes:
        """Find the attributes."""
        act_for(scheduled.tenant_id)
        return await self._resolution.resolve_attributes(Resolve(scheduled=scheduled))

    async def record(self, record: Record, run_id: str) -> Snapshot:
        """Write the row, its parts and its first event."""
        act_for(record.tenant_id)
        async with self.database.autocommit.connect() as connection:
            written = await connection.execute(creation.RECORD_STATEMENT, creation.parameters(record, run_id))
            return build_snapshot(written.mappings().one())
