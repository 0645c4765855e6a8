from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.resolution_moment import ResolutionMoment

if TYPE_CHECKING:
    from ..models.attributes_explanation import AttributesExplanation
    from ..models.reason_explanation import ReasonExplanation
    from ..models.target_explanation import TargetExplanation


T = TypeVar("T", bound="AttemptRead")


@_attrs_define
class AttemptRead:
    """One attempt at resolution.

    Attributes:
        attempted_at (datetime.datetime): The time of the attempt.
        attributes (AttributesExplanation | None): Null where none were looked for.
        moment (None | ResolutionMoment): The occasion of the attempt; null if an operator assigned the user, or a claim
            found the user unreachable.
        reason (None | ReasonExplanation): Null but for the creation.
        target (None | TargetExplanation): Null where no target was looked for.
    """

    attempted_at: datetime.datetime
    attributes: AttributesExplanation | None
    moment: None | ResolutionMoment
    reason: None | ReasonExplanation
    target: None | TargetExplanation
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.attributes_explanation import AttributesExplanation  # noqa: PLC0415
        from ..models.reason_explanation import ReasonExplanation  # noqa: PLC0415
        from ..models.target_explanation import TargetExplanation  # noqa: PLC0415

        attempted_at = self.attempted_at.isoformat()

        attributes: dict[str, Any] | None
        if isinstance(self.attributes, AttributesExplanation):
            attributes = self.attributes.to_dict()
        else:
            attributes = self.attributes

        moment: None | str
        if isinstance(self.moment, ResolutionMoment):
            moment = self.moment.value
        else:
            moment = self.moment

        reason: dict[str, Any] | None
        if isinstance(self.reason, ReasonExplanation):
            reason = self.reason.to_dict()
        else:
            reason = self.reason

        target: dict[str, Any] | None
        if isinstance(self.target, TargetExplanation):
            target = self.target.to_dict()
        else:
            target = self.target

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attemptedAt": attempted_at,
                "attributes": attributes,
                "moment": moment,
                "reason": reason,
                "target": target,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attributes_explanation import AttributesExplanation  # noqa: PLC0415
        from ..models.reason_explanation import ReasonExplanation  # noqa: PLC0415
        from ..models.target_explanation import TargetExplanation  # noqa: PLC0415

        d = dict(src_dict)
        attempted_at = datetime.datetime.fromisoformat(d.pop("attemptedAt"))

        def _parse_attributes(data: object) -> AttributesExplanation | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                attributes_type_0 = AttributesExplanation.from_dict(data)

                return attributes_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AttributesExplanation | None, data)

        attributes = _parse_attributes(d.pop("attributes"))

        def _parse_moment(data: object) -> None | ResolutionMoment:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                moment_type_0 = ResolutionMoment(data)

                return moment_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ResolutionMoment, data)

        moment = _parse_moment(d.pop("moment"))

        def _parse_reason(data: object) -> None | ReasonExplanation:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                reason_type_0 = ReasonExplanation.from_dict(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ReasonExplanation, data)

        reason = _parse_reason(d.pop("reason"))

        def _parse_target(data: object) -> None | TargetExplanation:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                target_type_0 = TargetExplanation.from_dict(data)

                return target_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TargetExplanation, data)

        target = _parse_target(d.pop("target"))

        attempt_read = cls(
            attempted_at=attempted_at,
            attributes=attributes,
            moment=moment,
            reason=reason,
            target=target,
        )

        attempt_read.additional_properties = d
        return attempt_read

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
