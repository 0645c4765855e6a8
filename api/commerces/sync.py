"""POST /api/commerces/sync: bring many commerces, with their addresses and users, up to what another system knows."""

import asyncio
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field, ValidationError
from pydantic_core import to_json

from api.commerces.schemas import Addresses, Contacts, ExternalId, Metadata, Roles
from api.http.bodies import BULK_BODY_BYTES, DEPTH, UnreadBody, faults_in, json_content, json_of, parse, unstorable
from api.http.dependencies import CanSync, Opened
from api.http.errors import documented
from api.http.fields import LIST_LENGTH, Answer, RequestBody, Text, distinct
from db.commerces import upsert_commerces
from workflows.messages import Fault

ITEMS = 1_000

router = APIRouter(prefix="/api/commerces", tags=["commerces"])


class CommerceUserSync(RequestBody):
    """A person at a commerce; what is left out stays as it is, `roles` and `contacts` are replaced when given."""

    external_id: ExternalId
    name: Text | None = None
    roles: Roles | None = None
    contacts: Contacts | None = None


class CommerceSyncItem(RequestBody):
    """A commerce; what is left out stays as it is, `metadata` is merged, users who aren't named stay."""

    external_id: ExternalId
    name: Text
    tax_id: Text | None = None
    global_external_id: ExternalId | None = None
    metadata: Metadata | None = None
    addresses: Addresses | None = None
    users: Annotated[
        list[CommerceUserSync],
        Field(max_length=LIST_LENGTH),
        distinct("user's external_id", attrgetter("external_id")),
    ] = Field(default_factory=list)


class CommerceSync(RequestBody):
    """What another system knows of a tenant's commerces."""

    items: Annotated[list[CommerceSyncItem], Field(max_length=ITEMS)]


class _Envelope(RequestBody):
    """The same before anybody has looked into the items: one bad item must not sink the others."""

    items: Annotated[list[Any], Field(max_length=ITEMS)]


class RefusedItemRead(Answer):
    """An item that was not written, and why; the pointers lead into the request's body."""

    index: int
    external_id: str | None
    errors: list[Fault]


class CommerceSyncRead(Answer):
    """What became of the items."""

    created: int
    updated: int
    unchanged: int
    refused: list[RefusedItemRead]


@dataclass
class _Sorted:
    """The rows to write, and the items that can't be."""

    commerces: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: list[dict[str, Any]] = field(default_factory=list)
    refused: list[RefusedItemRead] = field(default_factory=list)


@router.post("/sync", responses=documented())
async def sync_commerces(
    caller: CanSync, opened: Opened, request: Annotated[Request, Depends(UnreadBody(CommerceSync))]
) -> CommerceSyncRead:
    """Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    What an item leaves out stays as it is; a user whom it doesn't name stays, too. An item that is not valid is listed
    in `refused`, and the others are written. Sending the same again changes nothing.
    """
    content = await json_content(request, BULK_BODY_BYTES)
    rows = await asyncio.to_thread(_sort_out, content)
    async with opened.database.transactions.begin() as connection:
        counts = await upsert_commerces(connection, caller.tenant_id, list(rows.commerces.values()), rows.users)
    return CommerceSyncRead(
        created=counts.created, updated=counts.updated, unchanged=counts.unchanged, refused=rows.refused
    )


def _sort_out(content: bytes) -> _Sorted:
    """Judge each item by itself; it takes long enough to keep other requests waiting, so it runs in a thread."""
    data = json_of(content)
    items = data.get("items") if isinstance(data, dict) else None
    parse(_Envelope, to_json(data | {"items": [None] * len(items)}) if isinstance(items, list) else content)
    rows = _Sorted()
    for index, item in enumerate(items or ()):
        parsed, faults = _examined(item)
        if parsed is not None and parsed.external_id in rows.commerces:
            faults = [Fault(pointer="/external_id", detail="An item before has the same external_id.")]
        if parsed is None or faults:
            rows.refused.append(_refused(index, item, faults))
            continue
        rows.commerces[parsed.external_id] = parsed.model_dump(mode="json", exclude_none=True, exclude={"users"})
        rows.users += [
            {"commerce_external_id": parsed.external_id, **user.model_dump(mode="json", exclude_none=True)}
            for user in parsed.users
        ]
    return rows


def _examined(item: Any) -> tuple[CommerceSyncItem | None, list[Fault]]:
    content = to_json(item)
    faults = list(unstorable(item)) if _may_be_unstorable(content) else []
    if not faults:
        try:
            return CommerceSyncItem.model_validate_json(content, strict=True), []
        except ValidationError as failure:
            faults = faults_in(failure, item)
    return None, faults


def _may_be_unstorable(content: bytes) -> bool:
    """A glance instead of a walk, a third of the time: NUL shows as an escape, and depth takes brackets."""
    return b"\\u" in content or content.count(b"{") + content.count(b"[") > DEPTH


def _refused(index: int, item: Any, faults: list[Fault]) -> RefusedItemRead:
    external_id = item.get("external_id") if isinstance(item, dict) else None
    return RefusedItemRead(
        index=index,
        external_id=external_id if isinstance(external_id, str) else None,
        errors=[Fault(pointer=f"/items/{index}{fault.pointer}", detail=fault.detail) for fault in faults],
    )
