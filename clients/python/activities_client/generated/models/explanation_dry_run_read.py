from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus

if TYPE_CHECKING:
    from ..models.attributes_explanation import AttributesExplanation
    from ..models.reason_explanation import ReasonExplanation
    from ..models.target_explanation import TargetExplanation


T = TypeVar("T", bound="ExplanationDryRunRead")


@_attrs_define
class ExplanationDryRunRead:
    """The result that a creation would have; nothing was started or written.

    Attributes:
        attributes (AttributesExplanation | None): Null where none were looked for.
        reason (None | ReasonExplanation): Null but for the creation.
        status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never stored
            in a row.
        status_reason (None | str): The reason if it would be UNRESOLVED.
        target (None | TargetExplanation): Null where no target was looked for.
    """

    attributes: AttributesExplanation | None
    reason: None | ReasonExplanation
    status: ActivityStatus
    status_reason: None | str
    target: None | TargetExplanation
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.attributes_explanation import AttributesExplanation  # noqa: PLC0415
        from ..models.reason_explanation import ReasonExplanation  # noqa: PLC0415
        from ..models.target_explanation import TargetExplanation  # noqa: PLC0415

        attributes: dict[str, Any] | None
        if isinstance(self.attributes, AttributesExplanation):
            attributes = self.attributes.to_dict()
        else:
            attributes = self.attributes

        reason: dict[str, Any] | None
        if isinstance(self.reason, ReasonExplanation):
            reason = self.reason.to_dict()
        else:
            reason = self.reason

        status = self.status.value

        status_reason: None | str
        status_reason = self.status_reason

        target: dict[str, Any] | None
        if isinstance(self.target, TargetExplanation):
            target = self.target.to_dict()
        else:
            target = self.target

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attributes": attributes,
                "reason": reason,
                "status": status,
                "statusReason": status_reason,
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

        status = ActivityStatus(d.pop("status"))

        def _parse_status_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        status_reason = _parse_status_reason(d.pop("statusReason"))

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

        explanation_dry_run_read = cls(
            attributes=attributes,
            reason=reason,
            status=status,
            status_reason=status_reason,
            target=target,
        )

        explanation_dry_run_read.additional_properties = d
        return explanation_dry_run_read

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
