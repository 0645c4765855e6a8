from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CatalogueEntryCreate")


@_attrs_define
class CatalogueEntryCreate:
    """A new entry. Requests may use its code, label or any alias; case, accents and separators don't matter.

    Attributes:
        code (str): The code of the entry, unique in its catalogue.
        label (str): The name that people are shown.
        aliases (list[str] | Unset): Further texts that match the entry.
        is_active (bool | Unset): Whether it is in use. Default: True.
    """

    code: str
    label: str
    aliases: list[str] | Unset = UNSET
    is_active: bool | Unset = True

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        label = self.label

        aliases: list[str] | Unset = UNSET
        if not isinstance(self.aliases, Unset):
            aliases = self.aliases

        is_active = self.is_active

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "label": label,
            }
        )
        if aliases is not UNSET:
            field_dict["aliases"] = aliases
        if is_active is not UNSET:
            field_dict["is_active"] = is_active

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        label = d.pop("label")

        aliases = cast(list[str], d.pop("aliases", UNSET))

        is_active = d.pop("is_active", UNSET)

        catalogue_entry_create = cls(
            code=code,
            label=label,
            aliases=aliases,
            is_active=is_active,
        )

        return catalogue_entry_create
