"""Read PostgreSQL's plan of a statement, estimated or executed, as a role plans it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.roles import API, TENANT_SETTING


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The whole tree of an EXPLAIN in JSON."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@contextmanager
def planned_as(connection: Connection, tenant_id: UUID, role: str = API) -> Iterator[None]:
    """Act as a role of the service in a tenant until the block ends: its policies are a part of its plans."""
    before = connection.execute(select(func.current_setting(TENANT_SETTING, True))).scalar_one()  # noqa: FBT003 - SQL's
    connection.execute(
        select(func.set_config("role", role, False), func.set_config(TENANT_SETTING, str(tenant_id), False))  # noqa: FBT003 - SQL's
    )
    yield
    connection.execute(text("RESET ROLE"))
    connection.execute(select(func.set_config(TENANT_SETTING, before or "", False)))  # noqa: FBT003 - SQL's


@asynccontextmanager
async def acting_as(connection: AsyncConnection, tenant_id: UUID, role: str = API) -> AsyncIterator[None]:
    """Act as `planned_as` does."""
    acting = planned_as(connection.sync_connection or connection, tenant_id, role)  # type: ignore[arg-type]
    await connection.run_sync(lambda _: acting.__enter__())
    yield
    await connection.run_sync(lambda _: acting.__exit__(None, None, None))
