"""The enumerations of the domain, as requests, rows and events spell them."""

from enum import StrEnum


class ActivityType(StrEnum):
    """The kind of activity: work for a person, or a communication."""

    TASK = "TASK"
    MESSAGE = "MESSAGE"


class Channel(StrEnum):
    """The channel by which the activity reaches the commerce."""

    SALESMAN = "SALESMAN"
    CALLCENTER = "CALLCENTER"
    WHATSAPP = "WHATSAPP"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class ActivityStatus(StrEnum):
    """The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never stored in a row."""

    RESOLVING = "RESOLVING"
    REJECTED = "REJECTED"
    READY = "READY"
    UNRESOLVED = "UNRESOLVED"
    DUE = "DUE"
    DISPATCHED = "DISPATCHED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


OPEN = (ActivityStatus.READY, ActivityStatus.UNRESOLVED)
"""The statuses in which an activity has a run; in all others PostgreSQL alone holds it."""


class RemovalCause(StrEnum):
    """The reason why a closed activity was removed."""

    RETENTION = "RETENTION"
    ERASURE = "ERASURE"


class EventType(StrEnum):
    """The type of a status event in the trail."""

    CREATED = "CREATED"
    DUE = "DUE"
    RESOLUTION_FAILED = "RESOLUTION_FAILED"
    RESOLUTION_RETRY_SUCCESS = "RESOLUTION_RETRY_SUCCESS"
    RESOLUTION_RETRY_FAILED = "RESOLUTION_RETRY_FAILED"
    TARGET_ASSIGNED = "TARGET_ASSIGNED"
    RESCHEDULED = "RESCHEDULED"
    CANCELED = "CANCELED"
    TERMINATED_BY_OPERATOR = "TERMINATED_BY_OPERATOR"
    BROUGHT_BACK = "BROUGHT_BACK"
    RUN_RESET = "RUN_RESET"
    RUN_RESUMED = "RUN_RESUMED"
    RESTORED = "RESTORED"
    CHANGE_WITHDRAWN = "CHANGE_WITHDRAWN"
    CHANGE_REFUSED = "CHANGE_REFUSED"
    DISPATCHED = "DISPATCHED"
    LEASE_EXTENDED = "LEASE_EXTENDED"
    LEASE_RELEASED = "LEASE_RELEASED"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    DISPATCH_EXHAUSTED = "DISPATCH_EXHAUSTED"
    RESULT_RECEIVED = "RESULT_RECEIVED"
    RESULT_OVERRIDDEN = "RESULT_OVERRIDDEN"


class Role(StrEnum):
    """The role of a commerce user; one user may have several."""

    OWNER = "OWNER"
    ORDERS = "ORDERS"
    FINANCE = "FINANCE"
    ATTENTION = "ATTENTION"
    ADMIN = "ADMIN"
    COMMERCE_REP = "COMMERCE_REP"
    OTHER = "OTHER"


class ContactType(StrEnum):
    """The kind of a commerce user's contact."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    WHATSAPP = "WHATSAPP"
    OTHER = "OTHER"


class TargetStrategy(StrEnum):
    """The time at which the target user is chosen: at creation, when the activity is due, or by an operator."""

    ON_CREATION = "ON_CREATION"
    ON_DISPATCH = "ON_DISPATCH"
    MANUAL = "MANUAL"


class TargetStatus(StrEnum):
    """The progress of the search for the target user; a user that was found is `LOCKED` once the activity is due."""

    PENDING = "PENDING"
    RESOLVED = "RESOLVED"
    LOCKED = "LOCKED"
    FAILED = "FAILED"


class LockReason(StrEnum):
    """The reason why this user is the target."""

    CRITERIA_MATCH = "CRITERIA_MATCH"
    FALLBACK_COMMERCE_REP = "FALLBACK_COMMERCE_REP"
    FALLBACK_OWNER = "FALLBACK_OWNER"
    MANUAL_ASSIGNMENT = "MANUAL_ASSIGNMENT"


class CriterionType(StrEnum):
    """The rule by which a criterion chooses a target user."""

    ROLE_MATCH = "ROLE_MATCH"
    LAST_CONTACTED_ALL_CHANNELS = "LAST_CONTACTED_ALL_CHANNELS"
    LAST_CONTACTED_SAME_CHANNEL = "LAST_CONTACTED_SAME_CHANNEL"


class AttributeStrategy(StrEnum):
    """The time at which an attribute's value is found: at creation, when it is due, or by the caller before."""

    UPFRONT = "UPFRONT"
    ON_DISPATCH = "ON_DISPATCH"
    CALLER_PROVIDED = "CALLER_PROVIDED"


class ResolverType(StrEnum):
    """The source of an attribute's value."""

    INTERNAL_SERVICE = "INTERNAL_SERVICE"
    CLIENT_HOOK = "CLIENT_HOOK"
    CALLER_PROVIDED = "CALLER_PROVIDED"


class AttributeStatus(StrEnum):
    """The outcome of the search for an attribute's value."""

    PENDING = "PENDING"
    RESOLVED = "RESOLVED"
    FAILED = "FAILED"
    FALLBACK = "FALLBACK"


class ResolutionMoment(StrEnum):
    """The occasion of a resolution."""

    CREATION = "CREATION"
    WAKE_UP = "WAKE_UP"
    RETRY = "RETRY"


class Pending(StrEnum):
    """A part of a READY scheduled activity that is left to resolve at its time."""

    TARGET = "TARGET"
    MANUAL_TARGET = "MANUAL_TARGET"
    ATTRIBUTES = "ATTRIBUTES"


class AuditedResource(StrEnum):
    """The kinds of resources whose changes are audited. A trigger of each table writes its word.

    PERSONAL_DATA is an erasure, which has an entry without the data.
    """

    API_KEY = "API_KEY"
    ATTRIBUTE_KEY = "ATTRIBUTE_KEY"
    ATTRIBUTE_POLICY = "ATTRIBUTE_POLICY"
    BULK_SETTINGS = "BULK_SETTINGS"
    DISPATCH_SETTINGS = "DISPATCH_SETTINGS"
    PAUSE = "PAUSE"
    PERSONAL_DATA = "PERSONAL_DATA"
    QUOTA = "QUOTA"
    REASON = "REASON"
    RETENTION_SETTINGS = "RETENTION_SETTINGS"
    TARGET_CONFIG = "TARGET_CONFIG"
    TASK_RESULT_TYPE = "TASK_RESULT_TYPE"
    USER_STATUS = "USER_STATUS"
