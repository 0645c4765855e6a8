"""Times as people write and read them."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FROM_NOW = re.compile(r"\+(\d+)([smhd])")


def parse_time(text: str) -> datetime:
    """Return the time of `now`, `+90s`, `+5m`, `+2h`, `+1d`, or of ISO 8601. Without an offset it is local.

    Raises:
        ValueError: it is none of them, or beyond the year 9999.

    """
    found = _FROM_NOW.fullmatch(text)
    if text == "now":
        return datetime.now(UTC)
    try:
        if found:
            return datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})
        return datetime.fromisoformat(text).astimezone()
    except OverflowError as failure:
        raise ValueError(text) from failure


def format_time(time: datetime | None) -> str:
    """Return a local time to the second, or a dash."""
    return "-" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def format_lateness(milliseconds: int | None) -> str:
    """Return the lateness of a mark: in milliseconds up to a second, then in seconds."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds} ms late" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s late"  # noqa: PLR2004 - a second
