"""What executors report, and what the API says of it."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import to_json

from api.http.fields import Answer, Instant, PastTime, RequestBody, Text, Time
from workflows.hand_off import ContactDirection, ReportedResult, ResultStatus
from workflows.words import ActivityStatus

PAYLOAD_BYTES = 64 * 1024


def _bounded(value: JsonValue) -> JsonValue:
    if len(to_json(value)) > PAYLOAD_BYTES:
        msg = f"must have at most {PAYLOAD_BYTES:,} bytes as JSON"
        raise ValueError(msg)
    return value


Payload = Annotated[JsonValue, AfterValidator(_bounded)]


class TaskResultCreate(RequestBody):
    """What came of a task, in the tenant's own terms."""

    result: Text | None = Field(default=None, description="One of the tenant's task result types, if it has any.")
    comment: Text | None = None
    contact_type: ContactDirection | None = None
    operator_external_id: Text | None = None
    future_scheduled_at: Time | None = Field(
        default=None, description="When to follow up, if the task result type says that it is followed up."
    )
    payload: Payload = None


class ActivityResultCreate(RequestBody):
    """What became of an activity."""

    activity_id: UUID | None = None
    provider_activity_id: Text | None = Field(
        default=None, description="The provider's own id: one that came beside `activity_id` can later stand alone."
    )
    lease_token: UUID | None = Field(default=None, description="Proves that the result is the last taker's.")
    commerce_external_id: Text | None = Field(
        default=None, description="Refused if the activity is another commerce's."
    )
    occurred_at: PastTime
    status: ResultStatus
    external_status: Text | None = None
    hard_override: bool = Field(default=False, description="Let it count although the activity has another result.")
    raw_payload: Payload = Field(default=None, description="Whatever the provider said, kept as it came.")
    task_result: TaskResultCreate | None = None

    @model_validator(mode="after")
    def names_an_activity(self) -> Self:
        """The first wins when both are there."""
        if self.activity_id is None and self.provider_activity_id is None:
            msg = "must have an activity_id or a provider_activity_id"
            raise ValueError(msg)
        return self

    @property
    def fingerprint(self) -> str:
        """Equal for results that say the same, by whatever name they call the activity, and whatever came along."""
        said = self.model_dump(mode="json", include={"status", "occurred_at", "external_status", "task_result"})
        return hashlib.sha256(to_json(said)).hexdigest()

    def claimed(self, attempt: int | None) -> ReportedResult:
        """What it is judged by."""
        return ReportedResult(
            status=self.status,
            fingerprint=self.fingerprint,
            occurred_at=self.occurred_at,
            hard_override=self.hard_override,
            lease_token=self.lease_token,
            attempt=attempt,
        )

    def columns(self) -> dict[str, Any]:
        """What is kept of it."""
        named = self.model_dump(
            include={
                "provider_activity_id",
                "commerce_external_id",
                "occurred_at",
                "status",
                "external_status",
                "hard_override",
                "raw_payload",
            }
        )
        task_result = self.task_result and self.task_result.model_dump(mode="json")
        return named | {"task_result": task_result, "fingerprint": self.fingerprint}

    def failure(self) -> str | None:
        """Why it was not executed, in the executor's own words."""
        if self.status is not ResultStatus.NOT_EXECUTED:
            return None
        words = (self.task_result and (self.task_result.comment or self.task_result.result)) or self.external_status
        return f"It was not executed: {words}" if words else "It was not executed."


class TaskResultRead(Answer):
    """What came of a task."""

    result: str | None = None
    comment: str | None = None
    contact_type: ContactDirection | None = None
    operator_external_id: str | None = None
    future_scheduled_at: datetime | None = None
    payload: JsonValue = None


class ActivityResultRead(Answer):
    """A result as it was accepted."""

    id: UUID
    activity_id: UUID
    status: ResultStatus
    occurred_at: Instant
    external_status: str | None
    provider_activity_id: str | None
    commerce_external_id: str | None
    task_result: TaskResultRead | None
    from_status: ActivityStatus
    to_status: ActivityStatus = Field(description="What the activity became by it.")
    attempt: int = Field(description="Which taking of the activity it belongs to.")
    hard_override: bool
    overrides_id: UUID | None = Field(description="The result that no longer counts because of this one.")
    follow_up_at: Instant | None = Field(description="For when a follow-up is created.")
    follow_up_id: UUID | None = Field(description="The follow-up: an activity like any other.")
    follow_up_error: str | None = Field(description="Why there is no follow-up; sending the result again tries again.")
    actor: str
    received_at: Instant
    raw_payload: JsonValue = None
