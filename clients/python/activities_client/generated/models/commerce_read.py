from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.commerce_read_metadata import CommerceReadMetadata


T = TypeVar("T", bound="CommerceRead")


@_attrs_define
class CommerceRead:
    """A commerce as lists show it.

    Attributes:
        created_at (datetime.datetime): The time of the creation.
        external_id (str): The tenant's own id.
        global_external_id (None | str): The id of the commerce that all tenants share.
        id (UUID): The id.
        is_active (bool): Whether it is in use.
        metadata (CommerceReadMetadata): Free values by key.
        name (str): The name.
        tax_id (None | str): The commerce's number for taxes.
        updated_at (datetime.datetime): The time of the latest change.
    """

    created_at: datetime.datetime
    external_id: str
    global_external_id: None | str
    id: UUID
    is_active: bool
    metadata: CommerceReadMetadata
    name: str
    tax_id: None | str
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        external_id = self.external_id

        global_external_id: None | str
        global_external_id = self.global_external_id

        id = str(self.id)

        is_active = self.is_active

        metadata = self.metadata.to_dict()

        name = self.name

        tax_id: None | str
        tax_id = self.tax_id

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "createdAt": created_at,
                "externalId": external_id,
                "globalExternalId": global_external_id,
                "id": id,
                "isActive": is_active,
                "metadata": metadata,
                "name": name,
                "taxId": tax_id,
                "updatedAt": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.commerce_read_metadata import CommerceReadMetadata  # noqa: PLC0415

        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        external_id = d.pop("externalId")

        def _parse_global_external_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        global_external_id = _parse_global_external_id(d.pop("globalExternalId"))

        id = UUID(d.pop("id"))

        is_active = d.pop("isActive")

        metadata = CommerceReadMetadata.from_dict(d.pop("metadata"))

        name = d.pop("name")

        def _parse_tax_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        tax_id = _parse_tax_id(d.pop("taxId"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updatedAt"))

        commerce_read = cls(
            created_at=created_at,
            external_id=external_id,
            global_external_id=global_external_id,
            id=id,
            is_active=is_active,
            metadata=metadata,
            name=name,
            tax_id=tax_id,
            updated_at=updated_at,
        )

        commerce_read.additional_properties = d
        return commerce_read

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
