"""The operators' commands as a person types them."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from temporalio.client import Client

from embedded.stack import database_urls
from tests.support.service import url_of

ROOT = Path(__file__).parents[2]


def operate(temporal: Client, database_url: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an operator types it, with these variables."""
    return subprocess.run(  # noqa: S603 - the program is ours
        [sys.executable, "operate.py", *words],
        cwd=ROOT,
        env={
            **database_urls("worker", partial(url_of, database_url)),
            "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": temporal.namespace,
            "PATH": "/usr/bin:/bin",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
