from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.item_outcome import ItemOutcome

T = TypeVar("T", bound="ItemRead")


@_attrs_define
class ItemRead:
    """The outcome of one activity.

    Attributes:
        activity_id (UUID): The id of the activity.
        changed_at (datetime.datetime | None): The time of the change; null if there is none.
        code (None | str): The error code that a call for this activity alone would have returned.
        detail (None | str): The reason of the outcome. After a retry that was APPLIED, what could not be resolved
            again.
        outcome (ItemOutcome): The outcome for one activity: ACCEPTED is still to be carried out; REFUSED and FAILED
            have changed nothing.
        scheduled_at (datetime.datetime): The activity's time when it was chosen.
    """

    activity_id: UUID
    changed_at: datetime.datetime | None
    code: None | str
    detail: None | str
    outcome: ItemOutcome
    scheduled_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        activity_id = str(self.activity_id)

        changed_at: None | str
        if isinstance(self.changed_at, datetime.datetime):
            changed_at = self.changed_at.isoformat()
        else:
            changed_at = self.changed_at

        code: None | str
        code = self.code

        detail: None | str
        detail = self.detail

        outcome = self.outcome.value

        scheduled_at = self.scheduled_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activityId": activity_id,
                "changedAt": changed_at,
                "code": code,
                "detail": detail,
                "outcome": outcome,
                "scheduledAt": scheduled_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        activity_id = UUID(d.pop("activityId"))

        def _parse_changed_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                changed_at_type_0 = datetime.datetime.fromisoformat(data)

                return changed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        changed_at = _parse_changed_at(d.pop("changedAt"))

        def _parse_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        code = _parse_code(d.pop("code"))

        def _parse_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        detail = _parse_detail(d.pop("detail"))

        outcome = ItemOutcome(d.pop("outcome"))

        scheduled_at = datetime.datetime.fromisoformat(d.pop("scheduledAt"))

        item_read = cls(
            activity_id=activity_id,
            changed_at=changed_at,
            code=code,
            detail=detail,
            outcome=outcome,
            scheduled_at=scheduled_at,
        )

        item_read.additional_properties = d
        return item_read

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
