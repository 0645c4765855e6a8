"""Draw the ids of activities and bulk operations, and judge their age."""

import secrets
import time
from uuid import UUID

VERSION = 7
_TIME_SHIFT, _VERSION_SHIFT, _HIGH_SHIFT, _VARIANT_SHIFT = 80, 76, 64, 62
_LOW_BITS = (1 << _VARIANT_SHIFT) - 1
_RANDOM_BITS = 74
_MILLISECOND_NS = 1_000_000

YOUNG_MS = 120_000
"""Milliseconds for which an id that is not known may belong to a creation that Temporal has accepted: its list of runs
is behind by seconds, and a caller that was answered 202 looks at once."""

CLOCK_SKEW_MS = 300_000
"""Milliseconds by which the clock of the process that drew an id may be ahead of that of the process that judges it."""


def draw_id() -> UUID:
    """Draw a UUIDv7 as RFC 9562 defines it: 48 bits of the time in milliseconds, and 74 random bits.

    Python's own `uuid.uuid7` exists from 3.14 on.
    """
    random = secrets.randbits(_RANDOM_BITS)
    return UUID(
        int=_now_ms() << _TIME_SHIFT
        | VERSION << _VERSION_SHIFT
        | (random >> _VARIANT_SHIFT) << _HIGH_SHIFT
        | 0b10 << _VARIANT_SHIFT
        | random & _LOW_BITS
    )


def is_young(drawn: UUID) -> bool:
    """Return whether the service can have drawn the id within the last two minutes: it is a UUIDv7 of that time."""
    age_ms = _now_ms() - (drawn.int >> _TIME_SHIFT)
    return drawn.version == VERSION and -CLOCK_SKEW_MS <= age_ms < YOUNG_MS


def _now_ms() -> int:
    return time.time_ns() // _MILLISECOND_NS
