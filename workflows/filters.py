"""Which recorded activities somebody means: the list's own parameters, which bulk operations take along."""

from uuid import UUID

from pydantic import AwareDatetime

from workflows.payloads import ActivityStatus, ActivityType, Channel, Message


class ActivityFilter(Message):
    """All conditions hold at once; one that isn't given lets everything of the tenant pass."""

    status: tuple[ActivityStatus, ...] = ()
    type: ActivityType | None = None
    channel: Channel | None = None
    commerce_id: UUID | None = None
    reason: str | None = None
    scheduled_from: AwareDatetime | None = None
    scheduled_to: AwareDatetime | None = None
    search: str | None = None
    idempotency_key: str | None = None
    late: bool = False
