"""What an operator reads in the web UI: ids and states in words, never names, numbers or texts of people."""

from datetime import UTC, datetime

from workflows.messages import ScheduledActivityInput, Standing
from workflows.words import ActivityStatus


def minute(moment: datetime) -> str:
    """2025-01-16T09:00Z, with seconds when there are any: as short as it can be said without loss to the eye."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}{f':{moment.second:02}' if moment.second else ''}Z"


def contract_time(instant: datetime) -> str:
    """Format an instant as the API does: 2025-01-16T09:00:00.000Z."""
    utc = instant.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def headline(scheduled: ScheduledActivityInput, scheduled_at: datetime | None = None) -> str:
    """The one line that says what a run is; after a move, `scheduled_at` is its new time."""
    request = scheduled.request
    at = minute(scheduled_at or request.scheduled_at)
    return f"{request.channel} {request.type} for commerce {request.commerce_id} at {at}"


def waits_for(standing: Standing, wake_at: datetime) -> str:
    """What the run is doing now and what ends that, in Markdown."""
    match standing.status:
        case ActivityStatus.READY:
            left = ", ".join(part.lower().replace("_", " ") for part in standing.pending)
            then = f", then resolves {left}," if left else ""
            return f"**READY**: sleeps until {minute(wake_at)}{then} to be marked for {minute(standing.scheduled_at)}."
        case ActivityStatus.UNRESOLVED:
            return f"**UNRESOLVED**: waits for an operator. {standing.why or ''}".rstrip()
        case ActivityStatus.DUE:
            return (
                f"**DUE** from {minute(standing.scheduled_at)} on: marked for execution; PostgreSQL has it from here."
            )
        case _:
            return f"**{standing.status}**: nothing left to do here."
