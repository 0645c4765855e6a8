from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.criterion_type import CriterionType
from ..models.lock_reason import LockReason
from ..models.outcome import Outcome

if TYPE_CHECKING:
    from ..models.candidate_explanation import CandidateExplanation
    from ..models.trial_config import TrialConfig


T = TypeVar("T", bound="Trial")


@_attrs_define
class Trial:
    """One criterion or fallback that was tried, with its candidates, those nearest to being taken first.

    Attributes:
        candidates (list[CandidateExplanation]): The users who were judged, those nearest to being taken first.
        config (TrialConfig): The parameters of the criterion.
        fallback (LockReason | None): The fallback that was tried; null if it was a criterion.
        more_candidates (int): The number of candidates that are not listed. Default: 0.
        outcome (Outcome): The outcome of a criterion or a fallback.
        priority (int): The order of the trials: lower comes first. Default: 0.
        type_ (CriterionType): The rule by which a criterion chooses a target user.
    """

    candidates: list[CandidateExplanation]
    config: TrialConfig
    fallback: LockReason | None
    outcome: Outcome
    type_: CriterionType
    more_candidates: int = 0
    priority: int = 0
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        candidates = []
        for candidates_item_data in self.candidates:
            candidates_item = candidates_item_data.to_dict()
            candidates.append(candidates_item)

        config = self.config.to_dict()

        fallback: None | str
        if isinstance(self.fallback, LockReason):
            fallback = self.fallback.value
        else:
            fallback = self.fallback

        more_candidates = self.more_candidates

        outcome = self.outcome.value

        priority = self.priority

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "candidates": candidates,
                "config": config,
                "fallback": fallback,
                "moreCandidates": more_candidates,
                "outcome": outcome,
                "priority": priority,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.candidate_explanation import CandidateExplanation  # noqa: PLC0415
        from ..models.trial_config import TrialConfig  # noqa: PLC0415

        d = dict(src_dict)
        candidates = []
        _candidates = d.pop("candidates")
        for candidates_item_data in _candidates:
            candidates_item = CandidateExplanation.from_dict(candidates_item_data)

            candidates.append(candidates_item)

        config = TrialConfig.from_dict(d.pop("config"))

        def _parse_fallback(data: object) -> LockReason | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                fallback_type_0 = LockReason(data)

                return fallback_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(LockReason | None, data)

        fallback = _parse_fallback(d.pop("fallback"))

        more_candidates = d.pop("moreCandidates")

        outcome = Outcome(d.pop("outcome"))

        priority = d.pop("priority")

        type_ = CriterionType(d.pop("type"))

        trial = cls(
            candidates=candidates,
            config=config,
            fallback=fallback,
            more_candidates=more_candidates,
            outcome=outcome,
            priority=priority,
            type_=type_,
        )

        trial.additional_properties = d
        return trial

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
