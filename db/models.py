"""The tables. `tenant_id` leads every key and foreign key, so that no row can refer to another tenant's."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.name_keys import find_keys_of_insert
from workflows.bulk import BulkState, BulkVerb, ItemOutcome
from workflows.hand_off import ResultStatus
from workflows.words import (
    ActivityStatus,
    ActivityType,
    AttributeStatus,
    AttributeStrategy,
    Channel,
    EventType,
    LockReason,
    RemovalCause,
    ResolverType,
    TargetStatus,
    TargetStrategy,
)


def words(enumeration: type[StrEnum]) -> Enum:
    """Return the type of a text column that holds an enumeration's word; a CHECK enforces it, not a PostgreSQL type."""
    return Enum(
        enumeration,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=enumeration.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


class Table(DeclarativeBase):
    """The base of all tables: the names of constraints, and the SQL type of each Python type."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[dict[str, Any]]: JSONB(none_as_null=True),
        list[str]: ARRAY(Text),
        list[bytes]: ARRAY(LargeBinary),
        **{
            word: words(word)
            for word in (
                ActivityStatus,
                ActivityType,
                AttributeStatus,
                AttributeStrategy,
                Channel,
                LockReason,
                RemovalCause,
                ResolverType,
                ResultStatus,
                TargetStatus,
                TargetStrategy,
                BulkVerb,
                BulkState,
                ItemOutcome,
            )
        },
    }

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)


class HasId(Table):
    """A table whose rows have an id of their own within the tenant."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1, server_default=func.gen_random_uuid())


ERASED_AT = "The time of the erasure. The row is empty since then, and no call shows it."


class Commerce(HasId):
    """A store of a tenant; `addresses` is a list of objects as the tenant sent them."""

    __tablename__ = "commerces"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"),)

    external_id: Mapped[str] = mapped_column(Text(collation="C"))
    name: Mapped[str]
    tax_id: Mapped[str | None]
    global_external_id: Mapped[str | None]
    addresses: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    erased_at: Mapped[datetime | None] = mapped_column(comment=ERASED_AT)


class CommerceUser(HasId):
    """A person at a commerce; `contacts` is a list of `{contact_type, value, is_primary}`."""

    __tablename__ = "commerce_users"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "commerce_id"], ["commerces.tenant_id", "commerces.id"]),
        UniqueConstraint("tenant_id", "commerce_id", "external_id"),
    )

    commerce_id: Mapped[UUID]
    external_id: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    erased_at: Mapped[datetime | None] = mapped_column(comment=ERASED_AT)


class ContactLogEntry(HasId):
    """A contact with a commerce user. The LAST_CONTACTED criteria read these."""

    __tablename__ = "contact_log"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "commerce_id"], ["commerces.tenant_id", "commerces.id"]),
        ForeignKeyConstraint(["tenant_id", "commerce_user_id"], ["commerce_users.tenant_id", "commerce_users.id"]),
        UniqueConstraint("tenant_id", "commerce_user_id", "channel", "contacted_at"),
        Index(None, "tenant_id", "commerce_id", "contacted_at"),
        Index(None, "tenant_id", "commerce_user_id", "contacted_at"),
    )

    commerce_id: Mapped[UUID]
    commerce_user_id: Mapped[UUID]
    channel: Mapped[Channel]
    contacted_at: Mapped[datetime]
    is_sent: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="The tenant has sent it. It stays when a result is overridden."
    )


class CatalogueEntry(Table):
    """An entry of one of a tenant's two text catalogues."""

    __abstract__ = True

    code: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    name_keys: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid),
        default=find_keys_of_insert,
        comment="The keys of code, label and aliases. A text is looked up by its own.",
    )


class Reason(CatalogueEntry):
    """A reason for which activities are created."""

    __tablename__ = "reasons"
    __table_args__ = (Index(None, "name_keys", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),)


class UserStatus(CatalogueEntry):
    """The relation of a commerce's user to the tenant (the vendor calls it retention status)."""

    __tablename__ = "user_statuses"
    __table_args__ = (Index(None, "name_keys", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),)


class AttributeKey(HasId):
    """A name that attributes can have."""

    __tablename__ = "attribute_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    label: Mapped[str]
    description: Mapped[str | None]


