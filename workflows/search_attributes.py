"""The search attributes by which operators filter runs; no personal data, as every user of the web UI reads them."""

from temporalio.common import SearchAttributeKey

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
COMMERCE_ID = SearchAttributeKey.for_keyword("CommerceId")
ACTIVITY_ID = SearchAttributeKey.for_keyword("ActivityId")
CHANNEL = SearchAttributeKey.for_keyword("Channel")
ACTIVITY_TYPE = SearchAttributeKey.for_keyword("ActivityType")
ACTIVITY_STATUS = SearchAttributeKey.for_keyword("ActivityStatus")
SCHEDULED_AT = SearchAttributeKey.for_datetime("ScheduledAt")

ALL = (TENANT_ID, COMMERCE_ID, ACTIVITY_ID, CHANNEL, ACTIVITY_TYPE, ACTIVITY_STATUS, SCHEDULED_AT)
