from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.activity_type import ActivityType
from ..models.channel import Channel
from ..models.target_strategy import TargetStrategy
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.last_contacted import LastContacted
    from ..models.role_match import RoleMatch


T = TypeVar("T", bound="TargetConfigUpdate")


@_attrs_define
class TargetConfigUpdate:
    """Changes to a configuration. `criteria` are replaced as a whole; a selector that is null is removed.

    Attributes:
        channel (Channel | None | Unset): A null clears it.
        criteria (list[LastContacted | RoleMatch] | Unset): Lowest `priority` first.
        fallback_to_commerce_rep (bool | Unset): Try an active, reachable COMMERCE_REP if no criterion finds a user.
        fallback_to_owner (bool | Unset): Try an active, reachable OWNER if nothing before finds a user.
        is_active (bool | Unset): Whether it is in use.
        priority (int | Unset): Lower comes first. Unique among active configurations.
        resolution_strategy (TargetStrategy | Unset): The time at which the target user is chosen: at creation, when the
            activity is due, or by an operator.
        type_ (ActivityType | None | Unset): A null clears it.
    """

    channel: Channel | None | Unset = UNSET
    criteria: list[LastContacted | RoleMatch] | Unset = UNSET
    fallback_to_commerce_rep: bool | Unset = UNSET
    fallback_to_owner: bool | Unset = UNSET
    is_active: bool | Unset = UNSET
    priority: int | Unset = UNSET
    resolution_strategy: TargetStrategy | Unset = UNSET
    type_: ActivityType | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        channel: None | str | Unset
        if isinstance(self.channel, Unset):
            channel = UNSET
        elif isinstance(self.channel, Channel):
            channel = self.channel.value
        else:
            channel = self.channel

        criteria: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.criteria, Unset):
            criteria = []
            for criteria_item_data in self.criteria:
                criteria_item: dict[str, Any]
                if isinstance(criteria_item_data, RoleMatch):
                    criteria_item = criteria_item_data.to_dict()
                else:
                    criteria_item = criteria_item_data.to_dict()

                criteria.append(criteria_item)

        fallback_to_commerce_rep = self.fallback_to_commerce_rep

        fallback_to_owner = self.fallback_to_owner

        is_active = self.is_active

        priority = self.priority

        resolution_strategy: str | Unset = UNSET
        if not isinstance(self.resolution_strategy, Unset):
            resolution_strategy = self.resolution_strategy.value

        type_: None | str | Unset
        if isinstance(self.type_, Unset):
            type_ = UNSET
        elif isinstance(self.type_, ActivityType):
            type_ = self.type_.value
        else:
            type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if channel is not UNSET:
            field_dict["channel"] = channel
        if criteria is not UNSET:
            field_dict["criteria"] = criteria
        if fallback_to_commerce_rep is not UNSET:
            field_dict["fallback_to_commerce_rep"] = fallback_to_commerce_rep
        if fallback_to_owner is not UNSET:
            field_dict["fallback_to_owner"] = fallback_to_owner
        if is_active is not UNSET:
            field_dict["is_active"] = is_active
        if priority is not UNSET:
            field_dict["priority"] = priority
        if resolution_strategy is not UNSET:
            field_dict["resolution_strategy"] = resolution_strategy
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.last_contacted import LastContacted  # noqa: PLC0415
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_channel(data: object) -> Channel | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                channel_type_0 = Channel(data)

                return channel_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Channel | None | Unset, data)

        channel = _parse_channel(d.pop("channel", UNSET))

        _criteria = d.pop("criteria", UNSET)
        criteria: list[LastContacted | RoleMatch] | Unset = UNSET
        if _criteria is not UNSET:
            criteria = []
            for criteria_item_data in _criteria:

                def _parse_criteria_item(data: object) -> LastContacted | RoleMatch:
                    try:
                        if not isinstance(data, dict):
                            raise TypeError()
                        criteria_item_type_0 = RoleMatch.from_dict(data)

                        return criteria_item_type_0
                    except (TypeError, ValueError, AttributeError, KeyError):
                        pass
                    if not isinstance(data, dict):
                        raise TypeError()
                    criteria_item_type_1 = LastContacted.from_dict(data)

                    return criteria_item_type_1

                criteria_item = _parse_criteria_item(criteria_item_data)

                criteria.append(criteria_item)

        fallback_to_commerce_rep = d.pop("fallback_to_commerce_rep", UNSET)

        fallback_to_owner = d.pop("fallback_to_owner", UNSET)

        is_active = d.pop("is_active", UNSET)

        priority = d.pop("priority", UNSET)

        _resolution_strategy = d.pop("resolution_strategy", UNSET)
        resolution_strategy: TargetStrategy | Unset
        if isinstance(_resolution_strategy, Unset):
            resolution_strategy = UNSET
        else:
            resolution_strategy = TargetStrategy(_resolution_strategy)

        def _parse_type_(data: object) -> ActivityType | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                type_type_0 = ActivityType(data)

                return type_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ActivityType | None | Unset, data)

        type_ = _parse_type_(d.pop("type", UNSET))

        target_config_update = cls(
            channel=channel,
            criteria=criteria,
            fallback_to_commerce_rep=fallback_to_commerce_rep,
            fallback_to_owner=fallback_to_owner,
            is_active=is_active,
            priority=priority,
            resolution_strategy=resolution_strategy,
            type_=type_,
        )

        return target_config_update
