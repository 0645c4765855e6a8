from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.attribute_strategy import AttributeStrategy
from ..models.resolver_type import ResolverType

if TYPE_CHECKING:
    from ..models.attribute_key_of_policy_read import AttributeKeyOfPolicyRead


T = TypeVar("T", bound="AttributePolicyRead")


@_attrs_define
class AttributePolicyRead:
    """The policy of an attribute key. Explanations refer to its version.

    Attributes:
        attribute_key (AttributeKeyOfPolicyRead): The attribute key of a policy.
        attribute_key_id (UUID): The id of the attribute key.
        resolver_type (ResolverType): The source of an attribute's value.
        strategy (AttributeStrategy): The time at which an attribute's value is found: at creation, when it is due, or
            by the caller before.
        version (int): The version, which each change increases.
    """

    attribute_key: AttributeKeyOfPolicyRead
    attribute_key_id: UUID
    resolver_type: ResolverType
    strategy: AttributeStrategy
    version: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        attribute_key = self.attribute_key.to_dict()

        attribute_key_id = str(self.attribute_key_id)

        resolver_type = self.resolver_type.value

        strategy = self.strategy.value

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attributeKey": attribute_key,
                "attributeKeyId": attribute_key_id,
                "resolverType": resolver_type,
                "strategy": strategy,
                "version": version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attribute_key_of_policy_read import AttributeKeyOfPolicyRead  # noqa: PLC0415

        d = dict(src_dict)
        attribute_key = AttributeKeyOfPolicyRead.from_dict(d.pop("attributeKey"))

        attribute_key_id = UUID(d.pop("attributeKeyId"))

        resolver_type = ResolverType(d.pop("resolverType"))

        strategy = AttributeStrategy(d.pop("strategy"))

        version = d.pop("version")

        attribute_policy_read = cls(
            attribute_key=attribute_key,
            attribute_key_id=attribute_key_id,
            resolver_type=resolver_type,
            strategy=strategy,
            version=version,
        )

        attribute_policy_read.additional_properties = d
        return attribute_policy_read

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
