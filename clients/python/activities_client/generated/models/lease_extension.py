from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="LeaseExtension")


@_attrs_define
class LeaseExtension:
    """The new length of a lease, counted from now.

    Attributes:
        lease_seconds (int | Unset): The seconds for which the executor holds the activity, from now. Default: 60.
    """

    lease_seconds: int | Unset = 60

    def to_dict(self) -> dict[str, Any]:
        lease_seconds = self.lease_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if lease_seconds is not UNSET:
            field_dict["lease_seconds"] = lease_seconds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        lease_seconds = d.pop("lease_seconds", UNSET)

        lease_extension = cls(
            lease_seconds=lease_seconds,
        )

        return lease_extension
