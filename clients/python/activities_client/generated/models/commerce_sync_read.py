from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.rejected_item_read import RejectedItemRead


T = TypeVar("T", bound="CommerceSyncRead")


@_attrs_define
class CommerceSyncRead:
    """The number of items by outcome, the items that were not written, and those that were written in part.

    Attributes:
        created (int): The number of commerces that are new.
        refused (list[RejectedItemRead]): The items that were not written.
        unchanged (int): The number of commerces that were stored already as they were sent.
        updated (int): The number of commerces that were changed.
        warnings (list[RejectedItemRead]): Items that were written without the contacts that `errors` points at; it says
            what would be right.
    """

    created: int
    refused: list[RejectedItemRead]
    unchanged: int
    updated: int
    warnings: list[RejectedItemRead]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created = self.created

        refused = []
        for refused_item_data in self.refused:
            refused_item = refused_item_data.to_dict()
            refused.append(refused_item)

        unchanged = self.unchanged

        updated = self.updated

        warnings = []
        for warnings_item_data in self.warnings:
            warnings_item = warnings_item_data.to_dict()
            warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created": created,
                "refused": refused,
                "unchanged": unchanged,
                "updated": updated,
                "warnings": warnings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.rejected_item_read import RejectedItemRead  # noqa: PLC0415

        d = dict(src_dict)
        created = d.pop("created")

        refused = []
        _refused = d.pop("refused")
        for refused_item_data in _refused:
            refused_item = RejectedItemRead.from_dict(refused_item_data)

            refused.append(refused_item)

        unchanged = d.pop("unchanged")

        updated = d.pop("updated")

        warnings = []
        _warnings = d.pop("warnings")
        for warnings_item_data in _warnings:
            warnings_item = RejectedItemRead.from_dict(warnings_item_data)

            warnings.append(warnings_item)

        commerce_sync_read = cls(
            created=created,
            refused=refused,
            unchanged=unchanged,
            updated=updated,
            warnings=warnings,
        )

        commerce_sync_read.additional_properties = d
        return commerce_sync_read

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
