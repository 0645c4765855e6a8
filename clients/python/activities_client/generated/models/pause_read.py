from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PauseRead")


@_attrs_define
class PauseRead:
    """The pause of the tenant, if there is one.

    Attributes:
        actor (None | str): The subject of the token with which it was done; null if the service did it.
        held (int): The number of held activities: READY, with `heldSince`. Default: 0.
        paused (bool): Whether the tenant is paused.
        paused_at (datetime.datetime | None): The time of the pause; null if there is none.
        reason (None | str): The reason, which the trail shows.
        released (int | None): The number of activities that this call has made DUE.
    """

    actor: None | str
    paused: bool
    paused_at: datetime.datetime | None
    reason: None | str
    released: int | None
    held: int = 0
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        actor: None | str
        actor = self.actor

        held = self.held

        paused = self.paused

        paused_at: None | str
        if isinstance(self.paused_at, datetime.datetime):
            paused_at = self.paused_at.isoformat()
        else:
            paused_at = self.paused_at

        reason: None | str
        reason = self.reason

        released: int | None
        released = self.released

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "actor": actor,
                "held": held,
                "paused": paused,
                "pausedAt": paused_at,
                "reason": reason,
                "released": released,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_actor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        actor = _parse_actor(d.pop("actor"))

        held = d.pop("held")

        paused = d.pop("paused")

        def _parse_paused_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                paused_at_type_0 = datetime.datetime.fromisoformat(data)

                return paused_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        paused_at = _parse_paused_at(d.pop("pausedAt"))

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        def _parse_released(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        released = _parse_released(d.pop("released"))

        pause_read = cls(
            actor=actor,
            held=held,
            paused=paused,
            paused_at=paused_at,
            reason=reason,
            released=released,
        )

        pause_read.additional_properties = d
        return pause_read

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
