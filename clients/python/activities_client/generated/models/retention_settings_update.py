from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="RetentionSettingsUpdate")


@_attrs_define
class RetentionSettingsUpdate:
    """The new settings.

    Attributes:
        retention_days (int | Unset): The days for which a closed activity is kept. Null keeps it for ever.
    """

    retention_days: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        retention_days = self.retention_days

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if retention_days is not UNSET:
            field_dict["retention_days"] = retention_days

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        retention_days = d.pop("retention_days", UNSET)

        retention_settings_update = cls(
            retention_days=retention_days,
        )

        return retention_settings_update
