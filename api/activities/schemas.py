"""The request and the answer of an activity, as in docs/create-activity.md."""

from operator import attrgetter
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
)
from sqlalchemy import RowMapping

from api.http.fields import (
    LIST_LENGTH,
    Answer,
    FreeValue,
    IdempotencyKey,
    Instant,
    Int32,
    RequestBody,
    Text,
    Time,
    distinct,
)
from workflows.bulk import find_operation_id
from workflows.messages import Attribute, Label, ScheduledActivityRequest, Snapshot, TargetUser
from workflows.words import (
    ActivityStatus,
    ActivityType,
    AttributeStatus,
    Channel,
    EventType,
    LockReason,
    ResolverType,
    Role,
    TargetStatus,
    TargetStrategy,
)


class RoleMatchConfig(RequestBody):
    """The role that ROLE_MATCH looks for."""

    role: Role


class LastContactedConfig(RequestBody):
    """The number of days that LAST_CONTACTED looks back. Without `within_days`, all records count."""

    within_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class RoleMatch(RequestBody):
    """An active, reachable user with this role."""

    type: Literal["ROLE_MATCH"]
    config: RoleMatchConfig
    priority: Int32 = 0


class LastContacted(RequestBody):
    """The active, reachable user who was contacted last, on any channel or on the activity's."""

    type: Literal["LAST_CONTACTED_ALL_CHANNELS", "LAST_CONTACTED_SAME_CHANNEL"]
    config: LastContactedConfig = Field(default_factory=LastContactedConfig)
    priority: Int32 = 0


Criterion = Annotated[RoleMatch | LastContacted, Field(discriminator="type")]


class ProvidedAttributeCreate(RequestBody):
    """A value for one attribute. `fallback` is used if `value` is null."""

    key: Text
    value: FreeValue = None
    fallback: FreeValue = None


