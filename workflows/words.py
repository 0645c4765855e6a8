"""The words of the domain: its enumerations, as requests, rows and events spell them."""

from enum import StrEnum


class ActivityType(StrEnum):
    """What kind of thing is scheduled: work for a person, or a communication."""

    TASK = "TASK"
    MESSAGE = "MESSAGE"


class Channel(StrEnum):
    """How the activity reaches the commerce."""

    SALESMAN = "SALESMAN"
    CALLCENTER = "CALLCENTER"
    WHATSAPP = "WHATSAPP"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class ActivityStatus(StrEnum):
    """Where a scheduled activity is in its life; `RESOLVING` and `REJECTED` are never stored in a row."""

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
"""The statuses in which a run goes on; in all others PostgreSQL alone holds the activity."""


class EventType(StrEnum):
    """What a status event in the trail reports."""

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
    """What a commerce user is to the commerce; one user may have several."""

    OWNER = "OWNER"
    ORDERS = "ORDERS"
    FINANCE = "FINANCE"
    ATTENTION = "ATTENTION"
    ADMIN = "ADMIN"
    COMMERCE_REP = "COMMERCE_REP"
    OTHER = "OTHER"


class ContactType(StrEnum):
    """By what a commerce user can be reached."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    WHATSAPP = "WHATSAPP"
    OTHER = "OTHER"


class TargetStrategy(StrEnum):
    """When the target user is looked for."""

    ON_CREATION = "ON_CREATION"
    ON_DISPATCH = "ON_DISPATCH"
    MANUAL = "MANUAL"


class TargetStatus(StrEnum):
    """How far the search for the target user is; `LOCKED` is a found one from the moment the activity is due."""

    PENDING = "PENDING"
    RESOLVED = "RESOLVED"
    LOCKED = "LOCKED"
    FAILED = "FAILED"


class LockReason(StrEnum):
    """Why this user is the target."""

    CRITERIA_MATCH = "CRITERIA_MATCH"
    FALLBACK_COMMERCE_REP = "FALLBACK_COMMERCE_REP"
    FALLBACK_OWNER = "FALLBACK_OWNER"
    MANUAL_ASSIGNMENT = "MANUAL_ASSIGNMENT"


class CriterionType(StrEnum):
    """A rule by which a target user is chosen."""

    ROLE_MATCH = "ROLE_MATCH"
    LAST_CONTACTED_ALL_CHANNELS = "LAST_CONTACTED_ALL_CHANNELS"
    LAST_CONTACTED_SAME_CHANNEL = "LAST_CONTACTED_SAME_CHANNEL"


class AttributeStrategy(StrEnum):
    """When the value of an attribute is found."""

    UPFRONT = "UPFRONT"
    ON_DISPATCH = "ON_DISPATCH"
    CALLER_PROVIDED = "CALLER_PROVIDED"


class ResolverType(StrEnum):
    """Where the value of an attribute comes from."""

    INTERNAL_SERVICE = "INTERNAL_SERVICE"
    CLIENT_HOOK = "CLIENT_HOOK"
    CALLER_PROVIDED = "CALLER_PROVIDED"


class AttributeStatus(StrEnum):
    """What became of the search for an attribute's value."""

    PENDING = "PENDING"
    RESOLVED = "RESOLVED"
    FAILED = "FAILED"
    FALLBACK = "FALLBACK"


class ResolutionMoment(StrEnum):
    """On which occasion something is resolved."""

    CREATION = "CREATION"
    WAKE_UP = "WAKE_UP"
    RETRY = "RETRY"


class Pending(StrEnum):
    """What of a READY scheduled activity is left to resolve at its time."""

    TARGET = "TARGET"
    MANUAL_TARGET = "MANUAL_TARGET"
    ATTRIBUTES = "ATTRIBUTES"
