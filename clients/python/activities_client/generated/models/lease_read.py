from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus

T = TypeVar("T", bound="LeaseRead")


@_attrs_define
class LeaseRead:
    """A lease after a change. The executor holds the activity while it is DISPATCHED.

    Attributes:
        activity_id (UUID): The id of the activity.
        attempt (int): The number of the claim, counted from 1.
        lease_expires_at (datetime.datetime): The time at which the lease ends.
        lease_token (UUID): The secret of the lease.
        status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never stored
            in a row.
    """

    activity_id: UUID
    attempt: int
    lease_expires_at: datetime.datetime
    lease_token: UUID
    status: ActivityStatus
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        activity_id = str(self.activity_id)

        attempt = self.attempt

        lease_expires_at = self.lease_expires_at.isoformat()

        lease_token = str(self.lease_token)

        status = self.status.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activityId": activity_id,
                "attempt": attempt,
                "leaseExpiresAt": lease_expires_at,
                "leaseToken": lease_token,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        activity_id = UUID(d.pop("activityId"))

        attempt = d.pop("attempt")

        lease_expires_at = datetime.datetime.fromisoformat(d.pop("leaseExpiresAt"))

        lease_token = UUID(d.pop("leaseToken"))

        status = ActivityStatus(d.pop("status"))

        lease_read = cls(
            activity_id=activity_id,
            attempt=attempt,
            lease_expires_at=lease_expires_at,
            lease_token=lease_token,
            status=status,
        )

        lease_read.additional_properties = d
        return lease_read

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
