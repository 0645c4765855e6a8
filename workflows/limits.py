"""The bounds of updates, whose id and arguments the web UI's form sends unchecked.

They are checked before an update is accepted, and only then: a bound in a message's type would be checked in every
replay as well, where a change of it would break the runs that have accepted an update before.
"""

import re
import unicodedata
from datetime import datetime, timedelta

from workflows.messages import Cancel, Change, Message, Refresh, Reschedule, ScheduledActivityInput

TEXT_LENGTH = 1000
OPERATORS_TEXT_LENGTH = 500
INDEXED_BYTES = 2000
"""The most bytes, in UTF-8, of a text in an index: an entry of PostgreSQL's has 2,704, with the columns beside it."""
FIRST_YEAR = 1970
YEARS_AHEAD = 10
LONGEST_WAIT = timedelta(days=YEARS_AHEAD * 365 + 3)
"""Ten years, with the three leap days that they may contain."""
LONGEST_LEAD = LONGEST_WAIT / 2
SCORES = range(-(2**31), 2**31)
VERSIONS_AT_MOST = 100
CLEARABLE = frozenset({"suggested_execution_time", "score"})
"""The fields of an activity that a move may clear."""

REQUEST_ID = re.compile(r"[!-~]{1,128}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_UPDATE_ID = re.compile(r"[!-~][ -~]{0,199}")
_EVENT_KEYS = (
    *("created", "due", "wake-up:", "cancel-request", "run:", "hand-off:"),
    *("terminated:", "cancelled:", "brought-back:", "restored:", "ended:"),
)
"""The beginnings of event keys that are no updates'. An update of such an id would keep the other event from the trail:
the mark, whose key begins with `due:`, or `wake-up:` if its resolution fails, could never be written."""

_SELECTORS = "".join(map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Unicode's variation selectors. Each chooses how the character before it looks, and has no ink of its own."""
_WITHOUT_INK = (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9))
_BLANKS = frozenset((*_SELECTORS, *map(chr, (*_WITHOUT_INK, *range(0xE0000, 0xE0100), *range(0xE01F0, 0xE1000)))))
"""Letters, marks and symbols without ink, such as the fillers of Hangul and the empty pattern of Braille."""

_CLOCK_LEEWAY = timedelta(days=1)
"""The API has checked the time by its own clock, possibly long before the run receives the change."""


def find_faulty_id(update_id: str) -> str | None:
    """Return a sentence that says why an update can't have this id; None if it can."""
    if not _UPDATE_ID.fullmatch(update_id):
        return "The update's id must have 1 to 200 printable ASCII characters."
    if update_id.startswith(_EVENT_KEYS):
        return f"The update's id must not begin with {', '.join(_EVENT_KEYS)}."
    return None


def find_fault(argument: Message, now: datetime) -> str | None:
    """Return a sentence that says which value of an update's argument is out of bounds; None if all are within them."""
    if isinstance(argument, Change) and _bound_request_id(argument.request_id) != argument.request_id:
        return "request_id must have 1 to 128 printable ASCII characters, and no blanks."
    if isinstance(argument, Change) and _bound_traceparent(argument.traceparent) != argument.traceparent:
        return "traceparent must be a version, a trace, a span and flags, as W3C Trace Context writes them."
    match argument:
        case Cancel(reason=reason):
            return _find_faulty_reason(reason) if reason else "A cancellation needs a reason."
        case Reschedule():
            return (
                _find_faulty_reason(argument.reason)
                or _find_faulty_lead(argument.lead_seconds)
                or _find_faulty_versions(argument.if_versions)
                or _find_faulty_value(argument, now)
            )
        case Refresh(lead_seconds=lead_seconds):
            return _find_faulty_lead(lead_seconds)
    return None


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text, and it is not too long."""
    return len(text) <= TEXT_LENGTH and not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in text)


def is_blank(text: str) -> bool:
    """Return whether nothing of the text can be seen."""
    return all(one.isspace() or one in _BLANKS or unicodedata.category(one) in {"Cc", "Cf"} for one in text)


def has_invisible_end(text: str) -> bool:
    """Return whether the first or the last character of the text can't be seen.

    One variation selector after another character than ASCII's is seen: it makes a symbol a picture, for example.
    """
    shown = text.rstrip(_SELECTORS)
    is_chosen = len(text) - len(shown) == 1 and not shown[-1:].isascii()
    return is_blank(text[0]) or is_blank(shown[-1] if is_chosen else text[-1])


def make_storable(text: str) -> str:
    """Return an operator's text as PostgreSQL can store it, and no longer than it is read: Temporal takes any."""
    return text[:OPERATORS_TEXT_LENGTH].replace("\0", "\N{REPLACEMENT CHARACTER}")


def bound_input(scheduled: ScheduledActivityInput) -> ScheduledActivityInput:
    """Return a run's input without what the API could not have sent: a person may have started the run."""
    bound = {
        "lead_seconds": 0 if _find_faulty_lead(scheduled.lead_seconds) else scheduled.lead_seconds,
        "request_id": _bound_request_id(scheduled.request_id),
        "traceparent": _bound_traceparent(scheduled.traceparent),
    }
    return scheduled.model_copy(update=bound)


def _bound_request_id(request_id: str | None) -> str | None:
    return request_id if request_id and REQUEST_ID.fullmatch(request_id) else None


def _bound_traceparent(traceparent: str | None) -> str | None:
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None


def _find_faulty_reason(reason: str | None) -> str | None:
    if reason is None or (is_storable(reason) and not is_blank(reason)):
        return None
    return f"The reason must have 1 to {TEXT_LENGTH:,} characters, not blanks alone, none that PostgreSQL can't store."


def _find_faulty_lead(seconds: float | None) -> str | None:
    longest = LONGEST_LEAD.total_seconds()
    # NaN is not within any bounds.
    return None if seconds is None or 0 <= seconds <= longest else f"lead_seconds must lie between 0 and {longest:.0f}."


def _find_faulty_versions(versions: tuple[int, ...] | None) -> str | None:
    if not versions or (len(versions) <= VERSIONS_AT_MOST and all(0 <= one < SCORES.stop for one in versions)):
        return None
    return f"if_versions may have at most {VERSIONS_AT_MOST} versions, each below {SCORES.stop}."


def _find_faulty_value(change: Reschedule, now: datetime) -> str | None:
    if change.clear and (fault := _find_faulty_clear(change, change.clear)):
        return fault
    times = [time for time in (change.scheduled_at, change.suggested_execution_time) if time]
    if not times and change.score is None and not change.clear:
        return "A move must change at least one of scheduled_at, suggested_execution_time and score."
    if change.score is not None and change.score not in SCORES:
        return f"The score must lie between {SCORES.start} and {SCORES.stop - 1}."
    latest = now + LONGEST_WAIT + _CLOCK_LEEWAY
    if any(time.year < FIRST_YEAR or time > latest for time in times):
        return f"A time must lie between {FIRST_YEAR} and {YEARS_AHEAD} years from now."
    return None


def _find_faulty_clear(change: Reschedule, names: tuple[str, ...]) -> str | None:
    if not CLEARABLE.issuperset(names):
        return f"clear may name {' and '.join(sorted(CLEARABLE))}."
    if any(getattr(change, name) is not None for name in names):
        return "A move can't clear a field and give it a value."
    return None
