from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.address_create import AddressCreate
    from ..models.commerce_update_metadata import CommerceUpdateMetadata


T = TypeVar("T", bound="CommerceUpdate")


@_attrs_define
class CommerceUpdate:
    """Changes to a commerce. `metadata` is merged by key, and `addresses` are replaced as a whole.

    Attributes:
        addresses (list[AddressCreate] | Unset): The addresses of the commerce, replaced as a whole.
        global_external_id (None | str | Unset): A null clears it.
        is_active (bool | Unset): Whether it is in use.
        metadata (CommerceUpdateMetadata | Unset): Free values by key, merged into the stored ones.
        name (str | Unset): The name.
        tax_id (None | str | Unset): A null clears it.
    """

    addresses: list[AddressCreate] | Unset = UNSET
    global_external_id: None | str | Unset = UNSET
    is_active: bool | Unset = UNSET
    metadata: CommerceUpdateMetadata | Unset = UNSET
    name: str | Unset = UNSET
    tax_id: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        addresses: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.addresses, Unset):
            addresses = []
            for addresses_item_data in self.addresses:
                addresses_item = addresses_item_data.to_dict()
                addresses.append(addresses_item)

        global_external_id: None | str | Unset
        if isinstance(self.global_external_id, Unset):
            global_external_id = UNSET
        else:
            global_external_id = self.global_external_id

        is_active = self.is_active

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        name = self.name

        tax_id: None | str | Unset
        if isinstance(self.tax_id, Unset):
            tax_id = UNSET
        else:
            tax_id = self.tax_id

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if addresses is not UNSET:
            field_dict["addresses"] = addresses
        if global_external_id is not UNSET:
            field_dict["global_external_id"] = global_external_id
        if is_active is not UNSET:
            field_dict["is_active"] = is_active
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if name is not UNSET:
            field_dict["name"] = name
        if tax_id is not UNSET:
            field_dict["tax_id"] = tax_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.address_create import AddressCreate  # noqa: PLC0415
        from ..models.commerce_update_metadata import CommerceUpdateMetadata  # noqa: PLC0415

        d = dict(src_dict)
        _addresses = d.pop("addresses", UNSET)
        addresses: list[AddressCreate] | Unset = UNSET
        if _addresses is not UNSET:
            addresses = []
            for addresses_item_data in _addresses:
                addresses_item = AddressCreate.from_dict(addresses_item_data)

                addresses.append(addresses_item)

        def _parse_global_external_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        global_external_id = _parse_global_external_id(d.pop("global_external_id", UNSET))

        is_active = d.pop("is_active", UNSET)

        _metadata = d.pop("metadata", UNSET)
        metadata: CommerceUpdateMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CommerceUpdateMetadata.from_dict(_metadata)

        name = d.pop("name", UNSET)

        def _parse_tax_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        tax_id = _parse_tax_id(d.pop("tax_id", UNSET))

        commerce_update = cls(
            addresses=addresses,
            global_external_id=global_external_id,
            is_active=is_active,
            metadata=metadata,
            name=name,
            tax_id=tax_id,
        )

        return commerce_update
