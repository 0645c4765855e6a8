from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="DispatchSettingsUpdate")


@_attrs_define
class DispatchSettingsUpdate:
    """The new settings. They also apply to activities that executors hold already.

    Attributes:
        max_attempts (int): The number of expired leases after which an activity is FAILED.
    """

    max_attempts: int

    def to_dict(self) -> dict[str, Any]:
        max_attempts = self.max_attempts

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "max_attempts": max_attempts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        max_attempts = d.pop("max_attempts")

        dispatch_settings_update = cls(
            max_attempts=max_attempts,
        )

        return dispatch_settings_update
