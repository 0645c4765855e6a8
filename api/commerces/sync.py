"""POST /api/commerces/sync: create and update many commerces, with their addresses and users."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commerces.commerces import metadata_fault
from api.commerces.schemas import Addresses, ContactCreate, ExternalId, Metadata, Roles, find_surplus
from api.http.bodies import (
    BULK_BODY_BYTES,
    FAULTS,
    LONGEST_STEP,
    UnreadBody,
    check,
    check_each,
    parse_json,
    parse_list,
    read_in_turn,
    require_few_values,
)
from api.http.dependencies import CanSync, Opened
from api.http.errors import ValidationFailed, problem_responses
from api.http.fields import LIST_LENGTH, Answer, Identifier, RequestBody, Text, distinct
from api.http.limits import describe_limit
from db.commerces import upsert_commerces
from workflows.messages import Fault
from workflows.tenant_limits import SYNC_FAULTS, SYNC_ITEM_VALUES, USERS_OF_COMMERCE, Limit

ITEMS = 1_000
ITEM_BYTES = 1024 * 1024
"""As many users and contacts as an item may have need less; parsing more at once would delay other requests."""

router = APIRouter(prefix="/api/commerces", tags=["commerces"])


class CommerceUserSync(RequestBody):
    """A user of a commerce. Absent members stay as they are; `roles` and `contacts` are replaced as a whole.

    A contact that is not valid is left out, and the others are written.
    """

    external_id: ExternalId
    name: Text | None = None
    roles: Roles | None = None
    contacts: Annotated[list[ContactCreate], Field(max_length=LIST_LENGTH)] | None = None


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
    """An item that was not written as it was sent, and why. The pointers lead into the request's body."""

    index: int
    external_id: str | None
    errors: list[Fault]


class CommerceSyncRead(Answer):
    """The number of items by outcome, the items that were not written, and those that were written in part."""

    created: int
    updated: int
    unchanged: int
    refused: list[RejectedItemRead]
    warnings: list[RejectedItemRead] = Field(
        description="Items that were written without the contacts that `errors` points at; it says what would be right."
    )


@dataclass
class _Examined:
    """The rows to write, as JSON, and the items that are not valid."""

    commerces: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    users: list[tuple[str, bytes]] = field(default_factory=list)
    rejected: list[RejectedItemRead] = field(default_factory=list)
    warnings: list[RejectedItemRead] = field(default_factory=list)
    repeated: list[tuple[int, "_Judged", CommerceSyncItem]] = field(default_factory=list)
    """Valid items whose external id an earlier one has: their turn comes if that one turns out to be too large."""
    room: int = SYNC_FAULTS
    """The number of faults that are still listed; from then on each item has its first alone."""

    def add(self, index: int, judged: "_Judged") -> None:
        """Add the rows of an item, or the faults that keep it from being written."""
        item = judged.item
        if item is None:
            self.rejected.append(self._describe(index, judged.external_id, judged.faults))
            return
        if item.external_id in self.commerces:
            self.repeated.append((index, judged, item))
            return
        if judged.left_out:
            self.warnings.append(self._describe(index, judged.external_id, judged.left_out))
        self.places[item.external_id] = index
        self.commerces[item.external_id] = _format_row(item, exclude={"users"})
        self.users += [(item.external_id, _format_row(user)) for user in item.users]

    def reject(self, external_ids: frozenset[str], fault: Fault) -> None:
        """Move the items of commerces that would be too large to those that were not written."""
        self.rejected += [self._describe(self.places[one], one, [fault]) for one in external_ids]
        self.warnings = [one for one in self.warnings if one.external_id not in external_ids]

    def begin_turn(self, external_ids: frozenset[str]) -> None:
        """Take up the next items of the commerces that were not written; reject those of the others."""
        repeated, self.repeated, self.commerces, self.users = self.repeated, [], {}, []
        for index, judged, item in repeated:
            if item.external_id in external_ids:
                self.add(index, judged)
            else:
                fault = Fault(pointer="/external_id", detail="An earlier item has the same external_id.")
                self.rejected.append(self._describe(index, item.external_id, [fault]))

    def _describe(self, index: int, external_id: str | None, faults: list[Fault]) -> RejectedItemRead:
        listed = faults[: max(1, min(FAULTS, self.room))]
        self.room -= len(listed)
        errors = [Fault(pointer=f"/items/{index}{fault.pointer}", detail=fault.detail) for fault in listed]
        return RejectedItemRead(index=index, external_id=external_id, errors=errors)


def _format_row(model: RequestBody, **options: Any) -> bytes:
    return model.model_dump_json(exclude_none=True, **options).encode()


@router.post("/sync", responses=problem_responses())
async def sync_commerces(
    caller: CanSync, opened: Opened, request: Annotated[Request, Depends(UnreadBody(CommerceSync))]
) -> CommerceSyncRead:
    """Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not valid, or have
    more than 1 MiB or 45,000 values, are listed in `refused`; the others are written. A contact that is not valid
    doesn't keep its item from being written: it is left out, and listed in `warnings` with what would be right. Sending
    the same items again changes nothing. An item that would give a commerce more users than it may have is refused as a
    whole.
    """
    content = await read_in_turn(request, BULK_BODY_BYTES)
    items = await asyncio.to_thread(parse_list, _Envelope, content, ITEMS)
    await opened.rate_limits.take_items(caller, request, len(items))
    rows = _Examined()
    for index, item in enumerate(items):
        async with opened.synchronizing:
            # A thread would take the interpreter from the event loop for 5 ms each time that the loop waits.
            judged = _judge(item) if len(item) <= LONGEST_STEP else await asyncio.to_thread(_judge, item)
            rows.add(index, judged)
            await asyncio.sleep(0)  # other requests have their turn after each item
    limit = await opened.quotas.find_limit(caller.tenant_id, USERS_OF_COMMERCE)
    async with opened.database.transactions.begin() as connection:
        counts = await _write(connection, caller.tenant_id, rows, limit)
    rows.rejected.sort(key=attrgetter("index"))
    return CommerceSyncRead(**counts, refused=rows.rejected, warnings=rows.warnings)


