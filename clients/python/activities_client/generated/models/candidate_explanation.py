from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.verdict import Verdict

T = TypeVar("T", bound="CandidateExplanation")


@_attrs_define
class CandidateExplanation:
    """The judgement of one commerce user by one criterion.

    Attributes:
        commerce_user_id (UUID): The id of the commerce's user.
        last_contacted_at (None | str): As far as this criterion counts contacts: on this channel or on any.
        verdict (Verdict): The reason why a candidate was taken or passed over, those nearest to being taken first.
        why (str): The judgement in a sentence.
    """

    commerce_user_id: UUID
    last_contacted_at: None | str
    verdict: Verdict
    why: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        commerce_user_id = str(self.commerce_user_id)

        last_contacted_at: None | str
        last_contacted_at = self.last_contacted_at

        verdict = self.verdict.value

        why = self.why

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "commerceUserId": commerce_user_id,
                "lastContactedAt": last_contacted_at,
                "verdict": verdict,
                "why": why,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        commerce_user_id = UUID(d.pop("commerceUserId"))

        def _parse_last_contacted_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        last_contacted_at = _parse_last_contacted_at(d.pop("lastContactedAt"))

        verdict = Verdict(d.pop("verdict"))

        why = d.pop("why")

        candidate_explanation = cls(
            commerce_user_id=commerce_user_id,
            last_contacted_at=last_contacted_at,
            verdict=verdict,
            why=why,
        )

        candidate_explanation.additional_properties = d
        return candidate_explanation

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
