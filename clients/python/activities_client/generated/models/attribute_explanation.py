from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.attribute_status import AttributeStatus
from ..models.value_source import ValueSource

if TYPE_CHECKING:
    from ..models.policy_explanation import PolicyExplanation


T = TypeVar("T", bound="AttributeExplanation")


@_attrs_define
class AttributeExplanation:
    """The source of one attribute's value, or the error; the value itself is with the attribute.

    Attributes:
        error (None | str): The reason why there is no value.
        has_fallback (bool): Whether the request has a fallback for the attribute. Default: False.
        key (str): The attribute key.
        policy (None | PolicyExplanation): The policy that was in force; null if the key had none.
        source (None | ValueSource): The source of the value; null if there is none.
        status (AttributeStatus): The outcome of the search for an attribute's value.
    """

    error: None | str
    key: str
    policy: None | PolicyExplanation
    source: None | ValueSource
    status: AttributeStatus
    has_fallback: bool = False
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.policy_explanation import PolicyExplanation  # noqa: PLC0415

        error: None | str
        error = self.error

        has_fallback = self.has_fallback

        key = self.key

        policy: dict[str, Any] | None
        if isinstance(self.policy, PolicyExplanation):
            policy = self.policy.to_dict()
        else:
            policy = self.policy

        source: None | str
        if isinstance(self.source, ValueSource):
            source = self.source.value
        else:
            source = self.source

        status = self.status.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
                "hasFallback": has_fallback,
                "key": key,
                "policy": policy,
                "source": source,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.policy_explanation import PolicyExplanation  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_error(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error = _parse_error(d.pop("error"))

        has_fallback = d.pop("hasFallback")

        key = d.pop("key")

        def _parse_policy(data: object) -> None | PolicyExplanation:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                policy_type_0 = PolicyExplanation.from_dict(data)

                return policy_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PolicyExplanation, data)

        policy = _parse_policy(d.pop("policy"))

        def _parse_source(data: object) -> None | ValueSource:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                source_type_0 = ValueSource(data)

                return source_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ValueSource, data)

        source = _parse_source(d.pop("source"))

        status = AttributeStatus(d.pop("status"))

        attribute_explanation = cls(
            error=error,
            has_fallback=has_fallback,
            key=key,
            policy=policy,
            source=source,
            status=status,
        )

        attribute_explanation.additional_properties = d
        return attribute_explanation

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
