"""The parameters by which activities are found: in the list's query, and in the body of what is done to many."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from api.pages import Searched
from api.schemas import IdempotencyKey, RequestBody, Time
from workflows.filters import ActivityFilter
from workflows.payloads import ActivityType, Channel


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _only_true(value: bool) -> bool:  # noqa: FBT001 - pydantic's signature
    if not value:
        msg = "must be true or absent: there is no list of what isn't late"
        raise ValueError(msg)
    return value


Listed = Literal["READY", "UNRESOLVED", "DUE", "DISPATCHED", "COMPLETED", "CANCELED", "FAILED"]


class ActivityFilterQuery(RequestBody):
    """All conditions hold at once; an absent one lets everything pass."""

    status: Annotated[list[Listed], BeforeValidator(_several), Field(max_length=10)] = Field(
        default=[], description="One or several. What is RESOLVING isn't recorded yet, and isn't listed."
    )
    type: ActivityType | None = None
    channel: Channel | None = None
    commerce_id: UUID | None = None
    reason: Searched | None = Field(default=None, description="The reason's code.")
    scheduled_from: Time | None = Field(default=None, description="`scheduledAt` is this or later.")
    scheduled_to: Time | None = Field(default=None, description="`scheduledAt` is earlier than this.")
    search: Searched | None = Field(
        default=None,
        description="The idempotency key, or the commerce's external id, begins with this; case matters.",
    )
    idempotency_key: IdempotencyKey | None = Field(default=None, description="Exactly this one.")
    late: Annotated[bool, AfterValidator(_only_true)] = Field(
        default=False,
        description="`true`: overdue and not marked (READY, held by a pause too, or UNRESOLVED), or marked more than"
        " a second late.",
    )

    def as_filter(self) -> ActivityFilter:
        """What the statements and the workflows know."""
        return ActivityFilter.model_validate(self.model_dump(include=set(ActivityFilter.model_fields)))
