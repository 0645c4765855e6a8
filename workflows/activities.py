"""The contract with the outside: every step a workflow may ask for, implemented in `activities_impl/`.

Each may run twice: whoever implements one writes the second run first. A failure that no retry can cure is raised with
`rejected`; everything else is retried by Temporal.
"""

from abc import ABC, abstractmethod

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from workflows.bulk import BulkOperation, Chunk, ChunkDone, Finish
from workflows.findings import Compared, Page
from workflows.messages import (
    ActivityRef,
    Apply,
    CommerceFound,
    MarkDue,
    Record,
    Rejection,
    Resolve,
    ResolvedAttributes,
    ResolvedReason,
    ResolvedTarget,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)


def rejected(rejection: Rejection) -> ApplicationError:
    """The failure that says: the caller has to change something; benign, for it is no trouble of ours."""
    return ApplicationError(
        rejection.detail,
        rejection,
        type=rejection.code,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def is_rejection(failure: BaseException) -> bool:
    """Whether it was raised by `rejected`: the caller's to mend, not an operator's."""
    return isinstance(failure, ApplicationError) and failure.category is ApplicationErrorCategory.BENIGN


def rejection_of(failure: BaseException | None) -> Rejection | None:
    """What a run was refused for, if that is the caller's to mend."""
    if isinstance(failure, ApplicationError) and failure.details and isinstance(failure.details[0], dict):
        return Rejection.model_validate(failure.details[0])
    return None


class ResolutionActivities(ABC):
    """Finds what a request only describes; reads, and never writes."""

    @abstractmethod
    @activity.defn
    async def resolve_reason(self, resolve: Resolve) -> ResolvedReason:
        """Match the reason, and the user status if given, with the tenant's catalogues."""

    @abstractmethod
    @activity.defn
    async def resolve_target(self, resolve: Resolve) -> ResolvedTarget:
        """Choose the commerce user whom the activity is aimed at."""

    @abstractmethod
    @activity.defn
    async def resolve_attributes(self, resolve: Resolve) -> ResolvedAttributes:
        """Find the values of the attributes; at WAKE_UP and RETRY only of those that have none yet."""


class ScheduledActivityActivities(ABC):
    """Reads and writes the row; every write is guarded by what the row says, so that a second run changes nothing."""

    @abstractmethod
    @activity.defn
    async def create(self, scheduled: ScheduledActivityInput) -> Snapshot:
        """All steps of a creation in one go, from the commerce to the row: what they would answer one by one."""

    @abstractmethod
    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Find the commerce, after a look whether the key has been used: by us (go on from there) or by another."""

    @abstractmethod
    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """Write the row, its parts and the CREATED event, READY or UNRESOLVED."""

    @abstractmethod
    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """Mark it for execution from `scheduled_at` on; answers where the row stands, marked by us or not."""

    @abstractmethod
    @activity.defn
    async def read_standing(self, read: ActivityRef) -> Standing:
        """Read the standing of the row; write nothing."""

    @abstractmethod
    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """Write what somebody wants of it, if its status allows that; answers where it stands then."""


class ReconciliationActivities(ABC):
    """Finds where rows and runs differ, repairs what is safe, and reports the rest; each pass may be repeated."""

    @abstractmethod
    @activity.defn
    async def compare_page(self, page: Page) -> Compared:
        """Compare a page of open rows with their runs; without `after` in the answer it was the last."""

    @abstractmethod
    @activity.defn
    async def settle_ended(self, within_seconds: float) -> Compared:
        """See to the open rows whose runs were ended from outside within this time."""

    @abstractmethod
    @activity.defn
    async def find_stuck(self, older_than_seconds: float) -> Compared:
        """Report the runs that have been at their first steps for that long."""

    @abstractmethod
    @activity.defn
    async def expire_leases(self) -> Compared:
        """Take back what executors have let lie, for tenants whose executors don't ask any more."""

    @abstractmethod
    @activity.defn
    async def create_follow_ups(self, older_than_seconds: float) -> Compared:
        """Create what results have asked for, where the process that took the result got no further."""


class BulkOperationActivities(ABC):
    """Does to many activities what is done to one; the table of items says what has been done, so nothing is twice."""

    @abstractmethod
    @activity.defn
    async def collect(self, operation: BulkOperation) -> None:
        """Write the operation down with the activities that it is for, the soonest first."""

    @abstractmethod
    @activity.defn
    async def change_some(self, chunk: Chunk) -> ChunkDone:
        """Change the next items, no faster than asked for, and write down what became of each."""

    @abstractmethod
    @activity.defn
    async def finish(self, finish: Finish) -> None:
        """Write down how it ended."""
