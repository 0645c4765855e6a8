"""/api/audit: the changes of a tenant's configuration, pause, quotas and API keys."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, field_validator
from sqlalchemy import select

from api.http.dependencies import CanOperate, Opened
from api.http.errors import problem_responses
from api.http.fields import Answer, Instant, Time, format_times
from api.http.pages import CursorQuery, ListKey, Page, Searched, read_page
from db.models import AuditEntry
from workflows.words import AuditedResource

router = APIRouter(prefix="/api/audit", tags=["audit"])


class AuditQuery(CursorQuery):
    """The entries to return."""

    resource: AuditedResource | None = Field(default=None, description="The kind of the changed resource.")
    resource_key: Searched | None = Field(default=None, description="The code, key, name or id of the resource.")
    actor: Searched | None = Field(default=None, description="The actor of the change.")
    occurred_from: Time | None = Field(default=None, description="Inclusive.")
    occurred_to: Time | None = Field(default=None, description="Exclusive.")


class AuditEntryRead(Answer):
    """A change. `before` and `after` have the members of requests; one is null if the resource was not there."""

    id: UUID
    occurred_at: Instant
    actor: str = Field(
        description="The subject of the token, `key:` and the id of an API key, or the name that an operator gave."
        " `role:` and a role of PostgreSQL if the change was made neither by the API nor by `operate.py`."
    )
    resource: AuditedResource = Field(description="The kind of the changed resource.")
    resource_key: str | None = Field(description="The resource's code, key, name or id; null if there is only one.")
    before: dict[str, Any] | None = Field(description="The resource before the change; null if it was not there.")
    after: dict[str, Any] | None = Field(description="The resource after the change; null if it is gone.")

    @field_validator("before", "after")
    @classmethod
    def format_times(cls, resource: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write times as in all answers."""
        return resource and format_times(resource, ("created_at", "expires_at", "paused_at"))


@router.get("", responses=problem_responses())
async def list_audit_entries(
    caller: CanOperate, opened: Opened, query: Annotated[AuditQuery, Query()]
) -> Page[AuditEntryRead]:
    """List the changes of the tenant's configuration, pause, quotas and API keys, the latest first."""
    statement = select(AuditEntry.__table__).where(AuditEntry.tenant_id == caller.tenant_id)
    equal: dict[str, Any] = query.model_dump(include={"resource", "resource_key", "actor"}, exclude_none=True)
    statement = statement.filter_by(**equal)
    if query.occurred_from is not None:
        statement = statement.where(AuditEntry.occurred_at >= query.occurred_from)
    if query.occurred_to is not None:
        statement = statement.where(AuditEntry.occurred_at < query.occurred_to)
    key = ListKey(AuditEntry.__table__.c.id, descending=True)
    async with opened.turns.reading_whole(caller.tenant_id):
        return await read_page(opened.database, statement, query, AuditEntryRead.model_validate, key=key)