class AttributePolicy(Table):
    """The way, and the moment, in which the values of an attribute key are resolved."""

    __tablename__ = "attribute_policies"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "key"], ["attribute_keys.tenant_id", "attribute_keys.key"]),)

    key: Mapped[str] = mapped_column(primary_key=True)
    strategy: Mapped[AttributeStrategy]
    resolver_type: Mapped[ResolverType]
    version: Mapped[int] = mapped_column(server_default=text("1"))


class TargetConfig(HasId):
    """Criteria that find targets. The active one with the lowest `priority` whose selectors match is in force."""

    __tablename__ = "target_configs"
    __table_args__ = (Index(None, "tenant_id", "priority", unique=True, postgresql_where=text("is_active")),)

    strategy: Mapped[TargetStrategy]
    fallback_to_commerce_rep: Mapped[bool]
    fallback_to_owner: Mapped[bool]
    priority: Mapped[int]
    channel: Mapped[Channel | None]
    type: Mapped[ActivityType | None]
    criteria: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))


ENDED_OTHERWISE = text("(status = 'CANCELED' OR due_at < scheduled_at OR due_at IS NOT NULL AND moved_at IS NOT NULL)")
"""Match activities that have ended otherwise than by the first timer of their run, before or at another time.

Literals, so that the planner recognizes the partial index.
"""
ENDED_AT = text("greatest(updated_at, marked_at)")
"""A mark leaves `updated_at` as it is."""


LOWEST_RANK = "-2147483649"
RANK = text(f"coalesce(score, {LOWEST_RANK})")
"""The score as lists are sorted by it: none counts as the lowest."""


NEEDS_KEY = text("payload_key_id IS NOT NULL AND status IN ('READY', 'UNRESOLVED')")
"""Match activities whose run is open and encrypted; literals, as above."""


IS_CLOSED = text("status IN ('COMPLETED', 'CANCELED', 'FAILED')")
"""Match activities that have ended, which retention removes; literals, as above."""


