"""Requests and answers of commerces, their users and contacts."""

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Annotated, ClassVar, Self
from uuid import UUID, uuid5

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, JsonValue, ValidationInfo, field_validator
from sqlalchemy import RowMapping

from api.http.fields import (
    LIST_LENGTH,
    Answer,
    ContactIdentifier,
    FreeValue,
    Identifier,
    Instant,
    PartialUpdate,
    RequestBody,
    ShortIdentifier,
    Text,
    distinct,
)
from workflows.words import ContactType, Role


class ContactCreate(RequestBody):
    """A way to reach a user. PHONE and WHATSAPP are E.164 numbers, EMAIL is an e-mail address, OTHER is any text.

    WhatsApp writes a 1 before Mexican numbers (+521…) and a 9 before Argentine ones (+549…). As WHATSAPP a number with
    and without it is one contact, stored and answered as it is dialled from abroad: +52… and +549….
    """

    contact_type: ContactType
    value: ContactIdentifier
    is_primary: bool = False

    @field_validator("value")
    @classmethod
    def check_format(cls, value: str, info: ValidationInfo) -> str:
        """Reject numbers and addresses that can't exist; return numbers and addresses in their normal form."""
        match info.data.get("contact_type"):
            case ContactType.PHONE:
                return _require_e164(value)
            case ContactType.WHATSAPP:
                return _require_e164(BEFORE_ARGENTINE_9.sub("9", MEXICAN_1.sub("", value)))
            case ContactType.EMAIL:
                return _normalize_address(value)
        return value


MEXICAN_1 = re.compile(r"(?<=^\+52)1(?=\d{10}\Z)", re.ASCII)
"""Stood before mobile numbers until 2019; WhatsApp still writes it."""
BEFORE_ARGENTINE_9 = re.compile(r"(?<=^\+54)(?=[1-8]\d{9}\Z)", re.ASCII)
"""Calls from abroad and WhatsApp need a 9 before a mobile number; calls within the country don't."""
LONGEST_NUMBER = 40
"""Characters of a text that is read as a number. E.164 has 16; reading 250 blanks between digits takes 6 ms."""


def _require_e164(number: str) -> str:
    written = _in_e164(number)
    if written is None:
        msg = "must be a telephone number in E.164, as in +5491123456789"
        raise ValueError(msg)
    if written != number:
        msg = f"must be written in E.164: {written}"
        raise ValueError(msg)
    return number


def _in_e164(number: str) -> str | None:
    """Return the number as it should be written, or None if it isn't one, is too long or lacks its country."""
    if len(number) > LONGEST_NUMBER:
        return None
    try:
        parsed = phonenumbers.parse(MEXICAN_1.sub("", number))
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if MEXICAN_1.search(written):  # it was not written in E.164
        return _in_e164(written)
    return written if phonenumbers.is_possible_number(parsed) else None


