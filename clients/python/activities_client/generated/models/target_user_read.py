from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.lock_reason import LockReason
from ..models.target_status import TargetStatus
from ..models.target_strategy import TargetStrategy

T = TypeVar("T", bound="TargetUserRead")


@_attrs_define
class TargetUserRead:
    """A target user of the activity.

    Attributes:
        commerce_user_id (None | UUID): The id of the commerce's user.
        error_message (None | str): The error in a sentence; null if there is none.
        id (UUID): The id.
        lock_reason (LockReason | None): The reason why this user is the target; null until one is found.
        locked_at (datetime.datetime | None): The time at which the target became final; null before.
        resolution_status (TargetStatus): The progress of the search for the target user; a user that was found is
            `LOCKED` once the activity is due.
        resolution_strategy (TargetStrategy): The time at which the target user is chosen: at creation, when the
            activity is due, or by an operator.
        resolved_at (datetime.datetime | None): The time at which it was found; null before.
    """

    commerce_user_id: None | UUID
    error_message: None | str
    id: UUID
    lock_reason: LockReason | None
    locked_at: datetime.datetime | None
    resolution_status: TargetStatus
    resolution_strategy: TargetStrategy
    resolved_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        commerce_user_id: None | str
        if isinstance(self.commerce_user_id, UUID):
            commerce_user_id = str(self.commerce_user_id)
        else:
            commerce_user_id = self.commerce_user_id

        error_message: None | str
        error_message = self.error_message

        id = str(self.id)

        lock_reason: None | str
        if isinstance(self.lock_reason, LockReason):
            lock_reason = self.lock_reason.value
        else:
            lock_reason = self.lock_reason

        locked_at: None | str
        if isinstance(self.locked_at, datetime.datetime):
            locked_at = self.locked_at.isoformat()
        else:
            locked_at = self.locked_at

        resolution_status = self.resolution_status.value

        resolution_strategy = self.resolution_strategy.value

        resolved_at: None | str
        if isinstance(self.resolved_at, datetime.datetime):
            resolved_at = self.resolved_at.isoformat()
        else:
            resolved_at = self.resolved_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "commerceUserId": commerce_user_id,
                "errorMessage": error_message,
                "id": id,
                "lockReason": lock_reason,
                "lockedAt": locked_at,
                "resolutionStatus": resolution_status,
                "resolutionStrategy": resolution_strategy,
                "resolvedAt": resolved_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_commerce_user_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                commerce_user_id_type_0 = UUID(data)

                return commerce_user_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        commerce_user_id = _parse_commerce_user_id(d.pop("commerceUserId"))

        def _parse_error_message(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error_message = _parse_error_message(d.pop("errorMessage"))

        id = UUID(d.pop("id"))

        def _parse_lock_reason(data: object) -> LockReason | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                lock_reason_type_0 = LockReason(data)

                return lock_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(LockReason | None, data)

        lock_reason = _parse_lock_reason(d.pop("lockReason"))

        def _parse_locked_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                locked_at_type_0 = datetime.datetime.fromisoformat(data)

                return locked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        locked_at = _parse_locked_at(d.pop("lockedAt"))

        resolution_status = TargetStatus(d.pop("resolutionStatus"))

        resolution_strategy = TargetStrategy(d.pop("resolutionStrategy"))

        def _parse_resolved_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                resolved_at_type_0 = datetime.datetime.fromisoformat(data)

                return resolved_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        resolved_at = _parse_resolved_at(d.pop("resolvedAt"))

        target_user_read = cls(
            commerce_user_id=commerce_user_id,
            error_message=error_message,
            id=id,
            lock_reason=lock_reason,
            locked_at=locked_at,
            resolution_status=resolution_status,
            resolution_strategy=resolution_strategy,
            resolved_at=resolved_at,
        )

        target_user_read.additional_properties = d
        return target_user_read

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
