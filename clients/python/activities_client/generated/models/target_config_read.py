from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_type import ActivityType
from ..models.channel import Channel
from ..models.target_strategy import TargetStrategy

if TYPE_CHECKING:
    from ..models.criterion_read import CriterionRead


T = TypeVar("T", bound="TargetConfigRead")


@_attrs_define
class TargetConfigRead:
    """A configuration. Explanations refer to its id and version.

    Attributes:
        channel (Channel | None): The channel by which the activity reaches the commerce.
        criteria (list[CriterionRead]): The criteria that find the target user.
        fallback_to_commerce_rep (bool): Try an active, reachable COMMERCE_REP if no criterion finds a user.
        fallback_to_owner (bool): Try an active, reachable OWNER if nothing before finds a user.
        id (UUID): The id.
        is_active (bool): Whether it is in use.
        priority (int): The order of the trials: lower comes first.
        resolution_strategy (TargetStrategy): The time at which the target user is chosen: at creation, when the
            activity is due, or by an operator.
        type_ (ActivityType | None): The kind of activity.
        version (int): The version, which each change increases.
    """

    channel: Channel | None
    criteria: list[CriterionRead]
    fallback_to_commerce_rep: bool
    fallback_to_owner: bool
    id: UUID
    is_active: bool
    priority: int
    resolution_strategy: TargetStrategy
    type_: ActivityType | None
    version: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        channel: None | str
        if isinstance(self.channel, Channel):
            channel = self.channel.value
        else:
            channel = self.channel

        criteria = []
        for criteria_item_data in self.criteria:
            criteria_item = criteria_item_data.to_dict()
            criteria.append(criteria_item)

        fallback_to_commerce_rep = self.fallback_to_commerce_rep

        fallback_to_owner = self.fallback_to_owner

        id = str(self.id)

        is_active = self.is_active

        priority = self.priority

        resolution_strategy = self.resolution_strategy.value

        type_: None | str
        if isinstance(self.type_, ActivityType):
            type_ = self.type_.value
        else:
            type_ = self.type_

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "channel": channel,
                "criteria": criteria,
                "fallbackToCommerceRep": fallback_to_commerce_rep,
                "fallbackToOwner": fallback_to_owner,
                "id": id,
                "isActive": is_active,
                "priority": priority,
                "resolutionStrategy": resolution_strategy,
                "type": type_,
                "version": version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.criterion_read import CriterionRead  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_channel(data: object) -> Channel | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                channel_type_0 = Channel(data)

                return channel_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Channel | None, data)

        channel = _parse_channel(d.pop("channel"))

        criteria = []
        _criteria = d.pop("criteria")
        for criteria_item_data in _criteria:
            criteria_item = CriterionRead.from_dict(criteria_item_data)

            criteria.append(criteria_item)

        fallback_to_commerce_rep = d.pop("fallbackToCommerceRep")

        fallback_to_owner = d.pop("fallbackToOwner")

        id = UUID(d.pop("id"))

        is_active = d.pop("isActive")

        priority = d.pop("priority")

        resolution_strategy = TargetStrategy(d.pop("resolutionStrategy"))

        def _parse_type_(data: object) -> ActivityType | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                type_type_0 = ActivityType(data)

                return type_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ActivityType | None, data)

        type_ = _parse_type_(d.pop("type"))

        version = d.pop("version")

        target_config_read = cls(
            channel=channel,
            criteria=criteria,
            fallback_to_commerce_rep=fallback_to_commerce_rep,
            fallback_to_owner=fallback_to_owner,
            id=id,
            is_active=is_active,
            priority=priority,
            resolution_strategy=resolution_strategy,
            type_=type_,
            version=version,
        )

        target_config_read.additional_properties = d
        return target_config_read

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
