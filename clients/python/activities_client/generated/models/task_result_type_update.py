from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="TaskResultTypeUpdate")


@_attrs_define
class TaskResultTypeUpdate:
    """A result that executors may report.

    Attributes:
        code (str): The code of the entry, unique in its catalogue.
        label (str): The name that people are shown.
        requires_future_scheduled_at (bool | Unset): The result must have a `future_scheduled_at`. A follow-up is
            created for that time, if the executor has the permission `CREATE_ACTIVITY`; else the result is refused.
            Default: False.
    """

    code: str
    label: str
    requires_future_scheduled_at: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        label = self.label

        requires_future_scheduled_at = self.requires_future_scheduled_at

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "label": label,
            }
        )
        if requires_future_scheduled_at is not UNSET:
            field_dict["requires_future_scheduled_at"] = requires_future_scheduled_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        label = d.pop("label")

        requires_future_scheduled_at = d.pop("requires_future_scheduled_at", UNSET)

        task_result_type_update = cls(
            code=code,
            label=label,
            requires_future_scheduled_at=requires_future_scheduled_at,
        )

        return task_result_type_update
