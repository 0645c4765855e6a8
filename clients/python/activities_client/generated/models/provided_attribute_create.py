from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProvidedAttributeCreate")


@_attrs_define
class ProvidedAttributeCreate:
    """A value for one attribute. `fallback` is used if `value` is null.

    Attributes:
        key (str): The attribute key.
        fallback (Any | Unset): Any JSON value.
        value (Any | Unset): Any JSON value.
    """

    key: str
    fallback: Any | Unset = UNSET
    value: Any | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        key = self.key

        fallback = self.fallback

        value = self.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "key": key,
            }
        )
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if value is not UNSET:
            field_dict["value"] = value

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        key = d.pop("key")

        fallback = d.pop("fallback", UNSET)

        value = d.pop("value", UNSET)

        provided_attribute_create = cls(
            key=key,
            fallback=fallback,
            value=value,
        )

        return provided_attribute_create
