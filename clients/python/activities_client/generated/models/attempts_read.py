from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.attempt_read import AttemptRead


T = TypeVar("T", bound="AttemptsRead")


@_attrs_define
class AttemptsRead:
    """The latest attempts at the activity's resolution, the oldest first.

    Attributes:
        activity_id (UUID): The id of the activity.
        attempts (list[AttemptRead]): At most 10; fewer, if they have many bytes.
        earlier_attempts (int): The number of earlier attempts, which are not listed.
    """

    activity_id: UUID
    attempts: list[AttemptRead]
    earlier_attempts: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        activity_id = str(self.activity_id)

        attempts = []
        for attempts_item_data in self.attempts:
            attempts_item = attempts_item_data.to_dict()
            attempts.append(attempts_item)

        earlier_attempts = self.earlier_attempts

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activityId": activity_id,
                "attempts": attempts,
                "earlierAttempts": earlier_attempts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attempt_read import AttemptRead  # noqa: PLC0415

        d = dict(src_dict)
        activity_id = UUID(d.pop("activityId"))

        attempts = []
        _attempts = d.pop("attempts")
        for attempts_item_data in _attempts:
            attempts_item = AttemptRead.from_dict(attempts_item_data)

            attempts.append(attempts_item)

        earlier_attempts = d.pop("earlierAttempts")

        attempts_read = cls(
            activity_id=activity_id,
            attempts=attempts,
            earlier_attempts=earlier_attempts,
        )

        attempts_read.additional_properties = d
        return attempts_read

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
