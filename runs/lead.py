"""Spread the wake-ups of runs that share an instant."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Lead:
    """The most seconds that a run may wake before its time."""

    max_seconds: float

    def before(self, scheduled_at: datetime) -> float:
        """Return how many seconds before `scheduled_at` a run may wake: half of its wait, within the maximum."""
        wait = (scheduled_at - datetime.now(UTC)).total_seconds()
        return max(0.0, min(self.max_seconds, wait / 2))
