from __future__ import annotations

from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.role_match_config import RoleMatchConfig


T = TypeVar("T", bound="RoleMatch")


@_attrs_define
class RoleMatch:
    """An active, reachable user with this role.

    Attributes:
        config (RoleMatchConfig): The role that ROLE_MATCH looks for.
        type_ (Literal['ROLE_MATCH']): The criterion's kind.
        priority (int | Unset): The order of the trials: lower comes first. Default: 0.
    """

    config: RoleMatchConfig
    type_: Literal["ROLE_MATCH"]
    priority: int | Unset = 0

    def to_dict(self) -> dict[str, Any]:
        config = self.config.to_dict()

        type_ = self.type_

        priority = self.priority

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "config": config,
                "type": type_,
            }
        )
        if priority is not UNSET:
            field_dict["priority"] = priority

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.role_match_config import RoleMatchConfig  # noqa: PLC0415

        d = dict(src_dict)
        config = RoleMatchConfig.from_dict(d.pop("config"))

        type_ = cast(Literal["ROLE_MATCH"], d.pop("type"))
        if type_ != "ROLE_MATCH":
            raise ValueError(f"type must match const 'ROLE_MATCH', got '{type_}'")

        priority = d.pop("priority", UNSET)

        role_match = cls(
            config=config,
            type_=type_,
            priority=priority,
        )

        return role_match
