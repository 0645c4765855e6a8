from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.attribute_strategy import AttributeStrategy
from ..models.resolver_type import ResolverType

T = TypeVar("T", bound="PolicyExplanation")


@_attrs_define
class PolicyExplanation:
    """The policy in force; the service's own default, for a key without a policy, has no version.

    Attributes:
        resolver_type (ResolverType): The source of an attribute's value.
        strategy (AttributeStrategy): The time at which an attribute's value is found: at creation, when it is due, or
            by the caller before.
        version (int | None): The version, which each change increases.
    """

    resolver_type: ResolverType
    strategy: AttributeStrategy
    version: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        resolver_type = self.resolver_type.value

        strategy = self.strategy.value

        version: int | None
        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "resolverType": resolver_type,
                "strategy": strategy,
                "version": version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        resolver_type = ResolverType(d.pop("resolverType"))

        strategy = AttributeStrategy(d.pop("strategy"))

        def _parse_version(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        version = _parse_version(d.pop("version"))

        policy_explanation = cls(
            resolver_type=resolver_type,
            strategy=strategy,
            version=version,
        )

        policy_explanation.additional_properties = d
        return policy_explanation

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
