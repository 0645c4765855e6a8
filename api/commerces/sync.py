"""POST /api/commerces/sync: create and update many commerces, with their addresses and users."""

import asyncio
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api.commerces.schemas import Addresses, Contacts, ExternalId, Metadata, Roles
from api.http.bodies import BULK_BODY_BYTES, UnreadBody, check, parse_json, parse_list, read_json
from api.http.dependencies import CanSync, Opened
from api.http.errors import ValidationFailed, problem_responses
from api.http.fields import LIST_LENGTH, Answer, Identifier, RequestBody, Text, distinct
from db.commerces import upsert_commerces
from workflows.messages import Fault

ITEMS = 1_000

router = APIRouter(prefix="/api/commerces", tags=["commerces"])


class CommerceUserSync(RequestBody):
    """A user of a commerce. Absent members stay as they are; `roles` and `contacts` are replaced as a whole."""

    external_id: ExternalId
    name: Text | None = None
    roles: Roles | None = None
    contacts: Contacts | None = None


class CommerceSyncItem(RequestBody):
    """A commerce. Absent members stay as they are, `metadata` is merged by key, and users that aren't named stay."""

    external_id: ExternalId
    name: Text
    tax_id: Identifier | None = None
    global_external_id: ExternalId | None = None
    metadata: Metadata | None = None
    addresses: Addresses | None = None
    users: Annotated[
        list[CommerceUserSync],
        Field(max_length=LIST_LENGTH),
        distinct("user's external_id", attrgetter("external_id")),
    ] = Field(default_factory=list)


class CommerceSync(RequestBody):
    """The commerces to create or update."""

    items: Annotated[list[CommerceSyncItem], Field(max_length=ITEMS)]


class _Envelope(RequestBody):
    """The body before its items are parsed: each item is validated alone."""

    items: Annotated[list[object], Field(max_length=ITEMS)]


class RejectedItemRead(Answer):
    """An item that was not written, and why. The pointers lead into the request's body."""

    index: int
    external_id: str | None
    errors: list[Fault]


class CommerceSyncRead(Answer):
    """The number of items by outcome, and the items that were not written."""

    created: int
    updated: int
    unchanged: int
    refused: list[RejectedItemRead]


@dataclass
class _Examined:
    """The rows to write, and the items that are not valid."""

    commerces: dict[str, dict[str, object]] = field(default_factory=dict)
    users: list[dict[str, object]] = field(default_factory=list)
    rejected: list[RejectedItemRead] = field(default_factory=list)


@router.post("/sync", responses=problem_responses())
async def sync_commerces(
    caller: CanSync, opened: Opened, request: Annotated[Request, Depends(UnreadBody(CommerceSync))]
) -> CommerceSyncRead:
    """Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not valid are
    listed in `refused`; the others are written. Sending the same items again changes nothing.
    """
    content = await read_json(request, BULK_BODY_BYTES)
    rows = await asyncio.to_thread(_examine, content)
    async with opened.database.transactions.begin() as connection:
        counts = await upsert_commerces(connection, caller.tenant_id, list(rows.commerces.values()), rows.users)
    return CommerceSyncRead(
        created=counts.created, updated=counts.updated, unchanged=counts.unchanged, refused=rows.rejected
    )


def _examine(content: bytes) -> _Examined:
    """Validate each item alone. Call this in a thread: it takes long enough to delay other requests."""
    rows = _Examined()
    for index, item in enumerate(parse_list(_Envelope, content, ITEMS)):
        judged = _judge(item)
        parsed = judged.item
        if parsed is not None and parsed.external_id in rows.commerces:
            parsed = None
            judged.faults.append(Fault(pointer="/external_id", detail="An earlier item has the same external_id."))
        if parsed is None:
            rows.rejected.append(_at(index, judged.external_id, judged.faults))
            continue
        rows.commerces[parsed.external_id] = parsed.model_dump(mode="json", exclude_none=True, exclude={"users"})
        rows.users += [
            {"commerce_external_id": parsed.external_id, **user.model_dump(mode="json", exclude_none=True)}
            for user in parsed.users
        ]
    return rows


@dataclass
class _Judged:
    """An item as it is written, or None and why not."""

    item: CommerceSyncItem | None = None
    external_id: str | None = None
    faults: list[Fault] = field(default_factory=list)


def _judge(content: bytes) -> _Judged:
    try:
        data = parse_json(content)
    except ValidationFailed as failure:
        return _Judged(faults=list(failure.faults) or [Fault(pointer="", detail=failure.detail)])
    external_id = data.get("external_id") if isinstance(data, dict) else None
    item, faults = check(CommerceSyncItem, content, data)
    return _Judged(None if faults else item, external_id if isinstance(external_id, str) else None, faults)


def _at(index: int, external_id: str | None, faults: list[Fault]) -> RejectedItemRead:
    errors = [Fault(pointer=f"/items/{index}{fault.pointer}", detail=fault.detail) for fault in faults]
    return RejectedItemRead(index=index, external_id=external_id, errors=errors)
