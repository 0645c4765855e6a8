"""The frozen messages that cross Temporal. They grow by optional fields only: histories hold earlier versions."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, cast
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from workflows.json_values import JsonValue
from workflows.words import (
    ActivityStatus,
    ActivityType,
    AttributeStatus,
    Channel,
    CriterionType,
    LockReason,
    Pending,
    ResolutionMoment,
    ResolverType,
    TargetStatus,
    TargetStrategy,
)


class Message(BaseModel):
    """A value that crosses a process boundary: immutable, and tolerant of the unknown fields of a newer writer."""

    model_config = ConfigDict(frozen=True)

    @model_serializer(mode="wrap", when_used="json")
    def serialize_without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave null members out; an absent member is read as null."""
        # Every byte of a message stays in a history for as long as the activity sleeps.
        return {name: value for name, value in serialize(self).items() if value is not None}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the members, which the serializer's type would hide."""
        plain = {name: part for name, part in core_schema.items() if name != "serialization"}
        return handler(cast("CoreSchema", plain))


class ActivityRef(Message):
    """The address of one scheduled activity."""

    tenant_id: UUID
    id: UUID


class TargetCriterion(Message):
    """A rule of the request or of a configuration; the lowest `priority` is tried first, ties in the given order."""

    type: CriterionType
    config: dict[str, JsonValue] = {}
    priority: int = 0


class ProvidedAttribute(Message):
    """A value that the caller provides; `fallback` is used when `value` is null."""

    key: str
    value: JsonValue = None
    fallback: JsonValue = None


class ScheduledActivityRequest(Message):
    """The body of a creation, as the contract names its fields; a duplicate is compared with it."""

    type: ActivityType
    reason: str
    channel: Channel
    commerce_id: UUID
    idempotency_key: str
    scheduled_at: AwareDatetime
    suggested_execution_time: AwareDatetime | None = None
    user_status: str | None = None
    score: int | None = None
    assignment_reason: str | None = None
    target_criteria: tuple[TargetCriterion, ...] | None = None
    attribute_keys: tuple[str, ...] | None = None
    attributes: tuple[ProvidedAttribute, ...] | None = None


LONGEST_LEAD_OF_RESOLUTION = timedelta(seconds=30)
"""The longest lead of a run that resolves a part at its wake-up: the facts it finds should still hold at its time."""


class ScheduledActivityInput(Message):
    """Start a run: that of a new activity, or one that continues from the row after a reset, a move or a loss."""

    id: UUID
    tenant_id: UUID
    request: ScheduledActivityRequest
    lead_seconds: float = 0
    actor: str | None = None
    """The caller who creates the activity. It travels in a header; the run itself sets it for its first step."""
    request_id: str | None = None
    """The id of the request that creates the activity, in log lines and in the events that the run writes by itself."""
    traceparent: str | None = None
    """The span of the call that creates the activity, as W3C names it, if the API is traced. The row keeps it."""
    is_continued: bool = False
    """True for a run that continues from the row."""
    reset_of: str | None = None
    """The run that an operator has reset into this one; the run itself sets it for its first step."""
    payload_key_id: str | None = None
    """The id of the key that this input is encrypted with; the row stores it."""

    def wake_at(self, standing: "Standing") -> datetime:
        """Return the time of the wake-up: before `scheduled_at` by a part of the lead that depends on the id alone.

        This spreads activities that share an instant. The last quarter of the lead stays free, so that a run that is
        slow to wake is still on time. A target that an operator has to assign may be assigned until `scheduled_at`;
        what is resolved at the wake-up is resolved shortly before `scheduled_at`, so that it is still true then.
        """
        if Pending.MANUAL_TARGET in standing.pending:
            return standing.scheduled_at
        lead_seconds = self.lead_seconds
        if standing.pending:
            lead_seconds = min(lead_seconds / 5, LONGEST_LEAD_OF_RESOLUTION.total_seconds())
        part = (1 + 3 * (self.id.int & 0xFFFF) / 0x10000) / 4
        return standing.scheduled_at - timedelta(seconds=lead_seconds * part)


class Label(Message):
    """An entry of a tenant's catalogue, as answers show it."""

    code: str
    label: str


