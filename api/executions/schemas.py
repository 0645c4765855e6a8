"""Requests and answers of activity results."""

from functools import cached_property
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import to_json

from api.http.fields import Answer, Identifier, IndexedIdentifier, Instant, PastTime, RequestBody, Text, Time
from db.fingerprints import hash_json
from db.models import ActivityResult
from db.results import OverriddenFollowUp
from workflows.hand_off import ContactDirection, ReportedResult, ResultStatus
from workflows.words import ActivityStatus

PAYLOAD_BYTES = 64 * 1024


def _check_size(value: JsonValue) -> JsonValue:
    if len(to_json(value)) > PAYLOAD_BYTES:
        msg = f"must have at most {PAYLOAD_BYTES:,} bytes as JSON"
        raise ValueError(msg)
    return value


Payload = Annotated[JsonValue, AfterValidator(_check_size)]


class TaskResultCreate(RequestBody):
    """The result of a task, in the tenant's own terms."""

    result: Text | None = Field(
        default=None, description="One of the tenant's task result types. Any text, if the tenant has none."
    )
    comment: Text | None = None
    contact_type: ContactDirection | None = None
    operator_external_id: Identifier | None = None
    future_scheduled_at: Time | None = Field(
        default=None, description="The time of the follow-up. Required if the task result type requires a follow-up."
    )
    payload: Payload = None


class ActivityResultCreate(RequestBody):
    """The result of an activity, as its executor reports it."""

    activity_id: UUID | None = None
    provider_activity_id: IndexedIdentifier | None = Field(
        default=None,
        description="The provider's own id, of at most 2,000 bytes in UTF-8. Once sent together with `activity_id`, it"
        " can replace it in later results.",
    )
    lease_token: UUID | None = Field(default=None, description="Proves that the result comes from the last claim.")
    commerce_external_id: Identifier | None = Field(
        default=None, description="If given, it must be the external id of the activity's commerce."
    )
    occurred_at: PastTime
    status: ResultStatus
    external_status: Text | None = None
    hard_override: bool = Field(default=False, description="Replace the result that the activity has already.")
    raw_payload: Payload = Field(
        default=None,
        description="The provider's own message, kept as a JSON value, not byte for byte: members stay in their order,"
        " integers and `-0.0` as they are; any other number is rounded to a double, `-0` is 0, and white space and the"
        " spelling of numbers and escapes are lost. A number beyond a double and a repeated member are 400. To keep"
        " the bytes, send them as a string.",
    )
    task_result: TaskResultCreate | None = None

    @model_validator(mode="after")
    def names_an_activity(self) -> Self:
        """Require one of the two ids. If both are there, `activity_id` decides."""
        if self.activity_id is None and self.provider_activity_id is None:
            msg = "must have an activity_id or a provider_activity_id"
            raise ValueError(msg)
        return self

    @cached_property
    def fingerprint(self) -> str:
        """Return a hash that is equal for results with the same content, however they identify the activity."""
        content = self.model_dump(mode="json", include={"status", "occurred_at", "external_status", "task_result"})
        return hash_json(content).hex()

    def as_reported(self, attempt: int | None) -> ReportedResult:
        """Return the facts by which the result is judged."""
        return ReportedResult(
            status=self.status,
            fingerprint=self.fingerprint,
            occurred_at=self.occurred_at,
            hard_override=self.hard_override,
            lease_token=self.lease_token,
            attempt=attempt,
            provider_activity_id=self.provider_activity_id,
        )

    def columns(self) -> dict[str, object]:
        """Return the columns to store."""
        sent = self.model_dump(
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
        return sent | {"task_result": task_result, "fingerprint": self.fingerprint}

    def failure(self) -> str | None:
        """Return why the activity was not executed, in the executor's words; None if it was executed."""
        if self.status is not ResultStatus.NOT_EXECUTED:
            return None
        words = (self.task_result and (self.task_result.comment or self.task_result.result)) or self.external_status
        return f"It was not executed: {words}" if words else "It was not executed."


class TaskResultRead(Answer):
    """The result of a task, in the tenant's own terms."""

    result: str | None = None
    comment: str | None = None
    contact_type: ContactDirection | None = None
    operator_external_id: str | None = None
    future_scheduled_at: Instant | None = None
    payload: JsonValue = None


class OverriddenFollowUpRead(Answer):
    """The follow-up that a replaced result has made."""

    id: UUID
    status: ActivityStatus = Field(description="CANCELED, unless it was too late: an executor had claimed it before.")


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
    to_status: ActivityStatus = Field(description="The activity's status after the result.")
    attempt: int = Field(description="The claim that the result belongs to, counted from 1.")
    hard_override: bool
    overrides_id: UUID | None = Field(description="The result that this one has replaced.")
    follow_up_at: Instant | None = Field(description="The time of the follow-up that the result requires.")
    follow_up_id: UUID | None = Field(description="The follow-up, an activity like any other.")
    follow_up_error: str | None = Field(
        description="The cause if the follow-up could not be created. Send the result again to try again."
    )
    overridden_follow_up: OverriddenFollowUpRead | None = Field(
        default=None, description="The follow-up of the result that this one has replaced, as it is now."
    )
    actor: str
    received_at: Instant
    raw_payload: JsonValue = None

    @classmethod
    def of(cls, row: ActivityResult, overridden: OverriddenFollowUp | None) -> Self:
        """Compose the answer from a stored result."""
        read = cls.model_validate(row)
        if overridden is None:
            return read
        follow_up = OverriddenFollowUpRead.model_validate(overridden)
        return read.model_copy(update={"overridden_follow_up": follow_up})
