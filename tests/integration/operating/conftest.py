"""Fixtures of the tests of operation."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from embedded.postgres import Postgres
from tests.support.service import Service
from tests.support.worlds import idle_service, work


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[tuple[str, Service]]:
    """Run a service with its own database and namespace, so that rounds see only its rows."""
    async with idle_service(postgres, temporal) as service, work(service):
        yield service.database.url.render_as_string(hide_password=False), service
