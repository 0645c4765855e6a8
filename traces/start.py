"""Start tracing if the standard variables `OTEL_*` ask for it. Nothing of OpenTelemetry is imported otherwise."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traces.tracing import Tracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP = "http/protobuf"


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether an exporter or an endpoint of traces is set, and the SDK is not disabled."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    return exporter != "none" if exporter else any(environment.get(name, "").strip() for name in ENDPOINTS)


def start_tracing(process: str) -> "Tracing | None":
    """Start tracing, before the process opens a connection; return None if it is not wanted.

    Exits with a line that says what is missing, if the packages aren't installed or a variable has a value that the
    service doesn't support.
    """
    if not is_wanted(os.environ):
        return None
    protocol = next(filter(None, map(os.environ.get, PROTOCOLS)), HTTP)
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if exporter not in {"otlp", "console"}:
        sys.exit(f"OTEL_TRACES_EXPORTER must be otlp, console or none, not {exporter}")
    if exporter == "otlp" and protocol != HTTP:
        sys.exit(f"{PROTOCOLS[1]} must be {HTTP}, which is the default, not {protocol}")
    try:
        from traces.tracing import Tracing, build_exporter  # noqa: PLC0415 - an extra, which is loaded only here
    except ImportError as missing:
        sys.exit(f"traces need the package {missing.name}: install the extra `tracing`, or set OTEL_SDK_DISABLED=true")
    return Tracing(process, build_exporter(exporter))
