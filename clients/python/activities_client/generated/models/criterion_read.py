from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.criterion_type import CriterionType

if TYPE_CHECKING:
    from ..models.criterion_read_criteria_config import CriterionReadCriteriaConfig


T = TypeVar("T", bound="CriterionRead")


@_attrs_define
class CriterionRead:
    """A criterion of a configuration.

    Attributes:
        criteria_config (CriterionReadCriteriaConfig): The parameters of the criterion.
        criteria_type (CriterionType): The rule by which a criterion chooses a target user.
        priority (int): The order of the trials: lower comes first.
    """

    criteria_config: CriterionReadCriteriaConfig
    criteria_type: CriterionType
    priority: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        criteria_config = self.criteria_config.to_dict()

        criteria_type = self.criteria_type.value

        priority = self.priority

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "criteriaConfig": criteria_config,
                "criteriaType": criteria_type,
                "priority": priority,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.criterion_read_criteria_config import CriterionReadCriteriaConfig  # noqa: PLC0415

        d = dict(src_dict)
        criteria_config = CriterionReadCriteriaConfig.from_dict(d.pop("criteriaConfig"))

        criteria_type = CriterionType(d.pop("criteriaType"))

        priority = d.pop("priority")

        criterion_read = cls(
            criteria_config=criteria_config,
            criteria_type=criteria_type,
            priority=priority,
        )

        criterion_read.additional_properties = d
        return criterion_read

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
