"""/api/commerces/{id}/contact-log: read and replace the record of contacts, which LAST_CONTACTED criteria use."""

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commerces.commerces import require_commerce
from api.commerces.schemas import ExternalId
from api.http.bodies import (
    BULK_BODY_BYTES,
    JsonBody,
    check,
    check_each,
    parse_json,
    validation_problem,
)
from api.http.dependencies import CanManage, Opened
from api.http.errors import CommerceNotFound, problem_responses
from api.http.fields import Answer, Instant, PastTime, RequestBody, Time
from api.http.pages import Page, PageQuery, read_page
from db.commerces import ADD_CONTACTS_STATEMENT, REMOVE_OTHER_CONTACTS_STATEMENT, is_user_of
from db.models import CommerceUser, ContactLogEntry
from workflows.messages import Fault
from workflows.tenant_limits import CONTACT_LOG_VALUES
from workflows.words import Channel

ENTRIES = 10_000

router = APIRouter(prefix="/api/commerces/{commerce_id}/contact-log", tags=["commerces"])


class ContactLogEntryPut(RequestBody):
    """A contact with a user. Name the user by `commerce_user_id` or by `user_external_id`."""

    commerce_user_id: UUID | None = None
    user_external_id: ExternalId | None = None
    channel: Channel
    contacted_at: PastTime

    @model_validator(mode="after")
    def names_one_user(self) -> Self:
        """Require exactly one of the two ids."""
        if (self.commerce_user_id is None) == (self.user_external_id is None):
            msg = "name the user by either commerce_user_id or user_external_id"
            raise ValueError(msg)
        return self


class ContactLogPut(RequestBody):
    """The whole contact log of a commerce."""

    entries: Annotated[list[ContactLogEntryPut], Field(max_length=ENTRIES)]


class _Envelope(RequestBody):
    """The contact log before its entries are checked, each alone."""

    entries: Annotated[list[object], Field(max_length=ENTRIES)]


class ContactLogBody(JsonBody[ContactLogPut]):
    """Dependency that reads a contact log, in a thread: checking its entries takes long."""

    async def __call__(self, request: Request) -> ContactLogPut:
        """Return the parsed body."""
        return await asyncio.to_thread(_parse_log, await self.read(request))


def _parse_log(content: bytes) -> ContactLogPut:
    data, unstorable = parse_json(content)
    envelope, faults = check(_Envelope, data)
    if envelope is not None:
        entries, faults = check_each(ContactLogEntryPut, envelope.entries, "/entries")
    if unstorable or faults:
        raise validation_problem(unstorable + faults)
    return ContactLogPut.model_construct(entries=entries)


class ContactLogPutRead(Answer):
    """The number of entries that were added and removed."""

    added: int
    removed: int


class ContactLogEntryRead(Answer):
    """A contact with a user."""

    id: UUID
    commerce_user_id: UUID
    user_external_id: str
    channel: Channel
    contacted_at: Instant


class ContactLogQuery(PageQuery):
    """The contacts to return."""

    commerce_user_id: UUID | None = None
    channel: Channel | None = None
    contacted_from: Time | None = None
    contacted_to: Time | None = None


@router.get("", responses=problem_responses(CommerceNotFound))
async def get_contact_log(
    caller: CanManage, opened: Opened, commerce_id: UUID, query: Annotated[ContactLogQuery, Query()]
) -> Page[ContactLogEntryRead]:
    """List the contacts, the latest first. `contacted_from` is inclusive, `contacted_to` is exclusive."""
    statement = (
        select(ContactLogEntry.__table__, CommerceUser.external_id.label("user_external_id"))
        .join_from(
            ContactLogEntry,
            CommerceUser,
            (CommerceUser.tenant_id == ContactLogEntry.tenant_id)
            & (CommerceUser.id == ContactLogEntry.commerce_user_id),
        )
        .where(
            ContactLogEntry.tenant_id == caller.tenant_id, ContactLogEntry.commerce_id == commerce_id, *_filters(query)
        )
        .order_by(ContactLogEntry.contacted_at.desc(), ContactLogEntry.id)
    )
    async with opened.database.autocommit.connect() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id)
    return await read_page(opened.database, statement, query, ContactLogEntryRead.model_validate)


def _filters(query: ContactLogQuery) -> Iterator[ColumnElement[bool]]:
    if query.commerce_user_id is not None:
        yield ContactLogEntry.commerce_user_id == query.commerce_user_id
    if query.channel is not None:
        yield ContactLogEntry.channel == query.channel
    if query.contacted_from is not None:
        yield ContactLogEntry.contacted_at >= query.contacted_from
    if query.contacted_to is not None:
        yield ContactLogEntry.contacted_at < query.contacted_to


@router.put(
    "",
    responses=problem_responses(CommerceNotFound),
)
async def put_contact_log(
    caller: CanManage,
    opened: Opened,
    commerce_id: UUID,
    body: Annotated[ContactLogPut, Depends(ContactLogBody(ContactLogPut, BULK_BODY_BYTES, CONTACT_LOG_VALUES))],
) -> ContactLogPutRead:
    """Replace the commerce's contact log. Repeated entries count once. Sending the same log again changes nothing."""
    async with opened.database.transactions.begin() as connection:
        await require_commerce(connection, caller.tenant_id, commerce_id, lock=True)
        users = await _read_user_ids(connection, caller.tenant_id, commerce_id)
        rows = await asyncio.to_thread(_compose_rows, body.entries, users)  # they may be 10,000
        sent = {"tenant": caller.tenant_id, "commerce": commerce_id, "rows": rows}
        removed = (await connection.execute(REMOVE_OTHER_CONTACTS_STATEMENT, sent)).scalar_one()
        added = (await connection.execute(ADD_CONTACTS_STATEMENT, sent)).scalar_one()
    return ContactLogPutRead(added=added, removed=removed)


async def _read_user_ids(connection: AsyncConnection, tenant_id: UUID, commerce_id: UUID) -> dict[UUID | str, str]:
    """Return the ids of the commerce's users, by id and by external id."""
    rows = await connection.execute(
        select(CommerceUser.id, CommerceUser.external_id).where(is_user_of(tenant_id, commerce_id))
    )
    return {name: str(row.id) for row in rows for name in (row.id, row.external_id)}


def _compose_rows(entries: list[ContactLogEntryPut], users: dict[UUID | str, str]) -> str:
    """Return the rows to write, as a JSON array."""
    rows, faults = [], []
    for index, entry in enumerate(entries):
        named = "commerce_user_id" if entry.commerce_user_id is not None else "user_external_id"
        user_id = users.get(entry.commerce_user_id or entry.user_external_id or "")
        if user_id is None:
            faults.append(Fault(pointer=f"/entries/{index}/{named}", detail="The commerce has no user with this id."))
            continue
        contacted_at = entry.contacted_at.isoformat()
        rows.append({"commerce_user_id": user_id, "channel": entry.channel.value, "contacted_at": contacted_at})
    if faults:
        raise validation_problem(faults)
    return json.dumps(rows)
