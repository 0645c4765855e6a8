"""The texts that operators read in Temporal's web UI: ids and states, never names, numbers or texts of people."""

from datetime import UTC, datetime

from workflows.messages import ScheduledActivityInput, Standing
from workflows.words import ActivityStatus

RESOLVING = "**RESOLVING**: the commerce, reason, target user and attributes are being resolved."
RESUMED = "**Resumed**: this run goes on where another one has ended, and reads its row again."


def format_minute(moment: datetime) -> str:
    """Format a time as 2025-01-16T09:00Z, with seconds only if there are any."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}{f':{moment.second:02}' if moment.second else ''}Z"


def contract_time(instant: datetime) -> str:
    """Format an instant as the API does: 2025-01-16T09:00:00.000Z."""
    utc = instant.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def headline(scheduled: ScheduledActivityInput, scheduled_at: datetime | None = None) -> str:
    """Describe the activity of a run in one line; after a move, `scheduled_at` is its new time."""
    request = scheduled.request
    at = format_minute(scheduled_at or request.scheduled_at)
    return f"{request.channel} {request.type} for commerce {request.commerce_id} at {at}"


def describe_standing(standing: Standing, wake_at: datetime) -> str:
    """Describe in Markdown what the run is waiting for."""
    due_at = format_minute(standing.scheduled_at)
    match standing.status:
        case ActivityStatus.READY:
            left = ", ".join(part.lower().replace("_", " ") for part in standing.pending)
            then = f"resolves {left} and marks" if left else "marks"
            return f"**READY**: sleeps until {format_minute(wake_at)}, then {then} the activity as due at {due_at}."
        case ActivityStatus.UNRESOLVED:
            return f"**UNRESOLVED**: waits for an operator. {standing.why or ''}".rstrip()
        case ActivityStatus.DUE:
            return f"**DUE** from {due_at} on: marked for execution. PostgreSQL holds the activity from here."
        case _:
            return f"**{standing.status}**: this run has nothing left to do."
