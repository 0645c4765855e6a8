"""/api/quotas: the limits of the caller's tenant."""

from fastapi import APIRouter
from pydantic import Field

from api.http.dependencies import CanView, Opened
from api.http.errors import problem_responses
from api.http.fields import Answer
from workflows.tenant_limits import QUOTAS

router = APIRouter(prefix="/api/quotas", tags=["configuration"])


class QuotaRead(Answer):
    """A limit that operators can set for a tenant."""

    name: str = Field(examples=["requests_per_second"])
    value: int | None = Field(description="The number in force; null if there is no limit.")
    default: int | None
    description: str


class QuotasRead(Answer):
    """The tenant's quotas."""

    data: list[QuotaRead]


@router.get("", responses=problem_responses())
async def get_quotas(caller: CanView, opened: Opened) -> QuotasRead:
    """List the tenant's quotas. An operator can change them; a change is in force within 30 seconds."""
    return QuotasRead(
        data=[
            QuotaRead(
                name=quota.name,
                value=await opened.quotas.find(caller.tenant_id, quota),
                default=quota.default,
                description=quota.description,
            )
            for quota in QUOTAS.values()
        ]
    )
