from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.last_contacted_type import LastContactedType
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.last_contacted_config import LastContactedConfig


T = TypeVar("T", bound="LastContacted")


@_attrs_define
class LastContacted:
    """The active, reachable user who was contacted last, on any channel or on the activity's.

    Attributes:
        type_ (LastContactedType): The contacts that count: on all channels, or on the activity's.
        config (LastContactedConfig | Unset): The number of days that LAST_CONTACTED looks back. Without `within_days`,
            all records count.
        priority (int | Unset): The order of the trials: lower comes first. Default: 0.
    """

    type_: LastContactedType
    config: LastContactedConfig | Unset = UNSET
    priority: int | Unset = 0

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_.value

        config: dict[str, Any] | Unset = UNSET
        if not isinstance(self.config, Unset):
            config = self.config.to_dict()

        priority = self.priority

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
            }
        )
        if config is not UNSET:
            field_dict["config"] = config
        if priority is not UNSET:
            field_dict["priority"] = priority

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.last_contacted_config import LastContactedConfig  # noqa: PLC0415

        d = dict(src_dict)
        type_ = LastContactedType(d.pop("type"))

        _config = d.pop("config", UNSET)
        config: LastContactedConfig | Unset
        if isinstance(_config, Unset):
            config = UNSET
        else:
            config = LastContactedConfig.from_dict(_config)

        priority = d.pop("priority", UNSET)

        last_contacted = cls(
            type_=type_,
            config=config,
            priority=priority,
        )

        return last_contacted
