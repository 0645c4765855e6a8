from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.contact_type import ContactType

T = TypeVar("T", bound="ContactRead")


@_attrs_define
class ContactRead:
    """A way to reach a user.

    Attributes:
        contact_type (ContactType): The kind of a commerce user's contact.
        id (UUID): The id.
        is_primary (bool): Whether it is the first choice of its kind. Default: False.
        value (str): The value.
    """

    contact_type: ContactType
    id: UUID
    value: str
    is_primary: bool = False
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contact_type = self.contact_type.value

        id = str(self.id)

        is_primary = self.is_primary

        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contactType": contact_type,
                "id": id,
                "isPrimary": is_primary,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        contact_type = ContactType(d.pop("contactType"))

        id = UUID(d.pop("id"))

        is_primary = d.pop("isPrimary")

        value = d.pop("value")

        contact_read = cls(
            contact_type=contact_type,
            id=id,
            is_primary=is_primary,
            value=value,
        )

        contact_read.additional_properties = d
        return contact_read

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
