from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.address_create import AddressCreate
    from ..models.commerce_sync_item_metadata import CommerceSyncItemMetadata
    from ..models.commerce_user_sync import CommerceUserSync


T = TypeVar("T", bound="CommerceSyncItem")


@_attrs_define
class CommerceSyncItem:
    """A commerce. Absent members stay as they are, `metadata` is merged by key, and users that aren't named stay.

    Attributes:
        external_id (str): No control characters; no white space or invisible character at its ends.
        name (str): The name.
        addresses (list[AddressCreate] | Unset): The addresses of the commerce, replaced as a whole.
        global_external_id (str | Unset): No control characters; no white space or invisible character at its ends.
        metadata (CommerceSyncItemMetadata | Unset): Free values by key, merged into the stored ones.
        tax_id (str | Unset): No control characters; no white space or invisible character at its ends.
        users (list[CommerceUserSync] | Unset): The users of the commerce.
    """

    external_id: str
    name: str
    addresses: list[AddressCreate] | Unset = UNSET
    global_external_id: str | Unset = UNSET
    metadata: CommerceSyncItemMetadata | Unset = UNSET
    tax_id: str | Unset = UNSET
    users: list[CommerceUserSync] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        external_id = self.external_id

        name = self.name

        addresses: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.addresses, Unset):
            addresses = []
            for addresses_item_data in self.addresses:
                addresses_item = addresses_item_data.to_dict()
                addresses.append(addresses_item)

        global_external_id = self.global_external_id

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        tax_id = self.tax_id

        users: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.users, Unset):
            users = []
            for users_item_data in self.users:
                users_item = users_item_data.to_dict()
                users.append(users_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "external_id": external_id,
                "name": name,
            }
        )
        if addresses is not UNSET:
            field_dict["addresses"] = addresses
        if global_external_id is not UNSET:
            field_dict["global_external_id"] = global_external_id
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if tax_id is not UNSET:
            field_dict["tax_id"] = tax_id
        if users is not UNSET:
            field_dict["users"] = users

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.address_create import AddressCreate  # noqa: PLC0415
        from ..models.commerce_sync_item_metadata import CommerceSyncItemMetadata  # noqa: PLC0415
        from ..models.commerce_user_sync import CommerceUserSync  # noqa: PLC0415

        d = dict(src_dict)
        external_id = d.pop("external_id")

        name = d.pop("name")

        _addresses = d.pop("addresses", UNSET)
        addresses: list[AddressCreate] | Unset = UNSET
        if _addresses is not UNSET:
            addresses = []
            for addresses_item_data in _addresses:
                addresses_item = AddressCreate.from_dict(addresses_item_data)

                addresses.append(addresses_item)

        global_external_id = d.pop("global_external_id", UNSET)

        _metadata = d.pop("metadata", UNSET)
        metadata: CommerceSyncItemMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CommerceSyncItemMetadata.from_dict(_metadata)

        tax_id = d.pop("tax_id", UNSET)

        _users = d.pop("users", UNSET)
        users: list[CommerceUserSync] | Unset = UNSET
        if _users is not UNSET:
            users = []
            for users_item_data in _users:
                users_item = CommerceUserSync.from_dict(users_item_data)

                users.append(users_item)

        commerce_sync_item = cls(
            external_id=external_id,
            name=name,
            addresses=addresses,
            global_external_id=global_external_id,
            metadata=metadata,
            tax_id=tax_id,
            users=users,
        )

        return commerce_sync_item
