#!/bin/sh
# One-shot, and harmless when repeated: the namespace with its retention, and our search attributes.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE as every Temporal client does, and TEMPORAL_RETENTION.
set -eu

until temporal operator cluster health; do sleep 1; done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

# A namespace is known to every part of the cluster only after some seconds.
until temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do sleep 1; done

for name in TenantId CommerceId ActivityId Channel ActivityType ActivityStatus; do
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name ScheduledAt --type Datetime
