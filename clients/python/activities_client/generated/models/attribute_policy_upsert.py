from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.attribute_policy_upsert_resolver_type import (
    AttributePolicyUpsertResolverType,
)
from ..models.attribute_strategy import AttributeStrategy
from ..types import UNSET, Unset

T = TypeVar("T", bound="AttributePolicyUpsert")


@_attrs_define
class AttributePolicyUpsert:
    """The policy of an attribute key. Name the key by `key` or by `attribute_key_id`.

    Attributes:
        resolver_type (AttributePolicyUpsertResolverType): The source of the value.
        strategy (AttributeStrategy): The time at which an attribute's value is found: at creation, when it is due, or
            by the caller before.
        attribute_key_id (UUID | Unset): The id of the attribute key.
        key (str | Unset): The attribute key.
    """

    resolver_type: AttributePolicyUpsertResolverType
    strategy: AttributeStrategy
    attribute_key_id: UUID | Unset = UNSET
    key: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        resolver_type = self.resolver_type.value

        strategy = self.strategy.value

        attribute_key_id: str | Unset = UNSET
        if not isinstance(self.attribute_key_id, Unset):
            attribute_key_id = str(self.attribute_key_id)

        key = self.key

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "resolver_type": resolver_type,
                "strategy": strategy,
            }
        )
        if attribute_key_id is not UNSET:
            field_dict["attribute_key_id"] = attribute_key_id
        if key is not UNSET:
            field_dict["key"] = key

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        resolver_type = AttributePolicyUpsertResolverType(d.pop("resolver_type"))

        strategy = AttributeStrategy(d.pop("strategy"))

        _attribute_key_id = d.pop("attribute_key_id", UNSET)
        attribute_key_id: UUID | Unset
        if isinstance(_attribute_key_id, Unset):
            attribute_key_id = UNSET
        else:
            attribute_key_id = UUID(_attribute_key_id)

        key = d.pop("key", UNSET)

        attribute_policy_upsert = cls(
            resolver_type=resolver_type,
            strategy=strategy,
            attribute_key_id=attribute_key_id,
            key=key,
        )

        return attribute_policy_upsert
