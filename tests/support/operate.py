"""The operators' commands as a person types them."""

from collections.abc import Mapping
from functools import partial
from subprocess import CompletedProcess

from temporalio.client import Client

from embedded.stack import database_urls
from tests.support.programs import run_program
from tests.support.service import url_of


def operators_variables(temporal: Client, database_url: str) -> Mapping[str, str]:
    """Return what an operator's shell has: the addresses of the servers."""
    return {
        **database_urls("worker", partial(url_of, database_url)),
        "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": temporal.namespace,
    }


def operate(temporal: Client, database_url: str, *words: str, **variables: str) -> CompletedProcess[str]:
    """Run a command as an operator types it, with these variables."""
    return run_program(
        "operate.py",
        *words,
        environment={**operators_variables(temporal, database_url), **variables},
    )
