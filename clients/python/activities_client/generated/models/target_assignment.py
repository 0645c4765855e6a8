from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

T = TypeVar("T", bound="TargetAssignment")


@_attrs_define
class TargetAssignment:
    """The target user to assign: an active user of the activity's commerce.

    Attributes:
        commerce_user_id (UUID): The id of the commerce's user.
    """

    commerce_user_id: UUID

    def to_dict(self) -> dict[str, Any]:
        commerce_user_id = str(self.commerce_user_id)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "commerce_user_id": commerce_user_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        commerce_user_id = UUID(d.pop("commerce_user_id"))

        target_assignment = cls(
            commerce_user_id=commerce_user_id,
        )

        return target_assignment
