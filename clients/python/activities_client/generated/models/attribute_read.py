from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.attribute_status import AttributeStatus
from ..models.resolver_type import ResolverType

T = TypeVar("T", bound="AttributeRead")


@_attrs_define
class AttributeRead:
    """A value that the executor needs.

    Attributes:
        attribute_key_id (UUID): The id of the attribute key.
        error_message (None | str): The error in a sentence; null if there is none.
        id (UUID): The id.
        key (str): The attribute key.
        resolution_status (AttributeStatus): The outcome of the search for an attribute's value.
        resolved_at (datetime.datetime | None): The time at which it was found; null before.
        resolver_type (ResolverType): The source of an attribute's value.
        value (Any): Any JSON value.
    """

    attribute_key_id: UUID
    error_message: None | str
    id: UUID
    key: str
    resolution_status: AttributeStatus
    resolved_at: datetime.datetime | None
    resolver_type: ResolverType
    value: Any
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        attribute_key_id = str(self.attribute_key_id)

        error_message: None | str
        error_message = self.error_message

        id = str(self.id)

        key = self.key

        resolution_status = self.resolution_status.value

        resolved_at: None | str
        if isinstance(self.resolved_at, datetime.datetime):
            resolved_at = self.resolved_at.isoformat()
        else:
            resolved_at = self.resolved_at

        resolver_type = self.resolver_type.value

        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attributeKeyId": attribute_key_id,
                "errorMessage": error_message,
                "id": id,
                "key": key,
                "resolutionStatus": resolution_status,
                "resolvedAt": resolved_at,
                "resolverType": resolver_type,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        attribute_key_id = UUID(d.pop("attributeKeyId"))

        def _parse_error_message(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error_message = _parse_error_message(d.pop("errorMessage"))

        id = UUID(d.pop("id"))

        key = d.pop("key")

        resolution_status = AttributeStatus(d.pop("resolutionStatus"))

        def _parse_resolved_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                resolved_at_type_0 = datetime.datetime.fromisoformat(data)

                return resolved_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        resolved_at = _parse_resolved_at(d.pop("resolvedAt"))

        resolver_type = ResolverType(d.pop("resolverType"))

        value = d.pop("value")

        attribute_read = cls(
            attribute_key_id=attribute_key_id,
            error_message=error_message,
            id=id,
            key=key,
            resolution_status=resolution_status,
            resolved_at=resolved_at,
            resolver_type=resolver_type,
            value=value,
        )

        attribute_read.additional_properties = d
        return attribute_read

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
