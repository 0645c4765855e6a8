"""/api/commerces/{id}/users: the people at a commerce, their roles and by what they can be reached."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from sqlalchemy import Row, func, select, update
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
from api.http.errors import AlreadyExists, CommerceNotFound, NotFound, documented
from db.models import CommerceUser
from workflows.words import Role

router = APIRouter(prefix="/api/commerces/{commerce_id}/users", tags=["commerces"])

Change = Callable[[Row[*tuple[Any, ...]]], dict[str, Any]]
"""What becomes of a stored user: the columns to write."""


@router.post(
    "",
    status_code=201,
    responses=documented(CommerceNotFound, AlreadyExists),
)
async def create_user(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    body: Json[CommerceUserCreate],
) -> CommerceUserRead:
    """Add a person to a commerce; without an external id they get one."""
    user_id = uuid4()
    external_id = body.external_id or str(user_id)
    values = body.model_dump(mode="json") | {"external_id": external_id, "name": body.name or external_id}
    statement = (
        insert(CommerceUser)
        .values(tenant_id=caller.tenant_id, id=user_id, commerce_id=commerce_id, **values)
        .on_conflict_do_nothing(index_elements=["tenant_id", "commerce_id", "external_id"])
        .returning(*CommerceUser.__table__.columns)
    )
    async with opened.database.transactions.begin() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise AlreadyExists(f"The commerce has a user with the external id {external_id!r}.")
    return CommerceUserRead.of(row)


@router.patch(
    "/{user_id}",
    responses=documented(CommerceNotFound, NotFound),
)
async def update_user(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[CommerceUserUpdate],
) -> CommerceUserRead:
    """Change or deactivate a person; targets that were found before stay as they are."""
    return await _change(opened, caller, commerce_id, user_id, lambda _: body.changes())


@router.post(
    "/{user_id}/roles",
    status_code=201,
    responses=documented(CommerceNotFound, NotFound),
)
async def add_role(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[RoleCreate],
) -> CommerceUserRead:
    """Give a person a role; they may have it already."""
    return await _change(
        opened, caller, commerce_id, user_id, lambda user: {"roles": sorted({*user.roles, body.role.value})}
    )


@router.delete("/{user_id}/roles/{role}", status_code=204, responses=documented(CommerceNotFound, NotFound))
async def remove_role(caller: CanManage, opened: Opened, commerce_id: UUID, user_id: UUID, role: Role) -> None:
    """Take a role from a person, whether they have it or not."""
    await _change(
        opened, caller, commerce_id, user_id, lambda user: {"roles": [one for one in user.roles if one != role]}
    )


@router.post(
    "/{user_id}/contacts",
    status_code=201,
    responses=documented(CommerceNotFound, NotFound, AlreadyExists),
)
async def add_contact(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    user_id: UUID,
    body: Json[ContactCreate],
) -> CommerceUserRead:
    """Add a way to reach a person; as the primary one of its type it takes the place of the one before."""
    added = body.model_dump(mode="json")

    def with_contact(user: Row[*tuple[Any, ...]]) -> dict[str, Any]:
        if any(contact_id(user_id, one) == contact_id(user_id, added) for one in user.contacts):
            raise AlreadyExists("The user has this contact.")
        kept = [
            one | {"is_primary": False} if body.is_primary and one["contact_type"] == body.contact_type else one
            for one in user.contacts
        ]
        return {"contacts": [*kept, added]}

    return await _change(opened, caller, commerce_id, user_id, with_contact)


@router.delete("/{user_id}/contacts/{contact}", status_code=204, responses=documented(CommerceNotFound, NotFound))
async def remove_contact(caller: CanManage, opened: Opened, commerce_id: UUID, user_id: UUID, contact: UUID) -> None:
    """Take a way to reach them from a person."""

    def without_contact(user: Row[*tuple[Any, ...]]) -> dict[str, Any]:
        kept = [one for one in user.contacts if contact_id(user_id, one) != contact]
        if len(kept) == len(user.contacts):
            raise NotFound(f"The user has no contact {contact}.")
        return {"contacts": kept}

    await _change(opened, caller, commerce_id, user_id, without_contact)


async def _change(
    opened: Resources, caller: Caller, commerce_id: UUID, user_id: UUID, change: Change
) -> CommerceUserRead:
    users = CommerceUser.__table__
    this = (users.c.tenant_id == caller.tenant_id, users.c.commerce_id == commerce_id, users.c.id == user_id)
    async with opened.database.transactions.begin() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
        row = (await connection.execute(select(users).where(*this))).one_or_none()
        if row is None:
            raise NotFound(f"The commerce has no user {user_id}.")
        values = {name: value for name, value in change(row).items() if row._mapping[name] != value}  # noqa: SLF001
        if values:
            written = update(CommerceUser).where(*this).values(**values, updated_at=func.now()).returning(users)
            row = (await connection.execute(written)).one()
    return CommerceUserRead.of(row)
