from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.address_read import AddressRead
    from ..models.commerce_detail_read_metadata import CommerceDetailReadMetadata
    from ..models.commerce_user_read import CommerceUserRead


T = TypeVar("T", bound="CommerceDetailRead")


@_attrs_define
class CommerceDetailRead:
    """A commerce with its addresses and its first users by external id.

    Attributes:
        addresses (list[AddressRead]): The addresses of the commerce, replaced as a whole.
        created_at (datetime.datetime): The time of the creation.
        external_id (str): The tenant's own id.
        global_external_id (None | str): The id of the commerce that all tenants share.
        id (UUID): The id.
        is_active (bool): Whether it is in use.
        metadata (CommerceDetailReadMetadata): Free values by key.
        name (str): The name.
        tax_id (None | str): The commerce's number for taxes.
        updated_at (datetime.datetime): The time of the latest change.
        users (list[CommerceUserRead]): The first 100 by external id, or fewer if they have many bytes; `GET …/users`
            lists all.
        users_total (int): The number of the commerce's users.
    """

    addresses: list[AddressRead]
    created_at: datetime.datetime
    external_id: str
    global_external_id: None | str
    id: UUID
    is_active: bool
    metadata: CommerceDetailReadMetadata
    name: str
    tax_id: None | str
    updated_at: datetime.datetime
    users: list[CommerceUserRead]
    users_total: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        addresses = []
        for addresses_item_data in self.addresses:
            addresses_item = addresses_item_data.to_dict()
            addresses.append(addresses_item)

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

        users = []
        for users_item_data in self.users:
            users_item = users_item_data.to_dict()
            users.append(users_item)

        users_total = self.users_total

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "addresses": addresses,
                "createdAt": created_at,
                "externalId": external_id,
                "globalExternalId": global_external_id,
                "id": id,
                "isActive": is_active,
                "metadata": metadata,
                "name": name,
                "taxId": tax_id,
                "updatedAt": updated_at,
                "users": users,
                "usersTotal": users_total,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.address_read import AddressRead  # noqa: PLC0415
        from ..models.commerce_detail_read_metadata import CommerceDetailReadMetadata  # noqa: PLC0415
        from ..models.commerce_user_read import CommerceUserRead  # noqa: PLC0415

        d = dict(src_dict)
        addresses = []
        _addresses = d.pop("addresses")
        for addresses_item_data in _addresses:
            addresses_item = AddressRead.from_dict(addresses_item_data)

            addresses.append(addresses_item)

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        external_id = d.pop("externalId")

        def _parse_global_external_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        global_external_id = _parse_global_external_id(d.pop("globalExternalId"))

        id = UUID(d.pop("id"))

        is_active = d.pop("isActive")

        metadata = CommerceDetailReadMetadata.from_dict(d.pop("metadata"))

        name = d.pop("name")

        def _parse_tax_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        tax_id = _parse_tax_id(d.pop("taxId"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updatedAt"))

        users = []
        _users = d.pop("users")
        for users_item_data in _users:
            users_item = CommerceUserRead.from_dict(users_item_data)

            users.append(users_item)

        users_total = d.pop("usersTotal")

        commerce_detail_read = cls(
            addresses=addresses,
            created_at=created_at,
            external_id=external_id,
            global_external_id=global_external_id,
            id=id,
            is_active=is_active,
            metadata=metadata,
            name=name,
            tax_id=tax_id,
            updated_at=updated_at,
            users=users,
            users_total=users_total,
        )

        commerce_detail_read.additional_properties = d
        return commerce_detail_read

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
