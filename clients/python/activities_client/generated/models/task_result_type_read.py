from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="TaskResultTypeRead")


@_attrs_define
class TaskResultTypeRead:
    """A result that executors may report.

    Attributes:
        code (str): The code of the entry, unique in its catalogue.
        label (str): The name that people are shown.
        requires_future_scheduled_at (bool): Whether a result of this type needs the time of a follow-up.
    """

    code: str
    label: str
    requires_future_scheduled_at: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        label = self.label

        requires_future_scheduled_at = self.requires_future_scheduled_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "label": label,
                "requiresFutureScheduledAt": requires_future_scheduled_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        label = d.pop("label")

        requires_future_scheduled_at = d.pop("requiresFutureScheduledAt")

        task_result_type_read = cls(
            code=code,
            label=label,
            requires_future_scheduled_at=requires_future_scheduled_at,
        )

        task_result_type_read.additional_properties = d
        return task_result_type_read

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
