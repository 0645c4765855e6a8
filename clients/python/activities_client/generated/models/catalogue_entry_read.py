from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CatalogueEntryRead")


@_attrs_define
class CatalogueEntryRead:
    """An entry of a catalogue.

    Attributes:
        aliases (list[str]): Further texts that match the entry.
        code (str): The code of the entry, unique in its catalogue.
        is_active (bool): Whether it is in use.
        label (str): The name that people are shown.
    """

    aliases: list[str]
    code: str
    is_active: bool
    label: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        aliases = self.aliases

        code = self.code

        is_active = self.is_active

        label = self.label

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "aliases": aliases,
                "code": code,
                "isActive": is_active,
                "label": label,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        aliases = cast(list[str], d.pop("aliases"))

        code = d.pop("code")

        is_active = d.pop("isActive")

        label = d.pop("label")

        catalogue_entry_read = cls(
            aliases=aliases,
            code=code,
            is_active=is_active,
            label=label,
        )

        catalogue_entry_read.additional_properties = d
        return catalogue_entry_read

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