async def _write(connection: AsyncConnection, tenant_id: UUID, rows: _Examined, limit: Limit) -> dict[str, int]:
    """Write the rows, turn by turn while commerces would be too large; return their number by outcome."""
    outcomes = dict.fromkeys(("created", "updated", "unchanged"), 0)
    while rows.commerces:
        counts = await upsert_commerces(connection, tenant_id, rows.commerces, rows.users, limit.most)
        for name in outcomes:
            outcomes[name] += getattr(counts, name)
        rows.reject(counts.full, Fault(pointer="/users", detail=describe_limit(limit, "The commerce")))
        rows.reject(counts.too_long, metadata_fault())
        rows.begin_turn(counts.full | counts.too_long)
    return outcomes


@dataclass
class _Judged:
    """An item as it is written, and the faults of contacts that were left out; or no item, and its faults."""

    external_id: str | None = None
    item: CommerceSyncItem | None = None
    left_out: list[Fault] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


_CONTACT = re.compile(r"/users/(\d+)/contacts/(\d+)(?:/|\Z)")
_MOST_FAULTS = LIST_LENGTH * LIST_LENGTH
"""Each contact of an item may have one."""


def _judge(content: bytes) -> _Judged:
    if len(content) > ITEM_BYTES:
        return _Judged(faults=[Fault(pointer="", detail=f"An item may have at most {ITEM_BYTES:,} bytes.")])
    try:
        require_few_values(content, SYNC_ITEM_VALUES)
        data, unstorable = parse_json(content, _MOST_FAULTS)
    except ValidationFailed as failure:
        return _Judged(faults=list(failure.faults) or [Fault(pointer="", detail=failure.detail)])
    judged = _Judged(_external_id(data))
    judged.item, judged.faults = _check_item(data)
    judged.faults = unstorable + judged.faults
    bad = [(int(place[1]), int(place[2])) for fault in judged.faults if (place := _CONTACT.match(fault.pointer))]
    if bad and len(bad) == len(judged.faults):
        judged.left_out, data = judged.faults, _without(data, set(bad))
        judged.item, judged.faults = _check_item(data)
    if judged.item is None or judged.faults:
        return replace(judged, item=None, faults=judged.left_out + judged.faults)
    return _leave_out_surplus(judged, judged.item, set(bad))


def _check_item(data: Any) -> tuple[CommerceSyncItem | None, list[Fault]]:
    """Check an item; its users are checked one by one."""
    users = data.get("users") if isinstance(data, dict) else None
    if not isinstance(users, list) or len(users) > LIST_LENGTH:
        # More users than are allowed are counted only: the place of each is taken by a name.
        names = [{"external_id": str(number)} for number in range(len(users))] if isinstance(users, list) else users
        return check(CommerceSyncItem, data if names is None else data | {"users": names}, _MOST_FAULTS)
    valid, faults = check_each(CommerceUserSync, users, "/users", _MOST_FAULTS)
    names = [] if faults else [{"external_id": user.external_id} for user in valid]
    item, others = check(CommerceSyncItem, data | {"users": names}, _MOST_FAULTS)
    return item and item.model_copy(update={"users": valid}) if not faults else None, others + faults


def _external_id(data: object) -> str | None:
    external_id = data.get("external_id") if isinstance(data, dict) else None
    return external_id if isinstance(external_id, str) else None


def _without(data: Any, bad: set[tuple[int, int]]) -> Any:
    """Return the item without the contacts at these places: the user's, and the contact's among theirs."""
    users = list(data["users"])
    for place in {user for user, _ in bad}:
        contacts = enumerate(users[place]["contacts"])
        users[place] = users[place] | {"contacts": [one for number, one in contacts if (place, number) not in bad]}
    return data | {"users": users}


def _leave_out_surplus(judged: _Judged, item: CommerceSyncItem, bad: set[tuple[int, int]]) -> _Judged:
    """Return the item without surplus contacts; `bad` ones were left out before, but count in the places of others."""
    users, left_out = [], []
    for place, user in enumerate(item.users):
        surplus = find_surplus(user.contacts or [])
        if surplus:
            numbers = [number for number in range(LIST_LENGTH) if (place, number) not in bad]
            left_out += [
                Fault(pointer=f"/users/{place}/contacts/{numbers[index]}", detail=detail)
                for index, detail in surplus.items()
            ]
            kept = [contact for index, contact in enumerate(user.contacts or []) if index not in surplus]
            user = user.model_copy(update={"contacts": kept})  # noqa: PLW2901 - the rest of the loop writes this one
        users.append(user)
    return replace(judged, item=item.model_copy(update={"users": users}), left_out=judged.left_out + left_out)
