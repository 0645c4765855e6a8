"""Answer for an activity that was removed, by retention or with personal data."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.errors import ActivityGone
from db.removal import Removal, find_removal
from workflows.display import contract_time
from workflows.words import RemovalCause

CAUSES = {
    RemovalCause.RETENTION: "because it was closed for longer than the tenant keeps closed activities",
    RemovalCause.ERASURE: "because personal data was erased",
}


async def require_not_removed(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> None:
    """Raise `ActivityGone` if the activity was removed."""
    removal = await find_removal(connection, tenant_id, activity_id)
    if removal:
        raise gone_problem(removal)


def gone_problem(removal: Removal) -> ActivityGone:
    """Return the 410 of an activity that was removed."""
    return ActivityGone(
        f"Activity {removal.activity_id} {describe_removal(removal)}.",
        members={"cause": removal.cause, "removedAt": contract_time(removal.removed_at)},
    )


def describe_removal(removal: Removal) -> str:
    """Say when and why an activity was removed, as the end of a sentence."""
    at = contract_time(removal.removed_at)
    return f"was removed at {at}, {CAUSES[removal.cause]}. Its idempotency key stays used"