class ResolvedReason(Message):
    """The reason, and the user status when one was given, as the tenant's catalogues name them."""

    reason: Label
    user_status: Label | None = None
    explanation: dict[str, JsonValue] = {}


class ResolvedTarget(Message):
    """The target user, or the reason why none is found (yet)."""

    status: TargetStatus
    strategy: TargetStrategy
    commerce_user_id: UUID | None = None
    lock_reason: LockReason | None = None
    error_message: str | None = None
    explanation: dict[str, JsonValue] = {}


class ResolvedAttribute(Message):
    """The value of one attribute, or the reason why it has none (yet)."""

    key: str
    status: AttributeStatus
    resolver_type: ResolverType
    value: JsonValue = None
    fallback: JsonValue = None
    error_message: str | None = None


class ResolvedAttributes(Message):
    """The attributes of one scheduled activity, in the order in which the request first mentions their keys."""

    attributes: tuple[ResolvedAttribute, ...] = ()
    explanation: dict[str, JsonValue] = {}


class Resolve(Message):
    """Ask for one resolution step; at WAKE_UP and RETRY only the parts that are open in the row are resolved."""

    scheduled: ScheduledActivityInput
    moment: ResolutionMoment = ResolutionMoment.CREATION
    request_id: str | None = None
    """The id of the request whose change resolves; without it, that of the creation."""
    traceparent: str | None = None
    """The span of that change."""

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant of the activity."""
        return self.scheduled.tenant_id


class Fault(Message):
    """One fault of a request: an RFC 6901 pointer into its body, and a sentence that says what is wrong."""

    pointer: str
    detail: str


class Rejection(Message):
    """The reason why a request can never be carried out; `code` is one of the API's stable problem codes."""

    code: str
    detail: str
    faults: tuple[Fault, ...] = ()
    activity_id: UUID | None = None
    status: ActivityStatus | None = None


class RejectedError(Exception):
    """A request or a change can't be carried out until its caller or its tenant changes something."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.detail)
        self.rejection = rejection


class Standing(Message):
    """The stored facts of a row that its run needs to continue; the standing with the higher `version` is newer."""

    status: ActivityStatus
    version: int
    scheduled_at: AwareDatetime
    pending: tuple[Pending, ...] = ()
    why: str | None = None


class TargetUser(Message):
    """A target user of a scheduled activity, as answers show it."""

    id: UUID
    commerce_user_id: UUID | None = None
    status: TargetStatus
    strategy: TargetStrategy
    lock_reason: LockReason | None = None
    error_message: str | None = None
    resolved_at: AwareDatetime | None = None
    locked_at: AwareDatetime | None = None


class Attribute(Message):
    """An attribute of a scheduled activity, as answers show it."""

    id: UUID
    attribute_key_id: UUID
    key: str
    value: JsonValue = None
    status: AttributeStatus
    resolver_type: ResolverType
    error_message: str | None = None
    resolved_at: AwareDatetime | None = None


class Snapshot(Message):
    """A whole scheduled activity as its tenant sees it at one moment; `standing` is the row as it is stored."""

    id: UUID
    type: ActivityType
    reason: Label
    channel: Channel
    status: ActivityStatus
    user_status: Label | None = None
    idempotency_key: str
    scheduled_at: AwareDatetime
    commerce_id: UUID
    assignment_reason: str | None = None
    suggested_execution_time: AwareDatetime | None = None
    score: int | None = None
    why: str | None = None
    target_users: tuple[TargetUser, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    created_at: AwareDatetime
    updated_at: AwareDatetime
    marked_at: AwareDatetime | None = None
    lateness_ms: int | None = None
    held_since: AwareDatetime | None = None
    version: int
    run_id: str
    standing: Standing


class CommerceFound(Message):
    """Report that the commerce exists; `recorded` is this activity, if an earlier run has recorded it already."""

    recorded: Snapshot | None = None


class Record(Message):
    """Ask for a resolved activity to be written: its row, its parts and its first event."""

    scheduled: ScheduledActivityInput
    reason: ResolvedReason
    target: ResolvedTarget
    attributes: ResolvedAttributes

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant of the activity."""
        return self.scheduled.tenant_id


