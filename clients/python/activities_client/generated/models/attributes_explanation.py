from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.resolution_moment import ResolutionMoment

if TYPE_CHECKING:
    from ..models.attribute_explanation import AttributeExplanation


T = TypeVar("T", bound="AttributesExplanation")


@_attrs_define
class AttributesExplanation:
    """The explanations of the attributes' values.

    Attributes:
        attributes (list[AttributeExplanation]): The values that the executor needs.
        moment (ResolutionMoment): The occasion of a resolution.
    """

    attributes: list[AttributeExplanation]
    moment: ResolutionMoment
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        attributes = []
        for attributes_item_data in self.attributes:
            attributes_item = attributes_item_data.to_dict()
            attributes.append(attributes_item)

        moment = self.moment.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attributes": attributes,
                "moment": moment,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attribute_explanation import AttributeExplanation  # noqa: PLC0415

        d = dict(src_dict)
        attributes = []
        _attributes = d.pop("attributes")
        for attributes_item_data in _attributes:
            attributes_item = AttributeExplanation.from_dict(attributes_item_data)

            attributes.append(attributes_item)

        moment = ResolutionMoment(d.pop("moment"))

        attributes_explanation = cls(
            attributes=attributes,
            moment=moment,
        )

        attributes_explanation.additional_properties = d
        return attributes_explanation

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
