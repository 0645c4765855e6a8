"""The tenant for which a task acts, and the connections that see the rows of that tenant alone.

Authentication, a step of the worker, or a row of reconciliation sets it, and no statement can choose another.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Self
from uuid import UUID

from psycopg import AsyncConnection, AsyncCursor
from psycopg.abc import Params
from psycopg.pq import TransactionStatus

from db.roles import TENANT_SETTING

_current: ContextVar[UUID | None] = ContextVar("tenant", default=None)

_SET_TENANT = f"SELECT set_config('{TENANT_SETTING}', %s, true)"


def act_for(tenant_id: UUID | None) -> None:
    """Make connections that the task takes from now on see this tenant's rows; None: no rows."""
    _current.set(tenant_id)


@contextmanager
def acting_for(tenant_id: UUID) -> Iterator[None]:
    """Act for a tenant until the block ends."""
    before = _current.set(tenant_id)
    try:
        yield
    finally:
        _current.reset(before)


_KEY = "tenant_id"
"""The attribute of a connection that holds its tenant. No class of our own: tracing replaces what opens connections."""


def take_connection(connection: AsyncConnection[Any]) -> None:
    """Give the connection the tenant of the task, at check-out."""
    vars(connection)[_KEY] = _current.get()


def put_connection_back(connection: AsyncConnection[Any]) -> None:
    """Clear the connection's tenant at return: a transaction that begins afterwards sees no rows."""
    vars(connection).pop(_KEY, None)


class TenantCursor(AsyncCursor[Any]):
    """Sends the tenant before the first statement of each transaction, in the same round trip.

    In autocommit a pipeline is one transaction on the server, so that the setting ends with the statement.
    """

    async def execute(self, query: Any, params: Params | None = None, **options: Any) -> Self:
        """Execute as the base class does."""
        async with self._showing_tenant():
            await super().execute(query, params, **options)
        return self

    async def executemany(self, query: Any, params_seq: Iterable[Params], **options: Any) -> None:
        """Execute as the base class does."""
        async with self._showing_tenant():
            await super().executemany(query, params_seq, **options)

    @asynccontextmanager
    async def _showing_tenant(self) -> AsyncIterator[None]:
        connection = self.connection
        tenant_id = vars(connection).get(_KEY)
        if tenant_id is None or connection.info.transaction_status is not TransactionStatus.IDLE:
            yield
            return
        async with connection.pipeline():
            await AsyncCursor(connection).execute(_SET_TENANT, (str(tenant_id),), prepare=True)
            yield
