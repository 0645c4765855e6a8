"""What a change may hold, whoever sends it: the API has looked before, the web UI's update form has not."""

from datetime import datetime, timedelta

from workflows.messages import Cancel, Change, Reschedule

TEXT_LENGTH = 1000
FIRST_YEAR = 1970
YEARS_AHEAD = 10
LONGEST_WAIT = timedelta(days=YEARS_AHEAD * 365 + 3)
"""With as many leap days as can be in it."""
SCORES = range(-(2**31), 2**31)

_BETWEEN_CLOCKS = timedelta(days=1)


def fault_in(change: Change, now: datetime) -> str | None:
    """Why it can't be carried out, in a sentence; None if it can, as far as it alone decides."""
    if isinstance(change, Cancel | Reschedule) and not _is_storable(change.reason or ""):
        return f"The reason may have {TEXT_LENGTH:,} characters at most, and none that can't be stored."
    return _fault_in_values(change, now) if isinstance(change, Reschedule) else None


def _fault_in_values(change: Reschedule, now: datetime) -> str | None:
    times = [time for time in (change.scheduled_at, change.suggested_execution_time) if time]
    if not times and change.score is None:
        return "It must change at least one of scheduled_at, suggested_execution_time and score."
    if change.score is not None and change.score not in SCORES:
        return f"The score must lie between {SCORES.start} and {SCORES.stop - 1}."
    latest = now + LONGEST_WAIT + _BETWEEN_CLOCKS
    if any(time.year < FIRST_YEAR or time > latest for time in times):
        return f"A time must lie between {FIRST_YEAR} and {YEARS_AHEAD} years from now."
    return None


def _is_storable(text: str) -> bool:
    return len(text) <= TEXT_LENGTH and not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in text)