def _normalize_address(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError as failure:
        msg = f"must be an e-mail address: {failure}"
        raise ValueError(msg) from failure


def _require_one_primary_per_type(contacts: list[ContactCreate]) -> list[ContactCreate]:
    primary = [contact.contact_type for contact in contacts if contact.is_primary]
    if len(set(primary)) < len(primary):
        msg = "must have one primary contact per type at most"
        raise ValueError(msg)
    return contacts


Contacts = Annotated[
    list[ContactCreate],
    Field(max_length=LIST_LENGTH),
    distinct("contact", attrgetter("contact_type", "value")),
    AfterValidator(_require_one_primary_per_type),
]


def find_surplus(contacts: list[ContactCreate]) -> dict[int, str]:
    """Return the positions of contacts that repeat an earlier one or its primacy, with a sentence about each."""
    surplus: dict[int, str] = {}
    named, primary = set[tuple[ContactType, str]](), set[ContactType]()
    for position, contact in enumerate(contacts):
        if (contact.contact_type, contact.value) in named:
            surplus[position] = "An earlier contact is the same: name it once."
        elif contact.is_primary and contact.contact_type in primary:
            surplus[position] = "An earlier contact is the primary one of this type: send it as not primary."
        else:
            named.add((contact.contact_type, contact.value))
            primary |= {contact.contact_type} if contact.is_primary else set()
    return surplus


class ContactRead(Answer):
    """A way to reach a user."""

    id: UUID
    contact_type: ContactType
    value: str
    is_primary: bool = False


def contact_id(user_id: UUID, contact: Mapping[str, object]) -> UUID:
    """Derive a contact's id from its content, so that it is the same after every synchronization."""
    return uuid5(user_id, f"{contact['contact_type']}:{contact['value']}")


ExternalId = ShortIdentifier


class AddressCreate(RequestBody):
    """An address of a commerce. Executors are shown `formatted_address` if it is given."""

    address_alias: Text | None = None
    is_primary: bool = False
    country_code: Text | None = None
    region: Text | None = None
    commune: Text | None = None
    city: Text | None = None
    street: Text | None = None
    street_number: Text | None = None
    unit: Text | None = None
    formatted_address: Text | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    source_ref: Identifier | None = None


def _sort_roles(roles: list[Role]) -> list[Role]:
    return sorted(set(roles))


Addresses = Annotated[list[AddressCreate], Field(max_length=LIST_LENGTH)]
Roles = Annotated[list[Role], Field(max_length=LIST_LENGTH), AfterValidator(_sort_roles)]
Metadata = Annotated[dict[Text, FreeValue], Field(max_length=LIST_LENGTH)]


class CommerceUpdate(PartialUpdate):
    """Changes to a commerce. `metadata` is merged by key, and `addresses` are replaced as a whole."""

    clearable: ClassVar[frozenset[str]] = frozenset({"tax_id", "global_external_id"})

    name: Text | None = None
    tax_id: Identifier | None = None
    global_external_id: ExternalId | None = None
    is_active: bool | None = None
    metadata: Metadata | None = None
    addresses: Addresses | None = None


class CommerceUserCreate(RequestBody):
    """A new user of a commerce. The name defaults to the external id."""

    external_id: ExternalId | None = None
    name: Text | None = None
    roles: Roles = Field(default_factory=list)
    contacts: Contacts = Field(default_factory=list)


class CommerceUserUpdate(PartialUpdate):
    """Changes to a user. `roles` and `contacts` are replaced as a whole."""

    name: Text | None = None
    is_active: bool | None = None
    roles: Roles | None = None
    contacts: Contacts | None = None


class RoleCreate(RequestBody):
    """A role to give to a user."""

    role: Role


class AddressRead(Answer):
    """An address of a commerce."""

    address_alias: str | None = None
    is_primary: bool = False
    country_code: str | None = None
    region: str | None = None
    commune: str | None = None
    city: str | None = None
    street: str | None = None
    street_number: str | None = None
    unit: str | None = None
    formatted_address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    source_ref: str | None = None


class CommerceUserRead(Answer):
    """A user of a commerce."""

    id: UUID
    external_id: str
    name: str
    is_active: bool
    roles: list[Role]
    contacts: list[ContactRead]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """Compose the answer from a row."""
        contacts = [contact | {"id": contact_id(row["id"], contact)} for contact in row["contacts"]]
        return cls.model_validate({**row, "contacts": contacts})


class CommerceRead(Answer):
    """A commerce as lists show it."""

    id: UUID
    external_id: str
    name: str
    tax_id: str | None
    global_external_id: str | None
    is_active: bool
    metadata: dict[str, JsonValue]
    created_at: Instant
    updated_at: Instant


class CommerceDetailRead(CommerceRead):
    """A commerce with its addresses and its first users by external id."""

    addresses: list[AddressRead]
    users: list[CommerceUserRead] = Field(
        description="The first 100 by external id, or fewer if they have many bytes; `GET …/users` lists all."
    )
    users_total: int
