from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.activity_type import ActivityType
from ..models.channel import Channel
from ..models.target_strategy import TargetStrategy
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.last_contacted import LastContacted
    from ..models.role_match import RoleMatch


T = TypeVar("T", bound="TargetConfigCreate")


@_attrs_define
class TargetConfigCreate:
    """The criteria of a configuration, and when they apply. Without selectors it applies to every activity.

    Attributes:
        resolution_strategy (TargetStrategy): The time at which the target user is chosen: at creation, when the
            activity is due, or by an operator.
        channel (Channel | Unset): The channel by which the activity reaches the commerce.
        criteria (list[LastContacted | RoleMatch] | Unset): Lowest `priority` first.
        fallback_to_commerce_rep (bool | Unset): Try an active, reachable COMMERCE_REP if no criterion finds a user.
            Default: True.
        fallback_to_owner (bool | Unset): Try an active, reachable OWNER if nothing before finds a user. Default: True.
        is_active (bool | Unset): Whether it is in use. Default: True.
        priority (int | Unset): Lower comes first. Unique among active configurations. Default: 0.
        type_ (ActivityType | Unset): The kind of activity: work for a person, or a communication.
    """

    resolution_strategy: TargetStrategy
    channel: Channel | Unset = UNSET
    criteria: list[LastContacted | RoleMatch] | Unset = UNSET
    fallback_to_commerce_rep: bool | Unset = True
    fallback_to_owner: bool | Unset = True
    is_active: bool | Unset = True
    priority: int | Unset = 0
    type_: ActivityType | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        resolution_strategy = self.resolution_strategy.value

        channel: str | Unset = UNSET
        if not isinstance(self.channel, Unset):
            channel = self.channel.value

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

        type_: str | Unset = UNSET
        if not isinstance(self.type_, Unset):
            type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "resolution_strategy": resolution_strategy,
            }
        )
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
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.last_contacted import LastContacted  # noqa: PLC0415
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        d = dict(src_dict)
        resolution_strategy = TargetStrategy(d.pop("resolution_strategy"))

        _channel = d.pop("channel", UNSET)
        channel: Channel | Unset
        if isinstance(_channel, Unset):
            channel = UNSET
        else:
            channel = Channel(_channel)

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

        _type_ = d.pop("type", UNSET)
        type_: ActivityType | Unset
        if isinstance(_type_, Unset):
            type_ = UNSET
        else:
            type_ = ActivityType(_type_)

        target_config_create = cls(
            resolution_strategy=resolution_strategy,
            channel=channel,
            criteria=criteria,
            fallback_to_commerce_rep=fallback_to_commerce_rep,
            fallback_to_owner=fallback_to_owner,
            is_active=is_active,
            priority=priority,
            type_=type_,
        )

        return target_config_create
