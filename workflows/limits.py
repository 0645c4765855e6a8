"""The bounds of a change's values, for changes that the web UI's update form sends unchecked."""

from datetime import datetime, timedelta

from workflows.messages import Cancel, Change, Reschedule

TEXT_LENGTH = 1000
FIRST_YEAR = 1970
YEARS_AHEAD = 10
LONGEST_WAIT = timedelta(days=YEARS_AHEAD * 365 + 3)
"""Ten years, with the three leap days that they may contain."""
SCORES = range(-(2**31), 2**31)

_CLOCK_LEEWAY = timedelta(days=1)
"""The API has checked the time by its own clock, possibly long before the run receives the change."""


def find_fault(change: Change, now: datetime) -> str | None:
    """Return a sentence that says which value of the change is out of bounds; None if all are within them."""
    if isinstance(change, Cancel | Reschedule) and not _is_storable(change.reason or ""):
        return f"The reason may have at most {TEXT_LENGTH:,} characters, and none that PostgreSQL can't store."
    return _find_faulty_value(change, now) if isinstance(change, Reschedule) else None


def _find_faulty_value(change: Reschedule, now: datetime) -> str | None:
    times = [time for time in (change.scheduled_at, change.suggested_execution_time) if time]
    if not times and change.score is None:
        return "A move must change at least one of scheduled_at, suggested_execution_time and score."
    if change.score is not None and change.score not in SCORES:
        return f"The score must lie between {SCORES.start} and {SCORES.stop - 1}."
    latest = now + LONGEST_WAIT + _CLOCK_LEEWAY
    if any(time.year < FIRST_YEAR or time > latest for time in times):
        return f"A time must lie between {FIRST_YEAR} and {YEARS_AHEAD} years from now."
    return None


def _is_storable(text: str) -> bool:
    return len(text) <= TEXT_LENGTH and not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in text)