class ScheduledActivityCreate(RequestBody):
    """A new activity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "MESSAGE",
                    "reason": "Monthly promotion",
                    "channel": "WHATSAPP",
                    "commerce_id": "880e8400-e29b-41d4-a716-446655440000",
                    "idempotency_key": "msg-2025-01-15-001",
                    "scheduled_at": "2025-01-16T09:00:00.000Z",
                    "attribute_keys": ["commerce_info"],
                },
                {
                    "type": "TASK",
                    "reason": "monthly_promotion",
                    "channel": "CALLCENTER",
                    "commerce_id": "880e8400-e29b-41d4-a716-446655440000",
                    "idempotency_key": "task-2025-01-15-001",
                    "scheduled_at": "2025-01-16T09:00:00.000Z",
                    "suggested_execution_time": "2025-01-16T10:30:00.000Z",
                    "score": 80,
                    "assignment_reason": "Best salesman of the zone",
                    "target_criteria": [
                        {"type": "ROLE_MATCH", "config": {"role": "OWNER"}, "priority": 1},
                        {"type": "LAST_CONTACTED_SAME_CHANNEL", "config": {"within_days": 30}, "priority": 2},
                    ],
                    "attribute_keys": ["commerce_info"],
                    "attributes": [{"key": "promotions", "value": {"discount": 10}, "fallback": "none"}],
                },
            ]
        }
    )

    type: ActivityType
    reason: Text = Field(description="A code, label or alias of the tenant's reasons. Case and accents don't matter.")
    channel: Channel
    commerce_id: UUID
    idempotency_key: IdempotencyKey = Field(
        description="Unique in the tenant for ever. Compared byte by byte. Put no personal data in it: operators can"
        " read it in Temporal, where everything else of a request is encrypted."
    )
    scheduled_at: Time = Field(description="The time of execution. A past time makes the activity due at once.")
    suggested_execution_time: Time | None = Field(
        default=None, description="A hint for the executor. It moves nothing."
    )
    user_status: Text | None = None
    score: Int32 | None = Field(default=None, description="Executors receive higher scores first.")
    assignment_reason: Text | None = None
    target_criteria: Annotated[list[Criterion], Field(max_length=LIST_LENGTH)] | None = Field(
        default=None, description="Replaces the configured criteria. With `[]`, only the fallbacks are tried."
    )
    attribute_keys: Annotated[list[Text], Field(max_length=LIST_LENGTH)] | None = None
    attributes: (
        Annotated[list[ProvidedAttributeCreate], Field(max_length=LIST_LENGTH), distinct("key", attrgetter("key"))]
        | None
    ) = None

    def as_request(self) -> ScheduledActivityRequest:
        """Return the message that is sent to Temporal and compared with duplicates."""
        return ScheduledActivityRequest.model_validate(self.model_dump())


class CommerceAssignmentRead(Answer):
    """The commerce of the activity."""

    commerce_id: UUID
    assignment_reason: str | None = None


class TargetUserRead(Answer):
    """A target user of the activity."""

    id: UUID
    commerce_user_id: UUID | None
    resolution_status: TargetStatus
    resolution_strategy: TargetStrategy
    lock_reason: LockReason | None
    resolved_at: Instant | None
    locked_at: Instant | None
    error_message: str | None


class AttributeRead(Answer):
    """A value that the executor needs."""

    id: UUID
    attribute_key_id: UUID
    key: str
    value: JsonValue
    resolution_status: AttributeStatus
    resolver_type: ResolverType
    resolved_at: Instant | None
    error_message: str | None


class WorkflowRead(Answer):
    """The activity's run in Temporal, for callers with OPERATE: Temporal's console shows all tenants."""

    id: str
    run_id: str
    url: str


class ScheduledActivityRead(Answer):
    """A scheduled activity."""

    id: UUID
    type: ActivityType
    reason: Label | None
    channel: Channel
    status: ActivityStatus
    user_status: Label | None
    idempotency_key: str
    scheduled_at: Instant
    commerce_assignment: CommerceAssignmentRead
    suggested_execution_time: Instant | None = None
    score: int | None = None
    status_reason: str | None = Field(default=None, description="The cause of UNRESOLVED or FAILED.")
    target_users: tuple[TargetUserRead, ...] = ()
    attributes: tuple[AttributeRead, ...] = ()
    created_at: Instant | None = None
    updated_at: Instant | None = None
    marked_at: Instant | None = Field(default=None, description="The time at which it was marked for execution.")
    lateness_ms: int | None = Field(
        default=None, description="The lateness of the mark in milliseconds. Never negative."
    )
    held_since: Instant | None = Field(
        default=None,
        description="The start of the hold: a pause of the tenant keeps the activity READY.",
    )
    workflow: WorkflowRead | None = Field(default=None, description="Present for callers with OPERATE.")

    @classmethod
    def of(cls, snapshot: Snapshot, workflow: WorkflowRead | None) -> "ScheduledActivityRead":
        """Compose the answer from a snapshot."""
        return cls.model_validate(
            snapshot.model_dump(exclude={"standing", "run_id", "version", "target_users", "attributes"})
            | {
                "commerce_assignment": snapshot,
                "status_reason": snapshot.why,
                "target_users": [_target_user(target) for target in snapshot.target_users],
                "attributes": [_attribute(attribute) for attribute in snapshot.attributes],
                "workflow": workflow,
            }
        )


def _target_user(target: TargetUser) -> dict[str, object]:
    return target.model_dump() | {"resolution_status": target.status, "resolution_strategy": target.strategy}


def _attribute(attribute: Attribute) -> dict[str, object]:
    return attribute.model_dump() | {"resolution_status": attribute.status}


class StatusEventRead(Answer):
    """An event of the activity's trail."""

    id: UUID
    number: int = Field(description="The event's place in the trail, from 1.")
    event_type: EventType
    from_status: ActivityStatus | None
    to_status: ActivityStatus
    error_code: str | None
    error_message: str | None
    actor: str | None
    request_id: str | None = Field(
        description="The `X-Request-Id` of the request that it comes from. The activity's own events, such as `DUE`,"
        " have that of its creation. Null if no request has caused it."
    )
    occurred_at: Instant
    details: dict[str, JsonValue] | None = None
    operation_id: UUID | None = Field(
        default=None, description="The bulk operation that has made the change: `GET /api/operations/{id}` reads it."
    )

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """Compose the answer from a row."""
        return cls.model_validate({**row, "operation_id": find_operation_id(row["event_key"])})
