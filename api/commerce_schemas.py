"""What commerces and their users look like: snake_case in, camelCase out, as the vendor has them."""

from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue
from sqlalchemy import Row

from api.contacts import ContactRead, Contacts, contact_id
from api.partial_updates import PartialUpdate
from api.schemas import LIST_LENGTH, Answer, FreeValue, Instant, RequestBody, Text
from workflows.payloads import Role

ExternalId = Annotated[Text, Field(max_length=200)]


class AddressCreate(RequestBody):
    """Where a commerce is; `formatted_address` is what executors are shown, if it is given."""

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
    source_ref: Text | None = None


def _sorted(roles: list[Role]) -> list[Role]:
    return sorted(set(roles))


Addresses = Annotated[list[AddressCreate], Field(max_length=LIST_LENGTH)]
Roles = Annotated[list[Role], Field(max_length=LIST_LENGTH), AfterValidator(_sorted)]
Metadata = Annotated[dict[Text, FreeValue], Field(max_length=LIST_LENGTH)]


class CommerceUpdate(PartialUpdate):
    """What may be changed of a commerce; `metadata` is merged, key by key, and `addresses` are replaced."""

    clearable: ClassVar[frozenset[str]] = frozenset({"tax_id", "global_external_id"})

    name: Text | None = None
    tax_id: Text | None = None
    global_external_id: ExternalId | None = None
    is_active: bool | None = None
    metadata: Metadata | None = None
    addresses: Addresses | None = None


class CommerceUserCreate(RequestBody):
    """A new person at a commerce; without a name they are shown by their external id."""

    external_id: ExternalId | None = None
    name: Text | None = None
    roles: Roles = Field(default_factory=list)
    contacts: Contacts = Field(default_factory=list)


class CommerceUserUpdate(PartialUpdate):
    """What may be changed of a user; `roles` and `contacts` are replaced as a whole."""

    name: Text | None = None
    is_active: bool | None = None
    roles: Roles | None = None
    contacts: Contacts | None = None


class RoleCreate(RequestBody):
    """A role that a user gets."""

    role: Role


class AddressRead(Answer):
    """Where a commerce is."""

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
    """A person at a commerce."""

    id: UUID
    external_id: str
    name: str
    is_active: bool
    roles: list[Role]
    contacts: list[ContactRead]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """What the API says of a row."""
        contacts = [contact | {"id": contact_id(row.id, contact)} for contact in row.contacts]
        return cls.model_validate({**row._mapping, "contacts": contacts})  # noqa: SLF001 - SQLAlchemy's public name


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
    """A commerce with everything that belongs to it."""

    addresses: list[AddressRead]
    users: list[CommerceUserRead]