class ScheduledActivity(HasId):
    """The unit of work. `status` may be DUE ahead of `due_at`: read it through `db.snapshots.EFFECTIVE_STATUS`."""

    __tablename__ = "scheduled_activities"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "commerce_id"], ["commerces.tenant_id", "commerces.id"]),
        UniqueConstraint("tenant_id", "idempotency_key", postgresql_include=["id", "created_at", "scheduled_at"]),
        CheckConstraint("status NOT IN ('RESOLVING', 'REJECTED')", name="stored_status"),
        CheckConstraint("due_at IS NULL OR status NOT IN ('READY', 'UNRESOLVED')", name="due_at"),
        Index(None, "tenant_id", "status", "scheduled_at", "id"),
        CheckConstraint("status <> 'DISPATCHED' OR attempts > 0", name="dispatched"),
        CheckConstraint(
            "attempts = 0 OR num_nulls(executor, lease_token, taken_at, lease_expires_at) = 0", name="taken"
        ),
        Index(None, "tenant_id", "commerce_id", "scheduled_at", "id"),
        Index(
            "scheduled_activities_open_idx",
            "scheduled_at",
            postgresql_where=text("status IN ('READY', 'UNRESOLVED')"),
        ),
        Index(
            "scheduled_activities_claim_idx",
            "tenant_id",
            "channel",
            "type",
            text("score DESC NULLS LAST"),
            "due_at",
            "id",
            postgresql_where=text("status = 'DUE'"),
        ),
        Index(
            "scheduled_activities_lease_idx",
            "tenant_id",
            "lease_expires_at",
            postgresql_where=text("status = 'DISPATCHED'"),
        ),
        Index(
            "scheduled_activities_claim_id_idx",
            "tenant_id",
            "claim_id",
            postgresql_where=text("status = 'DISPATCHED' AND claim_id IS NOT NULL"),
        ),
        Index(None, "tenant_id", "lease_token", unique=True, postgresql_where=text("lease_token IS NOT NULL")),
        CheckConstraint("status <> 'DUE' OR (due_at IS NOT NULL AND marked_at >= due_at)", name="marked"),
        *(
            Index(f"scheduled_activities_{name}_by_{sorted_by}_idx", "tenant_id", *filtered, sorted_by, "id")
            for sorted_by in ("scheduled_at", "created_at")
            for name, filtered in (("all", ()), ("kind", ("channel", "type")), ("reason", ("reason_code", "status")))
        ),
        Index(None, "tenant_id", "status", "created_at", "id"),
        Index("scheduled_activities_cells_idx", "tenant_id", "status", "channel", "type", "scheduled_at"),
        Index(
            "scheduled_activities_late_idx",
            "tenant_id",
            "scheduled_at",
            "id",
            postgresql_where=text("lateness_ms > 1000"),
        ),
        Index("scheduled_activities_marked_idx", "tenant_id", "marked_at", postgresql_where=text("status = 'DUE'")),
        Index("scheduled_activities_changed_idx", "tenant_id", ENDED_AT, "id"),
        Index("scheduled_activities_score_idx", "tenant_id", "status", RANK, "id"),
        Index(
            "scheduled_activities_executor_idx",
            *("tenant_id", "executor", "created_at", "id"),
            postgresql_where=text("executor IS NOT NULL"),
        ),
        Index("scheduled_activities_ended_idx", ENDED_AT, "tenant_id", "id", postgresql_where=ENDED_OTHERWISE),
        Index("scheduled_activities_payload_key_idx", "payload_key_id", postgresql_where=NEEDS_KEY),
        Index("scheduled_activities_closed_idx", "tenant_id", "updated_at", "id", postgresql_where=IS_CLOSED),
    )

    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"))
    type: Mapped[ActivityType]
    channel: Mapped[Channel]
    commerce_id: Mapped[UUID]
    reason_code: Mapped[str]
    reason_label: Mapped[str]
    user_status_code: Mapped[str | None]
    user_status_label: Mapped[str | None]
    status: Mapped[ActivityStatus]
    scheduled_at: Mapped[datetime]
    suggested_execution_time: Mapped[datetime | None]
    score: Mapped[int | None]
    assignment_reason: Mapped[str | None]
    request: Mapped[dict[str, Any]] = mapped_column(comment="The accepted request. A duplicate is compared with it.")
    why: Mapped[str | None] = mapped_column(comment="The reason why it is UNRESOLVED or FAILED, in words.")
    due_at: Mapped[datetime | None] = mapped_column(comment="The time from which it counts as due. The mark sets it.")
    marked_at: Mapped[datetime | None]
    lateness_ms: Mapped[int | None] = mapped_column(BigInteger)
    moved_at: Mapped[datetime | None] = mapped_column(comment="The time of the last reschedule.")
    executor: Mapped[str | None] = mapped_column(
        comment="The executor that claimed it last. It holds it while DISPATCHED."
    )
    claim_id: Mapped[UUID | None] = mapped_column(comment="The id of the last claim, if its caller sent one.")
    lease_token: Mapped[UUID | None]
    taken_at: Mapped[datetime | None]
    lease_expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"), comment="The number of claims.")
    expired_leases: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    run_id: Mapped[str]
    payload_key_id: Mapped[str | None] = mapped_column(
        comment="The id of the key that the input of its run is encrypted with."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    traceparent: Mapped[str | None] = mapped_column(comment="The span of the call that has created it.")
    mark_traceparent: Mapped[str | None] = mapped_column(comment="The span of the step that has marked it.")


class RemovedActivity(Table):
    """The remainder of an activity that was removed. Its key stays used, and its id known."""

    __tablename__ = "removed_activities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "activity_id"),
        CheckConstraint("octet_length(key_hash) = 32 AND octet_length(request_hash) = 32", name="hashes"),
        Index(None, "provider_hashes", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    key_hash: Mapped[bytes] = mapped_column(primary_key=True, comment="SHA-256 of the idempotency key.")
    activity_id: Mapped[UUID]
    request_hash: Mapped[bytes] = mapped_column(
        comment="SHA-256 of the normalized request. A repetition is compared with it."
    )
    provider_hashes: Mapped[list[bytes]] = mapped_column(
        server_default=text("'{}'"), comment="SHA-256 of each provider's id that a result had."
    )
    cause: Mapped[RemovalCause]
    removed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RetentionSettings(Table):
    """The time for which a tenant keeps closed activities. Without a row they are kept for ever."""

    __tablename__ = "retention_settings"
    __table_args__ = (CheckConstraint("retention_days > 0", name="retention_days"),)

    retention_days: Mapped[int] = mapped_column(comment="Days after which a closed activity is removed.")


class TenantPause(Table):
    """A pause: while the row exists, nothing of the tenant becomes due after `paused_at`."""

    __tablename__ = "tenant_pauses"

    paused_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    reason: Mapped[str]
    actor: Mapped[str]


class BulkOperation(HasId):
    """A change of many activities at once. Its id is part of the id of its run."""

    __tablename__ = "bulk_operations"
    __table_args__ = (
        Index(
            "bulk_operations_open_idx",
            "tenant_id",
            "created_at",
            postgresql_where=text("state IN ('QUEUED', 'COLLECTING', 'RUNNING', 'STOPPING')"),
        ),
        Index(None, "tenant_id", "created_at", "id"),
    )

    verb: Mapped[BulkVerb]
    change: Mapped[dict[str, Any]]
    filter: Mapped[dict[str, Any]]
    actor: Mapped[str]
    request_id: Mapped[str | None] = mapped_column(comment="The id of the request that was accepted as it.")
    per_second: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[BulkState]
    confirm_total: Mapped[int | None] = mapped_column(comment="The most activities to choose, as the caller sent it.")
    detail: Mapped[str | None] = mapped_column(comment="The reason why it was ended before it had changed all items.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(comment="When its turn in the tenant's queue has come.")
    finished_at: Mapped[datetime | None]


class BulkSettings(Table):
    """A tenant's settings for bulk operations. Without a row the defaults are in force."""

    __tablename__ = "bulk_settings"

    confirm_above: Mapped[int] = mapped_column(comment="The most activities that are changed without confirm_total.")


class BulkOperationItem(Table):
    """One of the activities of a bulk operation, with its outcome."""

    __tablename__ = "bulk_operation_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "operation_id"], ["bulk_operations.tenant_id", "bulk_operations.id"]),
        Index(None, "tenant_id", "operation_id", "outcome", "position"),
    )

    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, comment="The place in the order of the times, from 1.")
    activity_id: Mapped[UUID] = mapped_column(comment="It refers to no row: the item outlasts its activity.")
    scheduled_at: Mapped[datetime] = mapped_column(comment="The time of the activity when it was chosen.")
    outcome: Mapped[ItemOutcome]
    claimed_round: Mapped[int | None] = mapped_column(
        SmallInteger, comment="The last round in which its change was begun; without changed_at its outcome is open."
    )
    code: Mapped[str | None] = mapped_column(comment="The error code of a rejection, as a single call would have it.")
    detail: Mapped[str | None]
    changed_at: Mapped[datetime | None]


class OfScheduledActivity(Table):
    """The base of tables whose rows belong to one scheduled activity, and are read by its id."""

    __abstract__ = True

    activity_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)

    @staticmethod
    def activity_foreign_key() -> ForeignKeyConstraint:
        """Return the composite foreign key that keeps a part in the tenant of its activity."""
        return ForeignKeyConstraint(
            ["tenant_id", "activity_id"], ["scheduled_activities.tenant_id", "scheduled_activities.id"]
        )


