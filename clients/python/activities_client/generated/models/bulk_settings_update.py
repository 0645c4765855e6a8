from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="BulkSettingsUpdate")


@_attrs_define
class BulkSettingsUpdate:
    """The new settings. QUEUED operations follow them; others keep those that were in force when they began.

    Attributes:
        confirm_above (int): The most activities that an operation changes without `confirm_total`; 0 always requires
            it.
    """

    confirm_above: int

    def to_dict(self) -> dict[str, Any]:
        confirm_above = self.confirm_above

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "confirm_above": confirm_above,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        confirm_above = d.pop("confirm_above")

        bulk_settings_update = cls(
            confirm_above=confirm_above,
        )

        return bulk_settings_update
