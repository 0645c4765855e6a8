"""Our own two processes, the worker and the API, as the stack starts them: as a production would, but for settings."""

import os
import sys
from collections.abc import Mapping

from embedded.signing_key import AUDIENCE, ISSUER, SigningKey
from embedded.stack_settings import StackSettings
from embedded.temporal_server import LOOPBACK, TemporalServer

DRAIN_SECONDS = 5
"""How long each may take to finish what it is at; people who press Ctrl-C don't wait for longer."""

_ELSEWHERE = ("PG", "TEMPORAL_", "AUTH_", "DATABASE_URL")


WORKER_COMMAND = (sys.executable, "worker.py")
API_COMMAND = (sys.executable, "-m", "api.main")


def environment(
    settings: StackSettings, database_url: str, temporal: TemporalServer, key: SigningKey
) -> Mapping[str, str]:
    """Pass on our environment, without what would lead elsewhere, and with where everything is."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_ELSEWHERE)}
    return inherited | {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "TEMPORAL_UI_URL": temporal.ui_url or "",
        "LISTEN_HOST": LOOPBACK,
        "API_PORT": str(settings.api_port),
        "WORKER_METRICS_PORT": str(settings.worker_metrics_port),
        "WORKER_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_PUBLIC_KEY": key.public_pem(),
    }
