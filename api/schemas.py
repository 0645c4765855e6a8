"""What requests and answers look like: snake_case in, camelCase out, as the contract has it."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from workflows.limits import FIRST_YEAR, LONGEST_WAIT, TEXT_LENGTH, YEARS_AHEAD
from workflows.payloads import (
    ActivityStatus,
    ActivityType,
    Attribute,
    AttributeStatus,
    Channel,
    EventType,
    Label,
    LockReason,
    ResolverType,
    Role,
    ScheduledActivityRequest,
    Snapshot,
    TargetStatus,
    TargetStrategy,
    TargetUser,
)

LIST_LENGTH = 100

_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?[0-5]\d)?)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and _ISO_8601.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    msg = "must be an ISO 8601 time with an offset, as in 2025-01-16T09:00:00.000Z"
    raise ValueError(msg)


def _storable(value: datetime) -> datetime:
    """UTC, cut to milliseconds, in the range that every part of the system can represent."""
    try:
        instant = value.astimezone(UTC)
    except OverflowError:
        instant = value.replace(year=1, tzinfo=UTC)
    if instant.year < FIRST_YEAR or instant > datetime.now(UTC) + LONGEST_WAIT:
        msg = f"must lie between {FIRST_YEAR} and {YEARS_AHEAD} years from now"
        raise ValueError(msg)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _not_blank(value: str) -> str:
    if not value.strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return value


def _key(value: str) -> str:
    if value != value.strip() or _CONTROL.search(value):
        msg = "must have no control characters and no white space at its ends"
        raise ValueError(msg)
    return value


def in_contract_format(instant: datetime) -> str:
    """2025-01-16T09:00:00.000Z."""
    utc = instant.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


Time = Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_storable)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), AfterValidator(_not_blank)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_key)]
Instant = Annotated[
    datetime,
    PlainSerializer(in_contract_format, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2025-01-16T09:00:00.000Z"]}),
]


def _bounded(value: JsonValue) -> JsonValue:
    """Texts and arrays inside of free values keep to the same bounds as all others."""
    if isinstance(value, str) and len(value) > TEXT_LENGTH:
        msg = f"must have at most {TEXT_LENGTH} characters per text"
        raise ValueError(msg)
    if isinstance(value, list) and len(value) > LIST_LENGTH:
        msg = f"must have at most {LIST_LENGTH} items"
        raise ValueError(msg)
    if isinstance(value, dict | list):
        for inner in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            _bounded(inner)
    return value


FreeValue = Annotated[JsonValue, AfterValidator(_bounded)]


class RequestBody(BaseModel):
    """A body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A part of an answer: camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, from_attributes=True, frozen=True
    )


class RoleMatchConfig(RequestBody):
    """Whom ROLE_MATCH looks for."""

    role: Role


class LastContactedConfig(RequestBody):
    """How far back LAST_CONTACTED looks; without `within_days`, as far as there are records."""

    within_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class CriterionBody(RequestBody):
    """What criteria have in common."""

    @model_validator(mode="before")
    @classmethod
    def null_is_absent(cls, value: Any) -> Any:
        """As in every optional field: the default holds."""
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if one is not None or name not in cls.model_fields}


class RoleMatch(CriterionBody):
    """An active, reachable user with this role."""

    type: Literal["ROLE_MATCH"]
    config: RoleMatchConfig
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 0


class LastContacted(CriterionBody):
    """The active, reachable user who was contacted last, on any channel or on this one."""

    type: Literal["LAST_CONTACTED_ALL_CHANNELS", "LAST_CONTACTED_SAME_CHANNEL"]
    config: LastContactedConfig = LastContactedConfig()
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 0


Criterion = Annotated[RoleMatch | LastContacted, Field(discriminator="type")]


class ProvidedAttributeCreate(RequestBody):
    """A value for one attribute; `fallback` is used when `value` is null."""

    key: Text
    value: FreeValue = None
    fallback: FreeValue = None


def _distinct(attributes: list[ProvidedAttributeCreate] | None) -> list[ProvidedAttributeCreate] | None:
    keys = [attribute.key for attribute in attributes or ()]
    if len(set(keys)) < len(keys):
        msg = "must name every key once"
        raise ValueError(msg)
    return attributes


class ScheduledActivityCreate(RequestBody):
    """A new activity, as the contract has it."""

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
    reason: Text = Field(description="A code, label or alias of the tenant's reasons; case and accents don't matter.")
    channel: Channel
    commerce_id: UUID
    idempotency_key: IdempotencyKey = Field(description="Unique per tenant, for ever; compared byte for byte.")
    scheduled_at: Time = Field(description="When it should be executed; a past time is executed at once.")
    suggested_execution_time: Time | None = Field(default=None, description="A hint to the executor; moves nothing.")
    user_status: Text | None = None
    score: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = Field(default=None, description="Higher goes first.")
    assignment_reason: Text | None = None
    target_criteria: Annotated[list[Criterion], Field(max_length=LIST_LENGTH)] | None = Field(
        default=None, description="Replaces the configured criteria; `[]` goes straight to the fallbacks."
    )
    attribute_keys: Annotated[list[Text], Field(max_length=LIST_LENGTH)] | None = None
    attributes: (
        Annotated[list[ProvidedAttributeCreate], Field(max_length=LIST_LENGTH), AfterValidator(_distinct)] | None
    ) = None

    def as_request(self) -> ScheduledActivityRequest:
        """The message that crosses Temporal, and what duplicates are compared with."""
        return ScheduledActivityRequest.model_validate(self.model_dump())


class CommerceAssignmentRead(Answer):
    """To which commerce it is assigned."""

    commerce_id: UUID
    assignment_reason: str | None = None


class TargetUserRead(Answer):
    """Whom it is aimed at."""

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
    """The Temporal run behind it; only for OPERATE, because Temporal's console isn't tenant-scoped."""

    id: str
    run_id: str
    url: str


class ScheduledActivityRead(Answer):
    """A scheduled activity; the members of the contract come first."""

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
    status_reason: str | None = Field(default=None, description="Why it is UNRESOLVED or FAILED.")
    target_users: tuple[TargetUserRead, ...] = ()
    attributes: tuple[AttributeRead, ...] = ()
    created_at: Instant | None = None
    updated_at: Instant | None = None
    marked_at: Instant | None = Field(default=None, description="When it was marked for execution.")
    lateness_ms: int | None = Field(
        default=None, description="How late it was marked, in milliseconds; never negative."
    )
    held_since: Instant | None = Field(
        default=None, description="Since when it would be DUE, were the tenant not paused: it stays READY till then."
    )
    workflow: WorkflowRead | None = Field(default=None, description="Only for callers with OPERATE.")

    @classmethod
    def of(cls, snapshot: Snapshot, workflow: WorkflowRead | None) -> "ScheduledActivityRead":
        """What the API says of a row."""
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


def _target_user(target: TargetUser) -> dict[str, Any]:
    return target.model_dump() | {"resolution_status": target.status, "resolution_strategy": target.strategy}


def _attribute(attribute: Attribute) -> dict[str, Any]:
    return attribute.model_dump() | {"resolution_status": attribute.status}


class StatusEventRead(Answer):
    """One line of the trail."""

    id: UUID
    event_type: EventType
    from_status: ActivityStatus | None
    to_status: ActivityStatus
    error_code: str | None
    error_message: str | None
    actor: str | None
    occurred_at: Instant
    details: dict[str, JsonValue] | None = None
