"""The search attributes by which operators filter runs; no personal data, as every user of the web UI reads them."""

from temporalio.common import SearchAttributeKey

from workflows.words import ActivityStatus

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
COMMERCE_ID = SearchAttributeKey.for_keyword("CommerceId")
ACTIVITY_ID = SearchAttributeKey.for_keyword("ActivityId")
CHANNEL = SearchAttributeKey.for_keyword("Channel")
ACTIVITY_TYPE = SearchAttributeKey.for_keyword("ActivityType")
ACTIVITY_STATUS = SearchAttributeKey.for_keyword("ActivityStatus")
SCHEDULED_AT = SearchAttributeKey.for_datetime("ScheduledAt")

SCHEDULED = "SCHEDULED"
"""The `ActivityStatus` of a run from its start on, unless operators must see another: each further value costs a write.

It is accepted, resolving or asleep; a completed run that reads SCHEDULED has marked its activity as DUE.
"""
_SCHEDULED = frozenset({ActivityStatus.RESOLVING, ActivityStatus.READY, ActivityStatus.DUE})


def listed_status(status: ActivityStatus) -> str:
    """Return the `ActivityStatus` under which a run whose activity has this status is listed."""
    return SCHEDULED if status in _SCHEDULED else status.value


ALL = (TENANT_ID, COMMERCE_ID, ACTIVITY_ID, CHANNEL, ACTIVITY_TYPE, ACTIVITY_STATUS, SCHEDULED_AT)
