#!/bin/sh
# Create the namespace with its retention and our search attributes; safe to repeat.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as every client of Temporal does, and TEMPORAL_RETENTION.
set -eu

until temporal operator cluster health; do sleep 1; done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

# All parts of the cluster know a new namespace only after some seconds.
until temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do sleep 1; done

for name in TenantId CommerceId ActivityId Channel ActivityType ActivityStatus; do
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name ScheduledAt --type Datetime
