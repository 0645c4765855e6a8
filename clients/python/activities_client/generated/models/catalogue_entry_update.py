from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CatalogueEntryUpdate")


@_attrs_define
class CatalogueEntryUpdate:
    """Changes to an entry. `aliases` are replaced as a whole.

    Attributes:
        aliases (list[str] | Unset): Further texts that match the entry, replaced as a whole.
        is_active (bool | Unset): Whether it is in use.
        label (str | Unset): The name that people are shown.
    """

    aliases: list[str] | Unset = UNSET
    is_active: bool | Unset = UNSET
    label: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        aliases: list[str] | Unset = UNSET
        if not isinstance(self.aliases, Unset):
            aliases = self.aliases

        is_active = self.is_active

        label = self.label

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if aliases is not UNSET:
            field_dict["aliases"] = aliases
        if is_active is not UNSET:
            field_dict["is_active"] = is_active
        if label is not UNSET:
            field_dict["label"] = label

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        aliases = cast(list[str], d.pop("aliases", UNSET))

        is_active = d.pop("is_active", UNSET)

        label = d.pop("label", UNSET)

        catalogue_entry_update = cls(
            aliases=aliases,
            is_active=is_active,
            label=label,
        )

        return catalogue_entry_update
