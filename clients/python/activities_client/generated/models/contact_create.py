from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.contact_type import ContactType
from ..types import UNSET, Unset

T = TypeVar("T", bound="ContactCreate")


@_attrs_define
class ContactCreate:
    """A way to reach a user. PHONE and WHATSAPP are E.164 numbers, EMAIL is an e-mail address, OTHER is any text.

    WhatsApp writes a 1 before Mexican numbers (+521…) and a 9 before Argentine ones (+549…). As WHATSAPP a number with
    and without it is one contact, stored and answered as it is dialled from abroad: +52… and +549….

        Attributes:
            contact_type (ContactType): The kind of a commerce user's contact.
            value (str): No control characters; no white space or invisible character at its ends.
            is_primary (bool | Unset): Whether it is the first choice of its kind. Default: False.
    """

    contact_type: ContactType
    value: str
    is_primary: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        contact_type = self.contact_type.value

        value = self.value

        is_primary = self.is_primary

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "contact_type": contact_type,
                "value": value,
            }
        )
        if is_primary is not UNSET:
            field_dict["is_primary"] = is_primary

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        contact_type = ContactType(d.pop("contact_type"))

        value = d.pop("value")

        is_primary = d.pop("is_primary", UNSET)

        contact_create = cls(
            contact_type=contact_type,
            value=value,
            is_primary=is_primary,
        )

        return contact_create
