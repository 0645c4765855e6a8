from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.contact_type import ContactType

T = TypeVar("T", bound="ClaimedContactRead")


@_attrs_define
class ClaimedContactRead:
    """A contact of the target user that works on the activity's channel.

    Attributes:
        contact_type (ContactType): The kind of a commerce user's contact.
        value (str): The value.
    """

    contact_type: ContactType
    value: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contact_type = self.contact_type.value

        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contactType": contact_type,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        contact_type = ContactType(d.pop("contactType"))

        value = d.pop("value")

        claimed_contact_read = cls(
            contact_type=contact_type,
            value=value,
        )

        claimed_contact_read.additional_properties = d
        return claimed_contact_read

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
