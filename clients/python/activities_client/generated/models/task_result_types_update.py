from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.task_result_type_update import TaskResultTypeUpdate


T = TypeVar("T", bound="TaskResultTypesUpdate")


@_attrs_define
class TaskResultTypesUpdate:
    """All task result types. With an empty list, any result may be reported and no follow-ups are created.

    Attributes:
        types (list[TaskResultTypeUpdate]): All task result types.
    """

    types: list[TaskResultTypeUpdate]

    def to_dict(self) -> dict[str, Any]:
        types = []
        for types_item_data in self.types:
            types_item = types_item_data.to_dict()
            types.append(types_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "types": types,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.task_result_type_update import TaskResultTypeUpdate  # noqa: PLC0415

        d = dict(src_dict)
        types = []
        _types = d.pop("types")
        for types_item_data in _types:
            types_item = TaskResultTypeUpdate.from_dict(types_item_data)

            types.append(types_item)

        task_result_types_update = cls(
            types=types,
        )

        return task_result_types_update