class MarkDue(ActivityRef):
    """Mark an activity as due if it is still READY at `version`, with the parts that the wake-up has resolved."""

    version: int
    target: ResolvedTarget | None = None
    attributes: ResolvedAttributes | None = None
    request_id: str | None = None
    """The id of the request that created the activity."""
    created_by: str | None = None
    """The span of the creation."""
    traceparent: str | None = None
    """The span of the mark itself, which the worker adds. The row keeps it."""


class Restore(Message):
    """Take the row over as a restored PostgreSQL has it, or write it again if it is missing.

    `known` is the standing that the run had before; `key` is the event's.
    """

    scheduled: ScheduledActivityInput
    known: Standing
    key: str

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant of the activity."""
        return self.scheduled.tenant_id


class Refresh(Message):
    """Make a run read its row again; `lead_seconds` replaces the run's lead where the row has moved."""

    lead_seconds: float | None = None


class Change(Message):
    """A change of a recorded activity, sent by the API or typed into the web UI's update form."""

    request_id: str | None = None
    """The id of the request that asks for the change; None for the service's own, and mostly for the web UI's."""
    traceparent: str | None = None
    """The span of the call that sends the change."""


class Cancel(Change):
    """Cancel the activity."""

    verb: Literal["cancel"] = "cancel"
    reason: str | None = None


class Reschedule(Change):
    """Change the time, the suggested time or the score; a field that is absent stays as it is.

    `clear` names fields that lose their value: `suggested_execution_time`, `score` or both.
    """

    verb: Literal["reschedule"] = "reschedule"
    scheduled_at: AwareDatetime | None = None
    suggested_execution_time: AwareDatetime | None = None
    score: int | None = None
    clear: tuple[str, ...] | None = None
    reason: str | None = None
    if_versions: tuple[int, ...] | None = None
    lead_seconds: float = 0


class ExecuteNow(Change):
    """Make the activity due now, with what was left to resolve for its time."""

    verb: Literal["execute_now"] = "execute_now"


class RetryResolution(Change):
    """Try again to resolve what could not be resolved."""

    verb: Literal["retry_resolution"] = "retry_resolution"


class AssignTarget(Change):
    """Assign a target user, by an operator's choice."""

    verb: Literal["assign_target"] = "assign_target"
    target_user_id: UUID
    commerce_user_id: UUID


class Terminate(Change):
    """Fail the activity because its run was terminated in Temporal."""

    verb: Literal["terminate"] = "terminate"
    reason: str | None = None


class BringBack(Change):
    """Undo a `Terminate`: give the activity the status that it had before."""

    verb: Literal["bring_back"] = "bring_back"
    reason: str | None = None


class Apply(ActivityRef):
    """Write one change; a `key` that was written before changes nothing.

    `target` and `attributes` are what the run has resolved for an `ExecuteNow` or a `RetryResolution`. With a
    `withdrawal`, the change is not written: its key is rejected from then on.
    """

    key: str
    actor: str
    target: ResolvedTarget | None = None
    attributes: ResolvedAttributes | None = None
    withdrawal: Rejection | None = None
    created_by: str | None = None
    """The span of the creation."""
    change: Annotated[
        Cancel | Reschedule | ExecuteNow | RetryResolution | AssignTarget | Terminate | BringBack,
        Field(discriminator="verb"),
    ]


class ActivityFilter(Message):
    """Select a tenant's activities by all of these conditions at once; one that is absent selects everything."""

    status: tuple[ActivityStatus, ...] = ()
    type: ActivityType | None = None
    channel: Channel | None = None
    commerce_id: UUID | None = None
    reason: str | None = None
    scheduled_from: AwareDatetime | None = None
    scheduled_to: AwareDatetime | None = None
    search: str | None = None
    idempotency_key: str | None = None
    late: bool = False
    executor: str | None = None
    commerce_user_id: UUID | None = None
    provider_activity_id: str | None = None


class ReplayGate(Message):
    """Ask whether a build may take tasks, by replaying so many open runs of each age on it, the latest first."""

    runs_of_each_age: int = 250


class ReplayGatePassed(Message):
    """Report that no replayed run would break, and how many were replayed."""

    runs: int
