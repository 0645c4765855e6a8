from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CommerceAssignmentRead")


@_attrs_define
class CommerceAssignmentRead:
    """The commerce of the activity.

    Attributes:
        assignment_reason (None | str): The reason of the assignment to the commerce, in the caller's words.
        commerce_id (UUID): The id of the commerce.
    """

    assignment_reason: None | str
    commerce_id: UUID
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        assignment_reason: None | str
        assignment_reason = self.assignment_reason

        commerce_id = str(self.commerce_id)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "assignmentReason": assignment_reason,
                "commerceId": commerce_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_assignment_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        assignment_reason = _parse_assignment_reason(d.pop("assignmentReason"))

        commerce_id = UUID(d.pop("commerceId"))

        commerce_assignment_read = cls(
            assignment_reason=assignment_reason,
            commerce_id=commerce_id,
        )

        commerce_assignment_read.additional_properties = d
        return commerce_assignment_read

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
