"""The counts of rate limits, in a process's memory and while a shared store fails."""

from collections.abc import AsyncIterator
from io import StringIO
from uuid import uuid4

import pytest
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage

from api.http.quotas import Quotas
from api.http.rate_limits import MEMORY, RateLimits
from db.engine import Database, open_database
from workflows.tenant_limits import QUOTAS

LIMIT = RateLimitItemPerSecond(3, 100)


class FailingStorage(MemoryStorage):
    """A store that can't be reached."""

    STORAGE_SCHEME = ["async+failing"]  # noqa: RUF012 - as the library has it

    async def get(self, key: str) -> int:
        """Fail."""
        raise ValueError(key)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """A database that doesn't answer."""
    database = open_database("postgresql+psycopg://none@127.0.0.1:1/none")
    yield database
    await database.dispose()


@pytest.fixture
async def limits(database: Database) -> RateLimits:
    return RateLimits(MEMORY, Quotas(database))


async def test_a_tenant_has_its_number_in_a_window_and_no_more(limits: RateLimits) -> None:
    taken = [await limits.take(LIMIT, "lookups", "tenant") for _ in range(5)]
    assert [one.is_kept for one in taken] == [True] * 3 + [False] * 2
    assert [one.left for one in taken] == [2, 1, 0, 0, 0]
    assert all(1 <= one.seconds <= 100 for one in taken)


async def test_the_limit_of_one_tenant_is_not_another_tenants(limits: RateLimits) -> None:
    busy, other = str(uuid4()), str(uuid4())
    assert [(await limits.take(LIMIT, "lookups", busy)).is_kept for _ in range(4)] == [True, True, True, False]
    assert (await limits.take(LIMIT, "lookups", other)).is_kept


async def test_more_at_once_than_are_left_takes_none(limits: RateLimits) -> None:
    assert not (await limits.take(LIMIT, "items", "a", cost=4)).is_kept
    assert (await limits.take(LIMIT, "items", "a", cost=3)).is_kept


async def test_without_its_store_everything_is_allowed_and_the_log_says_so_once(
    database: Database, log: StringIO
) -> None:
    limits = RateLimits("async+failing://", Quotas(database))
    assert [(await limits.take(LIMIT, "requests", "a")).is_kept for _ in range(5)] == [True] * 5
    assert log.getvalue().count("rate limits are not in force") == 1


async def test_the_defaults_are_in_force_while_postgresql_does_not_answer(database: Database) -> None:
    quotas = Quotas(database)
    assert [await quotas.find(uuid4(), quota) for quota in QUOTAS.values()] == [one.default for one in QUOTAS.values()]
