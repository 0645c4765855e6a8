from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ItemCounts")


@_attrs_define
class ItemCounts:
    """The number of items by outcome. ACCEPTED items will still be changed; REFUSED and FAILED ones were not.

    Attributes:
        accepted (int): The number of activities that will still be changed. Default: 0.
        applied (int): The number of activities that were changed. Default: 0.
        failed (int): The number of activities whose change has failed. Default: 0.
        pending (int): The number of activities that are still to be changed. Default: 0.
        refused (int): The number of activities that could not be changed. Default: 0.
    """

    accepted: int = 0
    applied: int = 0
    failed: int = 0
    pending: int = 0
    refused: int = 0
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        accepted = self.accepted

        applied = self.applied

        failed = self.failed

        pending = self.pending

        refused = self.refused

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "accepted": accepted,
                "applied": applied,
                "failed": failed,
                "pending": pending,
                "refused": refused,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        accepted = d.pop("accepted")

        applied = d.pop("applied")

        failed = d.pop("failed")

        pending = d.pop("pending")

        refused = d.pop("refused")

        item_counts = cls(
            accepted=accepted,
            applied=applied,
            failed=failed,
            pending=pending,
            refused=refused,
        )

        item_counts.additional_properties = d
        return item_counts

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
