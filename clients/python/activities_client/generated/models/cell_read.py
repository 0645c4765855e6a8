from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus
from ..models.channel import Channel

T = TypeVar("T", bound="CellRead")


@_attrs_define
class CellRead:
    """The number of activities that share a status, a channel and an hour, or those of them that were asked for.

    Attributes:
        at_least (bool): True if there are more than `count`.
        channel (Channel | None): The channel; null if it is not in `by`.
        count (int): The number of activities, counted up to 10,000.
        hour (datetime.datetime | None): The beginning of the hour, in UTC; null if it is not in `by`.
        status (ActivityStatus | None): The status; null if it is not in `by`.
    """

    at_least: bool
    channel: Channel | None
    count: int
    hour: datetime.datetime | None
    status: ActivityStatus | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at_least = self.at_least

        channel: None | str
        if isinstance(self.channel, Channel):
            channel = self.channel.value
        else:
            channel = self.channel

        count = self.count

        hour: None | str
        if isinstance(self.hour, datetime.datetime):
            hour = self.hour.isoformat()
        else:
            hour = self.hour

        status: None | str
        if isinstance(self.status, ActivityStatus):
            status = self.status.value
        else:
            status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "atLeast": at_least,
                "channel": channel,
                "count": count,
                "hour": hour,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at_least = d.pop("atLeast")

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

        count = d.pop("count")

        def _parse_hour(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                hour_type_0 = datetime.datetime.fromisoformat(data)

                return hour_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        hour = _parse_hour(d.pop("hour"))

        def _parse_status(data: object) -> ActivityStatus | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = ActivityStatus(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ActivityStatus | None, data)

        status = _parse_status(d.pop("status"))

        cell_read = cls(
            at_least=at_least,
            channel=channel,
            count=count,
            hour=hour,
            status=status,
        )

        cell_read.additional_properties = d
        return cell_read

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
