from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.criteria_source import CriteriaSource
from ..models.lock_reason import LockReason
from ..models.resolution_moment import ResolutionMoment
from ..models.target_status import TargetStatus
from ..models.target_strategy import TargetStrategy

if TYPE_CHECKING:
    from ..models.rules_explanation import RulesExplanation
    from ..models.trial import Trial


T = TypeVar("T", bound="TargetExplanation")


@_attrs_define
class TargetExplanation:
    """The target user, and the criteria and fallbacks that were tried, in the order tried.

    Attributes:
        commerce_user_id (None | UUID): The id of the commerce's user.
        configuration (None | RulesExplanation): Absent if none applies.
        criteria (list[Trial]): The criteria that find the target user.
        criteria_from (CriteriaSource | None): The source of the criteria.
        fallbacks (list[Trial]): The fallbacks that were tried, in the order tried.
        lock_reason (LockReason | None): The reason why this user is the target; null until one is found.
        moment (None | ResolutionMoment): Absent if an operator assigned the user, or a claim found the user
            unreachable.
        more_criteria (int): The number of criteria that were tried without success and are not listed. Default: 0.
        status (None | TargetStatus): The outcome of the search for the target user.
        strategy (None | TargetStrategy): The time at which it is resolved.
        summary (str): The explanation in a sentence.
    """

    commerce_user_id: None | UUID
    configuration: None | RulesExplanation
    criteria: list[Trial]
    criteria_from: CriteriaSource | None
    fallbacks: list[Trial]
    lock_reason: LockReason | None
    moment: None | ResolutionMoment
    status: None | TargetStatus
    strategy: None | TargetStrategy
    summary: str
    more_criteria: int = 0
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.rules_explanation import RulesExplanation  # noqa: PLC0415

        commerce_user_id: None | str
        if isinstance(self.commerce_user_id, UUID):
            commerce_user_id = str(self.commerce_user_id)
        else:
            commerce_user_id = self.commerce_user_id

        configuration: dict[str, Any] | None
        if isinstance(self.configuration, RulesExplanation):
            configuration = self.configuration.to_dict()
        else:
            configuration = self.configuration

        criteria = []
        for criteria_item_data in self.criteria:
            criteria_item = criteria_item_data.to_dict()
            criteria.append(criteria_item)

        criteria_from: None | str
        if isinstance(self.criteria_from, CriteriaSource):
            criteria_from = self.criteria_from.value
        else:
            criteria_from = self.criteria_from

        fallbacks = []
        for fallbacks_item_data in self.fallbacks:
            fallbacks_item = fallbacks_item_data.to_dict()
            fallbacks.append(fallbacks_item)

        lock_reason: None | str
        if isinstance(self.lock_reason, LockReason):
            lock_reason = self.lock_reason.value
        else:
            lock_reason = self.lock_reason

        moment: None | str
        if isinstance(self.moment, ResolutionMoment):
            moment = self.moment.value
        else:
            moment = self.moment

        more_criteria = self.more_criteria

        status: None | str
        if isinstance(self.status, TargetStatus):
            status = self.status.value
        else:
            status = self.status

        strategy: None | str
        if isinstance(self.strategy, TargetStrategy):
            strategy = self.strategy.value
        else:
            strategy = self.strategy

        summary = self.summary

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "commerceUserId": commerce_user_id,
                "configuration": configuration,
                "criteria": criteria,
                "criteriaFrom": criteria_from,
                "fallbacks": fallbacks,
                "lockReason": lock_reason,
                "moment": moment,
                "moreCriteria": more_criteria,
                "status": status,
                "strategy": strategy,
                "summary": summary,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.rules_explanation import RulesExplanation  # noqa: PLC0415
        from ..models.trial import Trial  # noqa: PLC0415

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

        def _parse_configuration(data: object) -> None | RulesExplanation:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                configuration_type_0 = RulesExplanation.from_dict(data)

                return configuration_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RulesExplanation, data)

        configuration = _parse_configuration(d.pop("configuration"))

        criteria = []
        _criteria = d.pop("criteria")
        for criteria_item_data in _criteria:
            criteria_item = Trial.from_dict(criteria_item_data)

            criteria.append(criteria_item)

        def _parse_criteria_from(data: object) -> CriteriaSource | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                criteria_from_type_0 = CriteriaSource(data)

                return criteria_from_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CriteriaSource | None, data)

        criteria_from = _parse_criteria_from(d.pop("criteriaFrom"))

        fallbacks = []
        _fallbacks = d.pop("fallbacks")
        for fallbacks_item_data in _fallbacks:
            fallbacks_item = Trial.from_dict(fallbacks_item_data)

            fallbacks.append(fallbacks_item)

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

        more_criteria = d.pop("moreCriteria")

        def _parse_status(data: object) -> None | TargetStatus:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = TargetStatus(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TargetStatus, data)

        status = _parse_status(d.pop("status"))

        def _parse_strategy(data: object) -> None | TargetStrategy:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                strategy_type_0 = TargetStrategy(data)

                return strategy_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TargetStrategy, data)

        strategy = _parse_strategy(d.pop("strategy"))

        summary = d.pop("summary")

        target_explanation = cls(
            commerce_user_id=commerce_user_id,
            configuration=configuration,
            criteria=criteria,
            criteria_from=criteria_from,
            fallbacks=fallbacks,
            lock_reason=lock_reason,
            moment=moment,
            more_criteria=more_criteria,
            status=status,
            strategy=strategy,
            summary=summary,
        )

        target_explanation.additional_properties = d
        return target_explanation

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
