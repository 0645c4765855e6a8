"""/api/activity-config/attribute-keys: the keys that attributes may have."""

from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from api.configuration.catalogues import Code
from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import AlreadyExists, LimitReached, NotFound, problem_responses
from api.http.fields import Answer, PartialUpdate, RequestBody, Text
from api.http.limits import require_within
from api.http.pages import CursorQuery, ListKey, Page, Searched, contains_pattern, read_page
from db.limits import count_statement
from db.models import AttributeKey
from db.rows import ADVISORY_LOCK_STATEMENT, lock_parameters
from workflows.tenant_limits import ATTRIBUTE_KEYS

router = APIRouter(prefix="/api/activity-config/attribute-keys", tags=["configuration"])


class AttributeKeyCreate(RequestBody):
    """A new attribute key."""

    key: Code
    label: Text
    description: Text | None = None


class AttributeKeyUpdate(PartialUpdate):
    """Changes to a key's label or description. The key itself never changes."""

    clearable: ClassVar[frozenset[str]] = frozenset({"description"})

    label: Text | None = None
    description: Text | None = None


class AttributeKeyRead(Answer):
    """An attribute key."""

    id: UUID
    key: str
    label: str
    description: str | None


class AttributeKeyQuery(CursorQuery):
    """The keys to return."""

    search: Searched | None = Field(default=None, description="Find this text in key and label, in any case.")


@router.get("", responses=problem_responses())
async def list_attribute_keys(
    caller: CanView, opened: Opened, query: Annotated[AttributeKeyQuery, Query()]
) -> Page[AttributeKeyRead]:
    """List the attribute keys, by key."""
    statement = select(AttributeKey.__table__).where(AttributeKey.tenant_id == caller.tenant_id)
    if query.search is not None:
        pattern = contains_pattern(query.search)
        statement = statement.where(or_(AttributeKey.key.ilike(pattern), AttributeKey.label.ilike(pattern)))
    return await read_page(
        opened.database, statement, query, AttributeKeyRead.model_validate, key=ListKey(AttributeKey.__table__.c.key)
    )


@router.post(
    "",
    status_code=201,
    responses=problem_responses(AlreadyExists, LimitReached),
)
async def create_attribute_key(
    caller: CanConfigure,
    opened: Opened,
    body: Json[AttributeKeyCreate],
) -> AttributeKeyRead:
    """Add an attribute key. Requests may then ask for its value or provide it."""
    statement = (
        insert(AttributeKey)
        .values(tenant_id=caller.tenant_id, **body.model_dump())
        .on_conflict_do_nothing()
        .returning(*AttributeKey.__table__.columns)
    )
    limit = await opened.quotas.find_limit(caller.tenant_id, ATTRIBUTE_KEYS)
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters("attribute keys", caller.tenant_id))
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise AlreadyExists(f"This tenant has the attribute key {body.key!r} already: change that one.")
        count = count_statement(AttributeKey, caller.tenant_id)
        await require_within(connection, limit, count, "This tenant")
    return AttributeKeyRead.model_validate(row)


@router.patch(
    "/{key}",
    responses=problem_responses(NotFound),
)
async def update_attribute_key(
    caller: CanConfigure,
    opened: Opened,
    key: Annotated[Code, Path()],
    body: Json[AttributeKeyUpdate],
) -> AttributeKeyRead:
    """Change the label or the description of an attribute key."""
    statement = (
        update(AttributeKey)
        .where(AttributeKey.tenant_id == caller.tenant_id, AttributeKey.key == key)
        .values(key=AttributeKey.key, **body.changes())
        .returning(*AttributeKey.__table__.columns)
    )
    async with opened.database.begin_as(caller.subject) as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"This tenant has no attribute key {key!r}.")
    return AttributeKeyRead.model_validate(row)
