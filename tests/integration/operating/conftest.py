"""Fixtures of the tests of operation."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from embedded.postgres import Postgres
from tests.support.service import Service, running_service
from tests.support.worlds import delete_schedules, new_database, new_namespace


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[tuple[str, Service]]:
    """Run a service with its own database and namespace, so that rounds see only its rows."""
    url, namespace = new_database(postgres), await new_namespace(temporal)
    async with running_service(url, namespace) as service:
        yield url, service
    await delete_schedules(namespace)
