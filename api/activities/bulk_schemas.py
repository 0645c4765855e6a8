"""What is asked for, and answered, when many activities are cancelled or moved at once."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, JsonValue, model_validator

from api.activities.listing import ActivityFilterQuery
from api.activities.schemas import ScheduledActivityRead
from api.http.fields import Answer, Instant, RequestBody, Text, Time
from api.http.pages import Page, PageQuery
from workflows.bulk import BulkChange, BulkState, BulkVerb, ItemOutcome
from workflows.messages import ActivityFilter

YEAR_SECONDS = 365 * 24 * 3600


class BulkFilter(ActivityFilterQuery):
    """Which activities: the list's own parameters, at least one of them."""

    @model_validator(mode="after")
    def names_something(self) -> Self:
        """Everything a tenant has is more than anybody means."""
        if not self.model_fields_set:
            msg = "must have at least one condition"
            raise ValueError(msg)
        return self


class BulkCreate(RequestBody):
    """To which activities something is done, and why."""

    filter: BulkFilter
    dry_run: bool = Field(default=False, description="Only count them and show a few; nothing is changed.")
    reason: Text
    per_second: Annotated[int, Field(ge=1, le=100)] = Field(default=20, description="How many are begun in a second.")
    operation_id: UUID | None = Field(
        default=None, description="A new id of yours makes a repetition safe: the operation is started once."
    )

    def filter_for(self, verb: BulkVerb) -> ActivityFilter:
        """Without a status: all those in which it is possible."""
        wanted = self.filter.as_filter()
        return wanted if wanted.status else wanted.model_copy(update={"status": verb.allowed_statuses})


class BulkCancelCreate(BulkCreate):
    """Cancel many."""

    def change(self) -> BulkChange:
        """What is done to each."""
        return BulkChange(verb=BulkVerb.CANCEL, reason=self.reason)


class BulkRescheduleCreate(BulkCreate):
    """Move many: all to one time, or each by as much."""

    scheduled_at: Time | None = None
    shift_seconds: Annotated[int, Field(ge=-YEAR_SECONDS, le=YEAR_SECONDS)] | None = Field(
        default=None, description="Later, or earlier if negative, than each was scheduled when it was chosen."
    )

    @model_validator(mode="after")
    def one_way_of_moving(self) -> Self:
        """Neither would move nothing, both would contradict each other."""
        if (self.scheduled_at is None) == (self.shift_seconds is None):
            msg = "must have either scheduled_at or shift_seconds"
            raise ValueError(msg)
        return self

    def change(self) -> BulkChange:
        """What is done to each."""
        return BulkChange(
            verb=BulkVerb.RESCHEDULE,
            reason=self.reason,
            scheduled_at=self.scheduled_at,
            shift_seconds=self.shift_seconds,
        )


class BulkDryRunRead(Answer):
    """What would be done: nothing has been."""

    dry_run: bool = True
    verb: BulkVerb
    total: int
    sample: list[ScheduledActivityRead] = Field(description="The soonest ten.")


class ItemCounts(Answer):
    """How many items came out how: ACCEPTED will still be carried out, REFUSED and FAILED have changed nothing."""

    pending: int = 0
    applied: int = 0
    accepted: int = 0
    refused: int = 0
    failed: int = 0


class ItemRead(Answer):
    """What became of one activity."""

    activity_id: UUID
    scheduled_at: Instant = Field(description="For when it was scheduled when it was chosen.")
    outcome: ItemOutcome
    code: str | None = Field(description="Why it was refused: the code that a call for it alone would have got.")
    detail: str | None
    changed_at: Instant | None


class OperationRead(Answer):
    """A bulk operation: what it does, and how far it is."""

    id: UUID
    verb: BulkVerb
    state: BulkState
    reason: str
    scheduled_at: Instant | None = None
    shift_seconds: int | None = None
    filter: dict[str, JsonValue]
    per_second: int
    actor: str
    created_at: Instant | None = None
    finished_at: Instant | None = None
    total: int | None = Field(default=None, description="Null while the activities are being chosen.")
    counts: ItemCounts = ItemCounts()

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """What the API says of a row with its counts."""
        counts = {outcome.lower(): number for outcome, number in row["counts"].items()}
        return cls.model_validate(row | row["change"] | {"counts": counts, "total": sum(counts.values())})


class OperationDetailRead(OperationRead):
    """A bulk operation with a page of its items, in the order of their times."""

    items: Page[ItemRead]


class OperationQuery(PageQuery):
    """Which of its items."""

    outcome: ItemOutcome | None = None
