"""The check of a tenant's limits where a request adds rows."""

from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.errors import LimitReached
from db.rows import Rows
from workflows.tenant_limits import Limit


async def require_within(connection: AsyncConnection, limit: Limit, count: Rows, owner: str) -> None:
    """Raise `LimitReached` if there are more rows than the limit; the transaction then takes the added ones back.

    The caller holds a lock for which others who add such rows wait. `owner` begins the sentence: "This tenant".
    """
    if (await connection.execute(count)).scalar_one() > limit.most:
        raise limit_reached(limit, owner)


def limit_reached(limit: Limit, owner: str) -> LimitReached:
    """Return the problem of a request that would exceed a limit."""
    return LimitReached(describe_limit(limit, owner), members={"limit": {"name": limit.name, "most": limit.most}})


def describe_limit(limit: Limit, owner: str) -> str:
    """Describe in a sentence which limit is reached, and what to do."""
    noun = limit.name.split("_of_")[0].replace("_", " ")
    return f"{owner} has the {limit.most:,} {noun} that it may have at most. {limit.way_out}"
