"""The registry of the API's metrics."""

from prometheus_client import CollectorRegistry, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # their lines double the text, and no rule reads them
REGISTRY = CollectorRegistry()
