"""Read PostgreSQL's plan of a statement, estimated or executed, as a role plans it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.roles import API, TENANT_SETTING

WITHOUT_LIMITS = text("SELECT set_config('statement_timeout', '0', true), set_config('transaction_timeout', '0', true)")
"""For transactions that fill or read many rows, which a busy machine may take minutes for."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The whole tree of an EXPLAIN in JSON."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@contextmanager
def planning_in(connection: Connection, tenant_id: UUID, role: str = API) -> Iterator[None]:
    """Act as a role of the service in a tenant until the block ends: its policies are a part of its plans."""
    before = connection.execute(select(func.current_setting(TENANT_SETTING, True))).scalar_one()  # noqa: FBT003 - SQL's
    connection.execute(
        select(func.set_config("role", role, False), func.set_config(TENANT_SETTING, str(tenant_id), False))  # noqa: FBT003 - SQL's
    )
    yield
    connection.execute(text("RESET ROLE"))
    connection.execute(select(func.set_config(TENANT_SETTING, before or "", False)))  # noqa: FBT003 - SQL's


@asynccontextmanager
async def planning_as(connection: AsyncConnection, tenant_id: UUID, role: str = API) -> AsyncIterator[None]:
    """Act as `planning_in` does."""
    with ExitStack() as acting:
        await connection.run_sync(lambda plain: acting.enter_context(planning_in(plain, tenant_id, role)))
        yield
        await connection.run_sync(lambda _: acting.close())
