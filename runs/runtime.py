"""The SDK's runtime: its metrics, and the lines of its Rust part, which go to the log of the process."""

import logging

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

_FORWARDED = LoggingConfig(
    TelemetryFilter(core_level="WARN", other_level="ERROR"),
    # The fields of a line become members of ours: see `logs.py`.
    forwarding=LogForwardingConfig(
        logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    ),
)


def open_runtime(metrics_address: str | None = None) -> Runtime:
    """Open the SDK's runtime, with its metrics and ours on http://{metrics_address}/metrics, or without any."""
    if metrics_address is None:
        return Runtime(telemetry=TelemetryConfig(logging=_FORWARDED))
    metrics = PrometheusConfig(
        bind_address=metrics_address,
        histogram_bucket_overrides={
            "scheduled_activity_lateness_ms": [10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 600_000, 3.6e6],
        },
    )
    return Runtime(telemetry=TelemetryConfig(logging=_FORWARDED, metrics=metrics))
