"""By what a commerce user can be reached, and whether anybody could be reached by it at all."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid5

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from api.schemas import LIST_LENGTH, Answer, RequestBody, Text
from workflows.payloads import ContactType


class ContactCreate(RequestBody):
    """By what a user can be reached: PHONE and WHATSAPP in E.164, EMAIL as addresses are, OTHER as it comes."""

    contact_type: ContactType
    value: Annotated[Text, Field(max_length=320)]
    is_primary: bool = False

    @field_validator("value")
    @classmethod
    def reachable(cls, value: str, info: ValidationInfo) -> str:
        """Nobody is reached by a number or an address that can't exist."""
        match info.data.get("contact_type"):
            case ContactType.PHONE | ContactType.WHATSAPP:
                _refuse_unless_e164(value)
            case ContactType.EMAIL:
                return _mailable(value)
        return value


def _refuse_unless_e164(number: str) -> None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        msg = "must be a telephone number in E.164, as in +5491123456789"
        raise ValueError(msg)
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if written != number:
        msg = f"must be written in E.164: {written}"
        raise ValueError(msg)


def _mailable(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError as failure:
        msg = f"must be an e-mail address: {failure}"
        raise ValueError(msg) from failure


def _distinct(contacts: list[ContactCreate]) -> list[ContactCreate]:
    if len({(contact.contact_type, contact.value) for contact in contacts}) < len(contacts):
        msg = "must name every contact once"
        raise ValueError(msg)
    primary = [contact.contact_type for contact in contacts if contact.is_primary]
    if len(set(primary)) < len(primary):
        msg = "must have one primary contact per type at most"
        raise ValueError(msg)
    return contacts


Contacts = Annotated[list[ContactCreate], Field(max_length=LIST_LENGTH), AfterValidator(_distinct)]


class ContactRead(Answer):
    """By what a user can be reached."""

    id: UUID
    contact_type: ContactType
    value: str
    is_primary: bool = False


def contact_id(user_id: UUID, contact: Mapping[str, Any]) -> UUID:
    """Name a contact by what it is: it has an id without being a row, and the same one after every sync."""
    return uuid5(user_id, f"{contact['contact_type']}:{contact['value']}")
