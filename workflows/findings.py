"""What reconciliation looks for and what it has found: the messages of its workflow."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from workflows.messages import Message


class Finding(StrEnum):
    """How rows and runs may differ, and what is done about it."""

    TERMINATED = "terminated"
    """The run was ended in Temporal: the activity is FAILED now, and can be brought back."""
    CANCELLED = "cancelled"
    """The run was cancelled before it could say so: the activity is CANCELED now."""
    RESUMED = "resumed"
    """Nothing went on for an open row: a new run does."""
    RESET = "reset"
    """An operator has reset the run in Temporal: the trail says so, and the row names the new run."""
    MOVED = "moved"
    """The run slept towards another time than the row's, or showed another status: it has read the row again."""
    OVERDUE = "overdue"
    """READY after its time although its run is open: only reported, for a worker or the database is behind."""
    STUCK = "stuck"
    """A run that hasn't recorded its activity for long: only reported, its pending step says why."""
    LEASE_EXPIRED = "lease_expired"
    """An executor's lease ran out and nobody has asked since: DUE again, or FAILED."""

    FOLLOWED_UP = "followed_up"
    """A result asked for a follow-up whose creation was cut off: it is created now."""


class Cursor(Message):
    """The last row of a page: the next page begins behind it."""

    scheduled_at: datetime
    tenant_id: UUID
    id: UUID


class Page(Message):
    """Which open rows to compare with their runs; a row written within `grace_seconds` is left to itself."""

    after: Cursor | None = None
    ready_only: bool = False
    """Of those that are due first only these count: UNRESOLVED ones stay open after their time, and may be many."""
    size: int = 200
    grace_seconds: float = 10


class Compared(Message):
    """What a page, or all pages, have shown; `examples` names some of the activities of each finding."""

    rows: int = 0
    counts: dict[Finding, int] = Field(default_factory=dict)
    examples: dict[Finding, tuple[str, ...]] = Field(default_factory=dict)
    after: Cursor | None = None

    def plus(self, other: "Compared") -> "Compared":
        """Both together, at the place where the other one ended; a handful of examples is enough."""
        counts = dict(self.counts)
        examples = dict(self.examples)
        for finding, count in other.counts.items():
            counts[finding] = counts.get(finding, 0) + count
            examples[finding] = (*examples.get(finding, ()), *other.examples.get(finding, ()))[:10]
        return Compared(rows=self.rows + other.rows, counts=counts, examples=examples, after=other.after)


class Reconcile(Message):
    """Starts reconciliation; `so_far` is what earlier runs of the same round have shown."""

    page: Page = Page()
    pages: int | None = None
    """How many pages a round takes, after the soonest one; the next round goes on behind them. None: all."""
    ended_within_seconds: float | None = None
    """Look first for runs that were ended from outside within this time."""
    stuck_seconds: float = 600
    so_far: Compared = Compared()

    def plus(self, found: Compared) -> "Reconcile":
        """The same, after something was found before the first page."""
        return self.model_copy(update={"so_far": self.so_far.plus(found)})
