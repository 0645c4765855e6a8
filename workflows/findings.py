"""The findings of reconciliation, and the messages of its workflow."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from workflows.messages import Message


class Finding(StrEnum):
    """The ways in which a row and its run may differ, and what reconciliation does about each."""

    TERMINATED = "terminated"
    """The run was terminated in Temporal: the activity is FAILED now, and can be brought back."""
    CANCELLED = "cancelled"
    """The run was cancelled before it could cancel its row: the activity is CANCELED now."""
    RESUMED = "resumed"
    """An open row had no run: a new run continues from it."""
    RESET = "reset"
    """An operator has reset the run in Temporal: the trail and the row name the new run now."""
    MOVED = "moved"
    """The run had another time or status than the row: it has read the row again."""
    OVERDUE = "overdue"
    """The activity is READY after its time although its run is open: reported only, since a worker is behind."""
    STUCK = "stuck"
    """The run has not recorded its activity for a long time, or its workflow tasks keep failing: it is reported only.

    Its pending step or its last task shows the cause.
    """
    LEASE_EXPIRED = "lease_expired"
    """An executor's lease ran out and no claim has expired it since: the activity is DUE again, or FAILED."""
    FOLLOWED_UP = "followed_up"
    """A result asked for a follow-up whose creation was cut off: the follow-up is created now."""
    TAKEN_BACK = "taken_back"
    """A result was overridden, and the follow-up that it had made was left: the follow-up is cancelled now."""
    OPERATION_RESUMED = "operation_resumed"
    """A bulk operation had no run: a new run continues it."""
    OPERATION_BEGUN = "operation_begun"
    """A tenant's bulk operations were queued although few enough ran: the next ones have begun."""
    OPERATION_STOPPED = "operation_stopped"
    """The run of a bulk operation was ended in Temporal: the operation is STOPPED now."""
    ENDED = "ended"
    """The activity had ended, and its run was still open: the run has read the row and ends, or was terminated."""
    RESTORED = "restored"
    """A run had no row, because PostgreSQL was restored to an earlier point: the row is written again."""
    REMOVED = "removed"
    """A closed activity was older than its tenant's retention: it is removed, and its key stays used."""
    FAILED = "failed"
    """A row, a run or a whole step has failed, and the others have not: the next round tries it again."""


class Part(StrEnum):
    """The parts of a round; each has a schedule of its own, so that neither waits for the other."""

    ROWS = "rows"
    """The steps that read rows, and describe their runs."""
    LISTS = "lists"
    """The steps that read Temporal's lists of runs."""


class Cursor(Message):
    """The last row of a page; the next page begins behind it. `at` is the time that the rows are sorted by."""

    at: datetime
    tenant_id: UUID
    id: UUID


class Page(Message):
    """Select the rows of one step; rows written within `grace_seconds` are left alone."""

    after: Cursor | None = None
    ready_only: bool = False
    """Leave UNRESOLVED rows out: they stay open after their time, and many of them would hide the READY ones."""
    size: int = 200
    grace_seconds: float = 10


class Listing(Message):
    """Select the page of a list of runs behind `token`; without a token, the first one."""

    since: datetime | None = None
    """Leave out runs that have closed before this time: an earlier walk through the list has read them all."""
    began_at: datetime | None = None
    """The time by the server's clock at which this walk through the list began."""
    token: str | None = None
    size: int = 500
    restored_to: datetime | None = None
    """The point to which PostgreSQL was restored, if an operator has named it."""


class Compared(Message):
    """The findings of one step or of a round; `examples` names some of the activities of each finding."""

    rows: int = 0
    counts: dict[Finding, int] = Field(default_factory=dict)
    examples: dict[Finding, tuple[str, ...]] = Field(default_factory=dict)
    after: Cursor | None = None
    """Of a step, or of a round's comparison of open rows: the position from which it continues."""
    token: str | None = None
    """Of a step that reads a list: the page from which it continues."""
    has_more: bool = False
    positions: dict[str, Cursor] = Field(default_factory=dict)
    """Of a round: the positions from which the other steps continue, by the step's name."""
    listings: dict[str, Listing] = Field(default_factory=dict)

    def merge(self, other: "Compared") -> "Compared":
        """Add up both, with at most ten examples of each finding."""
        counts = dict(self.counts)
        examples = dict(self.examples)
        for finding, count in other.counts.items():
            counts[finding] = counts.get(finding, 0) + count
            examples[finding] = (*examples.get(finding, ()), *other.examples.get(finding, ()))[:10]
        return Compared(rows=self.rows + other.rows, counts=counts, examples=examples)


class Reconcile(Message):
    """Start reconciliation; `so_far` holds the findings of earlier runs of the same round."""

    page: Page = Page()
    pages: int | None = None
    """The most pages of each step in a round; the next round continues. None: all pages, from the beginning."""
    listing: Listing = Listing()
    listed_pages: int | None = None
    """The same for the steps that read lists."""
    parts: tuple[Part, ...] = tuple(Part)
    stuck_seconds: float = 600
    so_far: Compared = Compared()
