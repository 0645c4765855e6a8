from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ActivityPatch")


@_attrs_define
class ActivityPatch:
    """The fields of an activity that may still change; an absent field stays as it is.

    Attributes:
        change_reason (str | Unset): The reason of the change, for the trail.
        scheduled_at (datetime.datetime | Unset): The time of execution.
        score (int | None | Unset): A null clears it.
        suggested_execution_time (datetime.datetime | None | Unset): A null clears it.
    """

    change_reason: str | Unset = UNSET
    scheduled_at: datetime.datetime | Unset = UNSET
    score: int | None | Unset = UNSET
    suggested_execution_time: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        change_reason = self.change_reason

        scheduled_at: str | Unset = UNSET
        if not isinstance(self.scheduled_at, Unset):
            scheduled_at = self.scheduled_at.isoformat()

        score: int | None | Unset
        if isinstance(self.score, Unset):
            score = UNSET
        else:
            score = self.score

        suggested_execution_time: None | str | Unset
        if isinstance(self.suggested_execution_time, Unset):
            suggested_execution_time = UNSET
        elif isinstance(self.suggested_execution_time, datetime.datetime):
            suggested_execution_time = self.suggested_execution_time.isoformat()
        else:
            suggested_execution_time = self.suggested_execution_time

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if change_reason is not UNSET:
            field_dict["change_reason"] = change_reason
        if scheduled_at is not UNSET:
            field_dict["scheduled_at"] = scheduled_at
        if score is not UNSET:
            field_dict["score"] = score
        if suggested_execution_time is not UNSET:
            field_dict["suggested_execution_time"] = suggested_execution_time

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        change_reason = d.pop("change_reason", UNSET)

        _scheduled_at = d.pop("scheduled_at", UNSET)
        scheduled_at: datetime.datetime | Unset
        if isinstance(_scheduled_at, Unset):
            scheduled_at = UNSET
        else:
            scheduled_at = datetime.datetime.fromisoformat(_scheduled_at)

        def _parse_score(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        score = _parse_score(d.pop("score", UNSET))

        def _parse_suggested_execution_time(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                suggested_execution_time_type_0 = datetime.datetime.fromisoformat(data)

                return suggested_execution_time_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        suggested_execution_time = _parse_suggested_execution_time(d.pop("suggested_execution_time", UNSET))

        activity_patch = cls(
            change_reason=change_reason,
            scheduled_at=scheduled_at,
            score=score,
            suggested_execution_time=suggested_execution_time,
        )

        return activity_patch
