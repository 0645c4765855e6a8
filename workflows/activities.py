"""The steps that workflows may run, as abstract classes; `activities_impl/` implements them.

Every step may run twice, so its implementation has to make the second run harmless. A failure that no retry can cure is
raised as a `rejection_failure`; Temporal retries all others.
"""

from abc import ABC, abstractmethod

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from workflows.bulk import BulkOperation, BulkState, Chunk, ChunkDone, Finish
from workflows.findings import Compared, Listing, Page
from workflows.messages import (
    ActivityRef,
    Apply,
    CommerceFound,
    MarkDue,
    Record,
    Rejection,
    ReplayGate,
    ReplayGatePassed,
    Resolve,
    ResolvedAttributes,
    ResolvedReason,
    ResolvedTarget,
    Restore,
    ScheduledActivityInput,
    Snapshot,
    Standing,
)

DEFECT = "internal_error"
"""The code of the rejection of a change that the service itself could not carry out."""


ROW_MISSING = "activity_not_found"
"""The code of the rejection by a step that finds no row: PostgreSQL was restored to a time before it was written."""


def rejection_failure(rejection: Rejection) -> ApplicationError:
    """Build the failure of a step that is the caller's to mend: final, and benign in Temporal's metrics and logs."""
    return ApplicationError(
        rejection.detail,
        rejection,
        type=rejection.code,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def rejection_of(failure: BaseException | None) -> Rejection | None:
    """Return the rejection that a failure carries; None if the failure is the service's own."""
    if isinstance(failure, ApplicationError) and failure.details and isinstance(failure.details[0], dict):
        return Rejection.model_validate(failure.details[0])
    return None


class ResolutionActivities(ABC):
    """Resolve what a request only describes; these steps read and never write."""

    @abstractmethod
    @activity.defn
    async def resolve_reason(self, resolve: Resolve) -> ResolvedReason:
        """Match the reason, and the user status if given, with the tenant's catalogues."""

    @abstractmethod
    @activity.defn
    async def resolve_target(self, resolve: Resolve) -> ResolvedTarget:
        """Choose the target user."""

    @abstractmethod
    @activity.defn
    async def resolve_attributes(self, resolve: Resolve) -> ResolvedAttributes:
        """Find the attributes' values; at WAKE_UP and RETRY only of attributes that have none yet."""


class ScheduledActivityActivities(ABC):
    """Read and write the activity's row; every write is guarded by the row, so a second run changes nothing."""

    @abstractmethod
    @activity.defn
    async def create(self, scheduled: ScheduledActivityInput) -> Snapshot:
        """Run all steps of a creation at once, from the commerce to the row; answer as they would one by one."""

    @abstractmethod
    @activity.defn
    async def resolve_commerce(self, scheduled: ScheduledActivityInput) -> CommerceFound:
        """Find the commerce, unless the key has a row already: return this activity's own, reject another's."""

    @abstractmethod
    @activity.defn
    async def record(self, record: Record) -> Snapshot:
        """Write the row, its parts and the CREATED event, READY or UNRESOLVED."""

    @abstractmethod
    @activity.defn
    async def mark_due(self, mark: MarkDue) -> Standing:
        """Mark the activity as due from `scheduled_at` on, if the row still allows it; return the row's standing."""

    @abstractmethod
    @activity.defn
    async def read_standing(self, read: ActivityRef) -> Standing:
        """Return the row's standing; write nothing."""

    @abstractmethod
    @activity.defn
    async def restore(self, restore: Restore) -> Standing:
        """Return the standing of a row that is behind its run, or missing and then written again."""

    @abstractmethod
    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """Write a change, if the activity's status allows it; return the row's standing."""


class ReconciliationActivities(ABC):
    """Find differences between rows and runs, repair what is safe, and report the rest.

    Each step takes a page and answers with the position of the next one. A row that fails is reported among the
    findings and does not stop the others.
    """

    @abstractmethod
    @activity.defn
    async def expire_leases(self, page: Page) -> Compared:
        """Expire the leases that have run out, also of tenants whose executors make no claims any more."""

    @abstractmethod
    @activity.defn
    async def create_follow_ups(self, page: Page) -> Compared:
        """Create the follow-ups that are missing because the process that accepted the result was cut off."""

    @abstractmethod
    @activity.defn
    async def take_back_follow_ups(self, page: Page) -> Compared:
        """Cancel the follow-ups of overridden results that were left for the same reason."""

    @abstractmethod
    @activity.defn
    async def settle_operations(self, page: Page) -> Compared:
        """Resume the bulk operations whose runs are lost, and stop those whose runs were ended from outside."""

    @abstractmethod
    @activity.defn
    async def compare_page(self, page: Page) -> Compared:
        """Compare open rows with their runs."""

    @abstractmethod
    @activity.defn
    async def end_runs(self, page: Page) -> Compared:
        """End the open runs of activities that have ended since the last round, by another way than their mark."""

    @abstractmethod
    @activity.defn
    async def remove_closed(self, page: Page) -> Compared:
        """Remove closed activities that are older than their tenants' retention."""


class ListedRunActivities(ABC):
    """Find differences by Temporal's lists of runs; each step takes a page of a list and answers with the next one."""

    @abstractmethod
    @activity.defn
    async def settle_ended(self, listing: Listing) -> Compared:
        """Settle the open rows of runs that were ended from outside."""

    @abstractmethod
    @activity.defn
    async def end_listed(self, listing: Listing) -> Compared:
        """End the open runs that are past their time, UNRESOLVED or RESOLVING beside an activity that has ended."""

    @abstractmethod
    @activity.defn
    async def restore_open(self, listing: Listing) -> Compared:
        """Write the rows again that open runs lack, because PostgreSQL was restored to an earlier point.

        Also end the open runs of activities that have ended, which the other steps may have passed over.
        """

    @abstractmethod
    @activity.defn
    async def restore_completed(self, listing: Listing) -> Compared:
        """Write the rows again that completed runs lack."""

    @abstractmethod
    @activity.defn
    async def find_stuck(self, older_than_seconds: float) -> Compared:
        """Report runs without a recorded activity after `older_than_seconds`, and those whose tasks keep failing."""


class BulkOperationActivities(ABC):
    """Apply one change to many activities; the table of items records each outcome, so nothing is changed twice."""

    @abstractmethod
    @activity.defn
    async def collect(self, operation: BulkOperation) -> None:
        """Record the operation and its items, the activities that are due first in front."""

    @abstractmethod
    @activity.defn
    async def change_some(self, chunk: Chunk) -> ChunkDone:
        """Change the next items, no faster than the tenant's share of `per_second`, and record the outcome of each."""

    @abstractmethod
    @activity.defn
    async def finish(self, finish: Finish) -> BulkState:
        """Record the operation's final state, unless it has one; return the state that is recorded."""


class ReplayGateActivities(ABC):
    """Check a build of the worker before it takes tasks."""

    @abstractmethod
    @activity.defn
    async def replay_open_runs(self, gate: ReplayGate) -> ReplayGatePassed:
        """Replay open runs of this task queue on this worker's code; fail if one would break."""
