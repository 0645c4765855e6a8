"""/api/commerces/{id}/users: the users of a commerce, their roles and contacts."""

from collections.abc import Callable, Mapping
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from api.commerces.commerces import require_commerce
from api.commerces.schemas import (
    CommerceUserCreate,
    CommerceUserRead,
    CommerceUserUpdate,
    ContactCreate,
    RoleCreate,
    contact_id,
)
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanManage, Opened, Resources
from api.http.errors import AlreadyExists, CommerceNotFound, LimitReached, NotFound, problem_responses
from api.http.limits import limit_reached, require_within
from api.http.pages import CursorQuery, ListKey, Page, read_page
from db.commerces import count_users_statement, is_user_of
from db.models import CommerceUser
from db.rows import CLOCK
from workflows.tenant_limits import CONTACTS_OF_USER, USERS_OF_COMMERCE
from workflows.words import Role

router = APIRouter(prefix="/api/commerces/{commerce_id}/users", tags=["commerces"])

Change = Callable[[RowMapping], Mapping[str, object]]
"""Computes the columns to write from the stored user."""


@router.get("", responses=problem_responses(CommerceNotFound))
async def list_users(
    caller: CanManage, opened: Opened, commerce_id: UUID, query: Annotated[CursorQuery, Query()]
) -> Page[CommerceUserRead]:
    """List the users of a commerce, by external id."""
    users = CommerceUser.__table__
    statement = select(users).where(is_user_of(caller.tenant_id, commerce_id))
    async with opened.database.autocommit.connect() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id)
    return await read_page(opened.database, statement, query, CommerceUserRead.of, key=ListKey(users.c.external_id))


@router.post(
    "",
    status_code=201,
    responses=problem_responses(CommerceNotFound, AlreadyExists, LimitReached),
)
async def create_user(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    body: Json[CommerceUserCreate],
) -> CommerceUserRead:
    """Create a user of a commerce. Without an `external_id` the user's id is used."""
    user_id = uuid4()
    external_id = body.external_id or str(user_id)
    values = body.model_dump(mode="json") | {"external_id": external_id, "name": body.name or external_id}
    statement = (
        insert(CommerceUser)
        .values(tenant_id=caller.tenant_id, id=user_id, commerce_id=commerce_id, **values)
        .on_conflict_do_nothing(index_elements=["tenant_id", "commerce_id", "external_id"])
        .returning(*CommerceUser.__table__.columns)
    )
    limit = await opened.quotas.find_limit(caller.tenant_id, USERS_OF_COMMERCE)
    async with opened.database.transactions.begin() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise AlreadyExists(f"The commerce has a user with the external id {external_id!r} already.")
        count = count_users_statement(caller.tenant_id, commerce_id)
        await require_within(connection, limit, count, "The commerce")
    return CommerceUserRead.of(row)


@router.patch(
    "/{user_id}",
    responses=problem_responses(CommerceNotFound, NotFound),
)
async def update_user(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[CommerceUserUpdate],
) -> CommerceUserRead:
    """Change or deactivate a user. Target users that were found before stay as they are."""
    return await _change_user(opened, caller, commerce_id, user_id, lambda _: body.changes())


@router.post(
    "/{user_id}/roles",
    status_code=201,
    responses=problem_responses(CommerceNotFound, NotFound),
)
async def add_role(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[RoleCreate],
) -> CommerceUserRead:
    """Give a user a role. It is no error if the user has it already."""
    return await _change_user(
        opened, caller, commerce_id, user_id, lambda user: {"roles": sorted({*user["roles"], body.role.value})}
    )


@router.delete("/{user_id}/roles/{role}", status_code=204, responses=problem_responses(CommerceNotFound, NotFound))
async def remove_role(caller: CanManage, opened: Opened, commerce_id: UUID, user_id: UUID, role: Role) -> None:
    """Remove a role from a user. It is no error if the user doesn't have it."""
    await _change_user(
        opened, caller, commerce_id, user_id, lambda user: {"roles": [one for one in user["roles"] if one != role]}
    )


@router.post(
    "/{user_id}/contacts",
    status_code=201,
    responses=problem_responses(CommerceNotFound, NotFound, AlreadyExists, LimitReached),
)
async def add_contact(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[ContactCreate],
) -> CommerceUserRead:
    """Add a contact to a user. A primary contact replaces the primary one of its type."""
    added = body.model_dump(mode="json")

    def append_contact(user: RowMapping) -> Mapping[str, object]:
        if any(contact_id(user_id, one) == contact_id(user_id, added) for one in user["contacts"]):
            raise AlreadyExists("The user has this contact already.")
        kept = [
            one | {"is_primary": False} if body.is_primary and one["contact_type"] == body.contact_type else one
            for one in user["contacts"]
        ]
        if len(kept) >= CONTACTS_OF_USER.most:
            raise limit_reached(CONTACTS_OF_USER, "The user")
        return {"contacts": [*kept, added]}

    return await _change_user(opened, caller, commerce_id, user_id, append_contact)


@router.delete(
    "/{user_id}/contacts/{contact}", status_code=204, responses=problem_responses(CommerceNotFound, NotFound)
)
async def remove_contact(caller: CanManage, opened: Opened, commerce_id: UUID, user_id: UUID, contact: UUID) -> None:
    """Remove a contact from a user."""

    def drop_contact(user: RowMapping) -> Mapping[str, object]:
        kept = [one for one in user["contacts"] if contact_id(user_id, one) != contact]
        if len(kept) == len(user["contacts"]):
            raise NotFound(f"The user has no contact {contact}.")
        return {"contacts": kept}

    await _change_user(opened, caller, commerce_id, user_id, drop_contact)


async def _change_user(
    opened: Resources, caller: Caller, commerce_id: UUID, user_id: UUID, change: Change
) -> CommerceUserRead:
    users = CommerceUser.__table__
    this = (is_user_of(caller.tenant_id, commerce_id), users.c.id == user_id)
    async with opened.database.transactions.begin() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
        row = (await connection.execute(select(users).where(*this))).mappings().one_or_none()
        if row is None:
            raise NotFound(f"The commerce has no user {user_id}.")
        values = {name: value for name, value in change(row).items() if row[name] != value}
        if values:
            written = update(CommerceUser).where(*this).values(**values, updated_at=CLOCK).returning(users)
            row = (await connection.execute(written)).mappings().one()
    return CommerceUserRead.of(row)
