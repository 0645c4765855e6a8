from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="AttributeKeyCreate")


@_attrs_define
class AttributeKeyCreate:
    """A new attribute key.

    Attributes:
        key (str): The attribute key.
        label (str): The name that people are shown.
        description (str | Unset): A description for people.
    """

    key: str
    label: str
    description: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        key = self.key

        label = self.label

        description = self.description

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "key": key,
                "label": label,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        key = d.pop("key")

        label = d.pop("label")

        description = d.pop("description", UNSET)

        attribute_key_create = cls(
            key=key,
            label=label,
            description=description,
        )

        return attribute_key_create
