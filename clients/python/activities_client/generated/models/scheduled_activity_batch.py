from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.scheduled_activity_create import ScheduledActivityCreate


T = TypeVar("T", bound="ScheduledActivityBatch")


@_attrs_define
class ScheduledActivityBatch:
    """The activities to create, each with its own idempotency key. An item that is not valid fails alone.

    Attributes:
        activities (list[ScheduledActivityCreate]): The activities to create, each with its own idempotency key.
    """

    activities: list[ScheduledActivityCreate]

    def to_dict(self) -> dict[str, Any]:
        activities = []
        for activities_item_data in self.activities:
            activities_item = activities_item_data.to_dict()
            activities.append(activities_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "activities": activities,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.scheduled_activity_create import ScheduledActivityCreate  # noqa: PLC0415

        d = dict(src_dict)
        activities = []
        _activities = d.pop("activities")
        for activities_item_data in _activities:
            activities_item = ScheduledActivityCreate.from_dict(activities_item_data)

            activities.append(activities_item)

        scheduled_activity_batch = cls(
            activities=activities,
        )

        return scheduled_activity_batch