class TargetUser(OfScheduledActivity):
    """The person at whom a scheduled activity is aimed, or why none is found yet."""

    __tablename__ = "target_users"
    __table_args__ = (
        OfScheduledActivity.activity_foreign_key(),
        ForeignKeyConstraint(["tenant_id", "commerce_user_id"], ["commerce_users.tenant_id", "commerce_users.id"]),
        Index(
            "target_users_commerce_user_idx",
            *("tenant_id", "commerce_user_id", "activity_id"),
            postgresql_where=text("commerce_user_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    commerce_user_id: Mapped[UUID | None]
    status: Mapped[TargetStatus]
    strategy: Mapped[TargetStrategy]
    lock_reason: Mapped[LockReason | None]
    error_message: Mapped[str | None]
    resolved_at: Mapped[datetime | None]


class ActivityAttribute(OfScheduledActivity):
    """The value of one attribute of a scheduled activity, or why it has none yet."""

    __tablename__ = "activity_attributes"
    __table_args__ = (
        OfScheduledActivity.activity_foreign_key(),
        ForeignKeyConstraint(["tenant_id", "key"], ["attribute_keys.tenant_id", "attribute_keys.key"]),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())
    position: Mapped[int] = mapped_column(SmallInteger)
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    fallback: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[AttributeStatus]
    resolver_type: Mapped[ResolverType]
    error_message: Mapped[str | None]
    resolved_at: Mapped[datetime | None]


class StatusEvent(OfScheduledActivity):
    """A line of the trail. `event_key`, a step's name or an update's id, makes writing it twice impossible."""

    __tablename__ = "status_events"
    __table_args__ = (
        OfScheduledActivity.activity_foreign_key(),
        UniqueConstraint("tenant_id", "activity_id", "number"),
    )

    event_key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(server_default=text("uuidv7()"))
    number: Mapped[int] = mapped_column(
        comment="Its place in the trail, from 1. A trigger draws it under the row's lock."
    )
    event_type: Mapped[EventType] = mapped_column(Text)
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    actor: Mapped[str | None]
    request_id: Mapped[str | None] = mapped_column(
        comment="The id of the request that it comes from, as the log has it."
    )
    details: Mapped[dict[str, Any] | None]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ResolutionAttempt(OfScheduledActivity):
    """The explanation of an attempt at resolution, with the key of the event that it belongs to."""

    __tablename__ = "resolution_attempts"
    __table_args__ = (OfScheduledActivity.activity_foreign_key(),)

    event_key: Mapped[str] = mapped_column(primary_key=True)
    explanation: Mapped[dict[str, Any]]
    attempted_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ActivityResult(OfScheduledActivity):
    """A result that an executor reported for a scheduled activity. Only its follow-up is ever updated."""

    __tablename__ = "activity_results"
    __table_args__ = (
        OfScheduledActivity.activity_foreign_key(),
        Index(
            None, "tenant_id", "provider_activity_id", "id", postgresql_where=text("provider_activity_id IS NOT NULL")
        ),
        Index(
            "activity_results_missing_follow_up_idx",
            "tenant_id",
            "id",
            postgresql_where=text("follow_up_at IS NOT NULL AND follow_up_id IS NULL"),
        ),
        Index("activity_results_overrides_idx", "received_at", postgresql_where=text("overrides_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    attempt: Mapped[int] = mapped_column(comment="The claim that it belongs to.")
    provider_activity_id: Mapped[str | None]
    commerce_external_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    status: Mapped[ResultStatus]
    external_status: Mapped[str | None]
    hard_override: Mapped[bool]
    task_result: Mapped[dict[str, Any] | None]
    raw_payload: Mapped[Any | None] = mapped_column(
        JSON(none_as_null=True), comment="JSON, not JSONB: stored as it was sent."
    )
    fingerprint: Mapped[str] = mapped_column(comment="Equal for equal results.")
    overrides_id: Mapped[UUID | None]
    from_status: Mapped[str]
    to_status: Mapped[str]
    follow_up_at: Mapped[datetime | None] = mapped_column(comment="The time of the follow-up to create.")
    follow_up_id: Mapped[UUID | None]
    follow_up_error: Mapped[str | None]
    actor: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class TaskResultType(Table):
    """An outcome that the tenant's executors can report. One that requires a future time creates a follow-up."""

    __tablename__ = "task_result_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    requires_future_scheduled_at: Mapped[bool]


class DispatchSettings(Table):
    """A tenant's settings for the hand-off to executors. Without a row the defaults are in force."""

    __tablename__ = "dispatch_settings"

    max_attempts: Mapped[int] = mapped_column(SmallInteger, comment="Leases that may run out before it is FAILED.")


class TenantQuota(Table):
    """A tenant's own number in place of the default of a quota."""

    __tablename__ = "tenant_quotas"

    name: Mapped[str] = mapped_column(primary_key=True, comment="As in workflows/tenant_limits.py.")
    value: Mapped[int] = mapped_column(BigInteger)


class ApiKey(HasId):
    """A key that a machine sends in place of a token. Its text is not stored."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index(None, "key_hash", unique=True),
        CheckConstraint("octet_length(key_hash) = 32", name="key_hash"),
    )

    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(comment="SHA-256 of the key's text. A key is looked up by it.")
    key_prefix: Mapped[str] = mapped_column(comment="The beginning of the key's text, by which people recognize it.")
    permissions: Mapped[list[str]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None] = mapped_column(comment="Written at most once a minute.")


class AuditEntry(HasId):
    """A change of a row that a person administers. Triggers of the tables write it, and another keeps it as it is."""

    __tablename__ = "audit_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1, server_default=text("uuidv7()"))
    resource: Mapped[str]
    resource_key: Mapped[str | None]
    actor: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
