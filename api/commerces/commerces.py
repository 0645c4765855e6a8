"""/api/commerces: list, retrieve and change commerces."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commerces.schemas import CommerceDetailRead, CommerceRead, CommerceUpdate, CommerceUserRead
from api.http.bodies import Json, validation_problem
from api.http.dependencies import CanManage, Opened
from api.http.errors import CommerceNotFound, problem_responses
from api.http.pages import CursorQuery, ListKey, Page, Searched, contains_pattern, read_page
from db.commerces import count_users_statement, is_too_long, is_user_of
from db.models import Commerce, CommerceUser
from db.rows import CLOCK, fetch_page
from workflows.messages import Fault
from workflows.tenant_limits import LISTED_USERS, METADATA_BYTES, METADATA_VALUES

router = APIRouter(prefix="/api/commerces", tags=["commerces"])


class CommerceQuery(CursorQuery):
    """The commerces to return."""

    search: Searched | None = None
    external_id: Searched | None = None
    global_external_id: Searched | None = None
    is_active: bool | None = None


@router.get("", responses=problem_responses())
async def list_commerces(
    caller: CanManage, opened: Opened, query: Annotated[CommerceQuery, Query()]
) -> Page[CommerceRead]:
    """List the tenant's commerces, by external id. `search` finds a text in name and external id, in any case."""
    statement = select(Commerce.__table__).where(
        Commerce.tenant_id == caller.tenant_id, Commerce.erased_at.is_(None), *_filters(query)
    )
    async with opened.turns.reading_whole(caller.tenant_id):
        return await read_page(
            opened.database,
            statement,
            query,
            CommerceRead.model_validate,
            key=ListKey(Commerce.__table__.c.external_id),
        )


def _filters(query: CommerceQuery) -> list[ColumnElement[bool]]:
    filters = [
        column == wanted
        for column, wanted in (
            (Commerce.external_id, query.external_id),
            (Commerce.global_external_id, query.global_external_id),
            (Commerce.is_active, query.is_active),
        )
        if wanted is not None
    ]
    if query.search is not None:
        pattern = contains_pattern(query.search)
        filters.append(or_(Commerce.name.ilike(pattern), Commerce.external_id.ilike(pattern)))
    return filters


@router.get("/{commerce_id}", responses=problem_responses(CommerceNotFound))
async def get_commerce(caller: CanManage, opened: Opened, commerce_id: UUID) -> CommerceDetailRead:
    """Retrieve a commerce, active or not, with its addresses and its first 100 users by external id.

    They are fewer if they have many bytes. `GET …/users` lists all of them.
    """
    async with opened.database.autocommit.connect() as connection:
        return await _read_detail(connection, caller.tenant_id, commerce_id)


@router.patch(
    "/{commerce_id}",
    responses=problem_responses(CommerceNotFound),
)
async def update_commerce(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    body: Json[CommerceUpdate],
) -> CommerceDetailRead:
    """Change or deactivate a commerce.

    `metadata` is merged: keys that the request doesn't name stay, and the whole may have 512 KB. Activities of a
    deactivated commerce stay, too.
    """
    values: dict[str, object] = body.changes()
    if "metadata" in values:
        values["metadata"] = Commerce.metadata_.concat(values["metadata"])
    statement = (
        update(Commerce.__table__)  # type: ignore[arg-type]  # a mapped class's table, whatever its declared type
        .where(_is_commerce(caller.tenant_id, commerce_id))
        .values(**values, updated_at=CLOCK)
        .returning(is_too_long(Commerce.metadata_))
    )
    async with opened.database.transactions.begin() as connection:
        if values:
            await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
            is_refused = (await connection.execute(statement)).scalar_one()
            if "metadata" in values and is_refused:
                raise validation_problem([metadata_fault()])  # the transaction ends without the change
        return await _read_detail(connection, caller.tenant_id, commerce_id)


def metadata_fault() -> Fault:
    """Return the fault of metadata that would be too long after merging."""
    return Fault(
        pointer="/metadata",
        detail=f"Merged into what is stored, this has more than {METADATA_VALUES:,} values or more than"
        f" {METADATA_BYTES:,} bytes. Send null or shorter values for keys that are not needed.",
    )


def _is_commerce(tenant_id: UUID, commerce_id: UUID) -> ColumnElement[bool]:
    """Match the commerce, unless its personal data was erased."""
    return and_(Commerce.tenant_id == tenant_id, Commerce.id == commerce_id, Commerce.erased_at.is_(None))


async def require_commerce(
    connection: AsyncConnection, tenant_id: UUID, commerce_id: UUID, *, lock: bool = False
) -> None:
    """Raise `CommerceNotFound` unless the tenant has the commerce.

    With `lock`, wait for a synchronization of the commerce, which would otherwise overwrite the caller's change.
    """
    statement = select(Commerce.id).where(_is_commerce(tenant_id, commerce_id))
    statement = statement.with_for_update(key_share=True) if lock else statement
    if (await connection.execute(statement)).one_or_none() is None:
        raise CommerceNotFound(f"This tenant has no commerce {commerce_id}.")


async def _read_detail(connection: AsyncConnection, tenant_id: UUID, commerce_id: UUID) -> CommerceDetailRead:
    commerce = await connection.execute(select(Commerce.__table__).where(_is_commerce(tenant_id, commerce_id)))
    row = commerce.mappings().one_or_none()
    if row is None:
        raise CommerceNotFound(f"This tenant has no commerce {commerce_id}.")
    total = (await connection.execute(count_users_statement(tenant_id, commerce_id))).scalar_one()
    users_of = select(CommerceUser.__table__).where(is_user_of(tenant_id, commerce_id))
    first = users_of.order_by(CommerceUser.external_id).limit(LISTED_USERS)
    users, _ = await fetch_page(connection, first, LISTED_USERS)
    listed = []
    for user in users:
        listed.append(CommerceUserRead.of(user))
        await asyncio.sleep(0)  # one with 100 contacts takes half a millisecond: others have their turn
    return CommerceDetailRead.model_validate({**row, "users": listed, "users_total": total})
