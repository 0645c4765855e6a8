from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="PauseUpdate")


@_attrs_define
class PauseUpdate:
    """The state that the tenant is to have.

    Attributes:
        paused (bool): Whether the tenant is paused.
        reason (str | Unset): Required to pause. The trail of held activities shows it.
    """

    paused: bool
    reason: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        paused = self.paused

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "paused": paused,
            }
        )
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        paused = d.pop("paused")

        reason = d.pop("reason", UNSET)

        pause_update = cls(
            paused=paused,
            reason=reason,
        )

        return pause_update
