from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.text_explanation import TextExplanation


T = TypeVar("T", bound="ReasonExplanation")


@_attrs_define
class ReasonExplanation:
    """The matches of the reason and, when one was given, of the user status.

    Attributes:
        reason (TextExplanation): The match of one text with one entry of a catalogue.
        user_status (None | TextExplanation): The match of the user status; null if none was given.
    """

    reason: TextExplanation
    user_status: None | TextExplanation
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.text_explanation import TextExplanation  # noqa: PLC0415

        reason = self.reason.to_dict()

        user_status: dict[str, Any] | None
        if isinstance(self.user_status, TextExplanation):
            user_status = self.user_status.to_dict()
        else:
            user_status = self.user_status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "reason": reason,
                "userStatus": user_status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.text_explanation import TextExplanation  # noqa: PLC0415

        d = dict(src_dict)
        reason = TextExplanation.from_dict(d.pop("reason"))

        def _parse_user_status(data: object) -> None | TextExplanation:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                user_status_type_0 = TextExplanation.from_dict(data)

                return user_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TextExplanation, data)

        user_status = _parse_user_status(d.pop("userStatus"))

        reason_explanation = cls(
            reason=reason,
            user_status=user_status,
        )

        reason_explanation.additional_properties = d
        return reason_explanation

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
