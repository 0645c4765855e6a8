"""The worker and the API as processes, as they are deployed."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from temporalio.client import Client

from embedded.signing_key import AUDIENCE, ISSUER
from embedded.stack import database_urls
from embedded.temporal_server import free_port
from tests.support.programs import Program
from tests.support.service import KEY, Service, url_of
from tests.support.started_stacks import wait_until

PROGRAMS = {"worker": "worker.py", "api": "api/main.py"}


@dataclass(frozen=True)
class Deployed:
    """A running process."""

    process: Program
    output: Path
    url: str

    def log(self) -> str:
        """Return what it has written so far."""
        return self.output.read_text()

    def wait_for_log(self, words: str) -> None:
        """Wait until it has written these words."""
        wait_until(lambda: words in self.log() or self.process.poll() is not None)
        assert words in self.log(), self.log()

    async def until_readiness(self, status: int) -> list[str]:
        """Wait until the API's readiness has this status; return what is missing then."""
        async with asyncio.timeout(120), httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            while True:
                assert self.process.poll() is None, self.log()
                with suppress(httpx.TransportError):
                    answer = await http.get("/health/ready")
                    if answer.status_code == status:
                        return list(answer.json()["missing"])
                await asyncio.sleep(0.1)


@contextmanager
def deployed(
    name: str, database_url: str, temporal: Client, folder: Path, program: str | None = None, **variables: str
) -> Iterator[Deployed]:
    """Run the worker or the API, with these variables, until the block ends; the worker drains for two seconds."""
    port = free_port()
    environment = {one: value for one, value in os.environ.items() if not one.startswith("TEMPORAL_")} | {
        **database_urls(name, partial(url_of, database_url)),
        "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": temporal.namespace,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "WORKER_DRAIN_SECONDS": "2",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_PUBLIC_KEY": KEY.public_pem(),
        "API_PORT": str(port),
        **variables,
    }
    output = folder / f"{name}-{port}.log"
    process = Program(program or PROGRAMS[name], environment=environment, output=output)
    try:
        yield Deployed(process, output, f"http://127.0.0.1:{port}")
    finally:
        process.kill()


def deployed_worker(
    service: Service, folder: Path, program: str | None = None, **variables: str
) -> AbstractContextManager[Deployed]:
    """Run a worker of this service."""
    url = service.database.url.render_as_string(hide_password=False)
    return deployed("worker", url, service.temporal, folder, program, **variables)
