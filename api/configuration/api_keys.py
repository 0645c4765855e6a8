"""/api/api-keys: the API keys of a tenant, which machines send in place of tokens."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field
from sqlalchemy import insert

from api.http.api_keys import SHOWN_CHARACTERS, draw_key, hash_key
from api.http.auth import NEVER_OF_KEYS, Caller, Permission
from api.http.bodies import Json
from api.http.dependencies import CanManageKeys, Opened
from api.http.errors import LimitReached, NotFound, PermissionDenied, problem_responses
from api.http.fields import Answer, Instant, RequestBody, Text, Time, distinct
from api.http.limits import require_within
from api.http.pages import Page, PageQuery, read_page
from db.api_keys import count_keys_statement, list_keys_statement, revoke_statement
from db.models import ApiKey
from db.rows import ADVISORY_LOCK_STATEMENT, lock_parameters
from workflows.tenant_limits import API_KEYS

router = APIRouter(prefix="/api/api-keys", tags=["API keys"])


def _require_givable(permission: Permission) -> Permission:
    if permission in NEVER_OF_KEYS:
        msg = f"can't be {permission}: no API key may have it"
        raise ValueError(msg)
    return permission


def _require_future(value: datetime) -> datetime:
    if value <= datetime.now(UTC):
        msg = "must lie in the future"
        raise ValueError(msg)
    return value


class ApiKeyCreate(RequestBody):
    """A new API key of the tenant, with a part of the permissions that its creator has now."""

    name: Text = Field(description="The machine or the purpose that it is for.")
    permissions: Annotated[
        list[Annotated[Permission, AfterValidator(_require_givable)]],
        Field(min_length=1, max_length=len(Permission)),
        distinct("permission", str),
    ] = Field(description=f"Not {', '.join(sorted(NEVER_OF_KEYS & set(Permission)))}.")
    expires_at: Annotated[Time, AfterValidator(_require_future)] | None = Field(
        default=None, description="The time from which it is refused. Without it the key is valid until it is revoked."
    )


class ApiKeyRead(Answer):
    """An API key, without its text."""

    id: UUID
    name: str
    key_prefix: str = Field(description="The beginning of its text.", examples=["rtn_sk_3fN0a_"])
    permissions: list[str] = Field(description="The permissions of a request with it.")
    created_by: str = Field(description="The subject who created it.")
    created_at: Instant
    expires_at: Instant | None = Field(description="The time from which it is refused; null if there is none.")
    last_used_at: Instant | None = Field(description="The time of its last use, exact to a minute.")


class ApiKeyCreatedRead(ApiKeyRead):
    """A new API key with its text."""

    plaintext_key: str = Field(description="The key. It is not stored and never shown again.")


@router.get("", responses=problem_responses())
async def list_api_keys(
    caller: CanManageKeys, opened: Opened, query: Annotated[PageQuery, Query()]
) -> Page[ApiKeyRead]:
    """List the tenant's API keys, the newest first. A revoked one is no longer among them."""
    return await read_page(opened.database, list_keys_statement(caller.tenant_id), query, ApiKeyRead.model_validate)


@router.post("", status_code=201, responses=problem_responses(LimitReached))
async def create_api_key(caller: CanManageKeys, opened: Opened, body: Json[ApiKeyCreate]) -> ApiKeyCreatedRead:
    """Create an API key. Only this answer has its text.

    The key keeps its permissions when its creator loses them: revoke it then.
    """
    _require_own(caller, body.permissions)
    text = draw_key()
    statement = (
        insert(ApiKey)
        .values(
            tenant_id=caller.tenant_id,
            key_hash=hash_key(text),
            key_prefix=text[:SHOWN_CHARACTERS],
            created_by=caller.subject,
            **body.model_dump(),
        )
        .returning(*ApiKey.__table__.columns)
    )
    limit = await opened.quotas.find_limit(caller.tenant_id, API_KEYS)
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters("API keys", caller.tenant_id))
        row = (await connection.execute(statement)).mappings().one()
        await require_within(connection, limit, count_keys_statement(caller.tenant_id), "This tenant")
    return ApiKeyCreatedRead.model_validate({**row, "plaintext_key": text})


@router.delete("/{key_id}", status_code=204, responses=problem_responses(NotFound))
async def revoke_api_key(
    caller: CanManageKeys, opened: Opened, key_id: Annotated[UUID, Path(description="The id of the API key.")]
) -> None:
    """Revoke an API key. From ten seconds later at the latest every request with it is 401."""
    async with opened.database.begin_as(caller.subject) as connection:
        revoked = await connection.execute(revoke_statement(caller.tenant_id, key_id))
    opened.api_keys.forget(key_id)
    if not revoked.rowcount:
        raise NotFound(f"This tenant has no API key {key_id}.")


def _require_own(caller: Caller, permissions: list[Permission]) -> None:
    lacking = [str(one) for one in permissions if not caller.may(one)]
    if lacking:
        raise PermissionDenied(
            f"You can't give an API key permissions that you lack in tenant {caller.tenant_id}: {', '.join(lacking)}."
        )
