"""The frozen messages that cross Temporal; they grow by optional fields only."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    model_serializer,
)

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
    """A value that crosses a process boundary: immutable; a field it doesn't know, from a newer writer, is ignored."""

    model_config = ConfigDict(frozen=True)

    @model_serializer(mode="wrap", when_used="json")
    def without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Absent means null: every byte of a message stays in a history for as long as the activity sleeps."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class ActivityRef(Message):
    """The address of one scheduled activity."""

    tenant_id: UUID
    id: UUID


class TargetCriterion(Message):
    """One rule of the request or of a configuration; lower `priority` is tried first, ties in the given order."""

    type: CriterionType
    config: dict[str, JsonValue] = {}
    priority: int = 0


class ProvidedAttribute(Message):
    """A value that the caller brings along; `fallback` is used when `value` is null."""

    key: str
    value: JsonValue = None
    fallback: JsonValue = None


class ScheduledActivityRequest(Message):
    """What the caller asked for, as the contract names it; a duplicate is compared with this."""

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


class ScheduledActivityInput(Message):
    """Starts a run: a new one, or one that goes on from its row after a reset, a move or a lost Temporal."""

    id: UUID
    tenant_id: UUID
    request: ScheduledActivityRequest
    lead_seconds: float = 0
    actor: str = ""
    reset_of: str | None = None
    """The run that this one repeats, if an operator has reset that: told to the first step, never by who starts it."""

    def wake_at(self, standing: "Standing") -> datetime:
        """When the run wakes to mark it: a part of the lead before its time, the part decided by the id alone.

        A herd of equal times is so spread over the lead; the mark counts from `scheduled_at` on all the same. The last
        quarter of the lead is left free: what is slow to wake is still on time.
        """
        if Pending.MANUAL_TARGET in standing.pending:
            return standing.scheduled_at
        part = (1 + 3 * (self.id.int & 0xFFFF) / 0x10000) / 4
        return standing.scheduled_at - timedelta(seconds=self.lead_seconds * part)


class Label(Message):
    """An entry of a tenant's catalogue, as answers show it."""

    code: str
    label: str


class ResolvedReason(Message):
    """The reason, and the user status when one was given, as the tenant's catalogues name them."""

    reason: Label
    user_status: Label | None = None
    explanation: dict[str, Any] = {}


class ResolvedTarget(Message):
    """Whom the activity is aimed at, or why nobody (yet)."""

    status: TargetStatus
    strategy: TargetStrategy
    commerce_user_id: UUID | None = None
    lock_reason: LockReason | None = None
    error_message: str | None = None
    explanation: dict[str, Any] = {}


class ResolvedAttribute(Message):
    """One attribute's value, or why there is none (yet)."""

    key: str
    status: AttributeStatus
    resolver_type: ResolverType
    value: JsonValue = None
    fallback: JsonValue = None
    error_message: str | None = None


class ResolvedAttributes(Message):
    """All attributes of one scheduled activity, in the order of their keys' first mention."""

    attributes: tuple[ResolvedAttribute, ...] = ()
    explanation: dict[str, Any] = {}


class Resolve(Message):
    """Asks for one resolution step; at WAKE_UP and RETRY only what is still open in the row is resolved."""

    scheduled: ScheduledActivityInput
    moment: ResolutionMoment = ResolutionMoment.CREATION


class Fault(Message):
    """One thing that is wrong with a request: where (an RFC 6901 pointer into the body) and why, in a sentence."""

    pointer: str
    detail: str


class Rejection(Message):
    """Why a request can't be carried out, ever: `code` is one of the API's stable problem codes."""

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
    """The row as it is stored: what a run needs to know to go on; the higher `version` is the later one."""

    status: ActivityStatus
    version: int
    scheduled_at: AwareDatetime
    pending: tuple[Pending, ...] = ()
    why: str | None = None


class TargetUser(Message):
    """A target of a scheduled activity as answers show it."""

    id: UUID
    commerce_user_id: UUID | None = None
    status: TargetStatus
    strategy: TargetStrategy
    lock_reason: LockReason | None = None
    error_message: str | None = None
    resolved_at: AwareDatetime | None = None
    locked_at: AwareDatetime | None = None


class Attribute(Message):
    """An attribute of a scheduled activity as answers show it."""

    id: UUID
    attribute_key_id: UUID
    key: str
    value: JsonValue = None
    status: AttributeStatus
    resolver_type: ResolverType
    error_message: str | None = None
    resolved_at: AwareDatetime | None = None


class Snapshot(Message):
    """A whole scheduled activity as its tenant sees it at one moment; `standing` is what is stored beneath."""

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
    """The commerce exists; `recorded` is this very activity's row, when an earlier run has written it already."""

    recorded: Snapshot | None = None


class Record(Message):
    """Writes a resolved activity: its row, its parts and its first event."""

    scheduled: ScheduledActivityInput
    reason: ResolvedReason
    target: ResolvedTarget
    attributes: ResolvedAttributes


class MarkDue(ActivityRef):
    """Marks one for execution, if it is still READY at this `version`, with what its time has resolved."""

    version: int
    target: ResolvedTarget | None = None
    attributes: ResolvedAttributes | None = None


class Refresh(Message):
    """Makes a run read its row again; `lead_seconds` replaces the run's lead where the row has moved."""

    lead_seconds: float | None = Field(default=None, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """At most a tenth of the longest wait."""


class Change(Message):
    """What somebody wants of a recorded activity: sent by the API, or typed into the web UI's update form."""

    actor: str = "temporal-ui"


class Cancel(Change):
    """It shall not be executed."""

    verb: Literal["cancel"] = "cancel"
    reason: str | None = None


class Reschedule(Change):
    """Other values for what may still change; a field that is absent stays as it is."""

    verb: Literal["reschedule"] = "reschedule"
    scheduled_at: AwareDatetime | None = None
    suggested_execution_time: AwareDatetime | None = None
    score: int | None = None
    reason: str | None = None
    if_versions: tuple[int, ...] | None = None
    lead_seconds: float = 0


class ExecuteNow(Change):
    """It shall count as due from this moment on; what was left for its time has been resolved by then."""

    verb: Literal["execute_now"] = "execute_now"
    target: ResolvedTarget | None = None
    attributes: ResolvedAttributes | None = None


class RetryResolution(Change):
    """What could not be resolved is tried again; the outcome of that is written."""

    verb: Literal["retry_resolution"] = "retry_resolution"
    target: ResolvedTarget | None = None
    attributes: ResolvedAttributes | None = None


class AssignTarget(Change):
    """An operator says whom it is aimed at."""

    verb: Literal["assign_target"] = "assign_target"
    target_user_id: UUID
    commerce_user_id: UUID


class Terminate(Change):
    """Its run was ended from outside, without a word to the row."""

    verb: Literal["terminate"] = "terminate"
    reason: str | None = None


class BringBack(Change):
    """Its run was ended by mistake: it shall be what it was before."""

    verb: Literal["bring_back"] = "bring_back"
    reason: str | None = None


class Apply(ActivityRef):
    """Writes one change; `key` names it for ever, so that writing it again changes nothing."""

    key: str
    change: Annotated[
        Cancel | Reschedule | ExecuteNow | RetryResolution | AssignTarget | Terminate | BringBack,
        Field(discriminator="verb"),
    ]


class ActivityFilter(Message):
    """All conditions hold at once; one that isn't given lets everything of the tenant pass."""

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
