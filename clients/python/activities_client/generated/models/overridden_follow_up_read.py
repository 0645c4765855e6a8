from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus

T = TypeVar("T", bound="OverriddenFollowUpRead")


@_attrs_define
class OverriddenFollowUpRead:
    """The follow-up that a replaced result has made.

    Attributes:
        id (UUID): The id.
        status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never stored
            in a row.
    """

    id: UUID
    status: ActivityStatus
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        status = self.status.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        status = ActivityStatus(d.pop("status"))

        overridden_follow_up_read = cls(
            id=id,
            status=status,
        )

        overridden_follow_up_read.additional_properties = d
        return overridden_follow_up_read

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
