from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="LastContactedConfig")


@_attrs_define
class LastContactedConfig:
    """The number of days that LAST_CONTACTED looks back. Without `within_days`, all records count.

    Attributes:
        within_days (int | Unset): The number of days to look back. Without it, all contacts count.
    """

    within_days: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        within_days = self.within_days

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if within_days is not UNSET:
            field_dict["within_days"] = within_days

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        within_days = d.pop("within_days", UNSET)

        last_contacted_config = cls(
            within_days=within_days,
        )

        return last_contacted_config
