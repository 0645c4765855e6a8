from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.role import Role

if TYPE_CHECKING:
    from ..models.contact_read import ContactRead


T = TypeVar("T", bound="CommerceUserRead")


@_attrs_define
class CommerceUserRead:
    """A user of a commerce.

    Attributes:
        contacts (list[ContactRead]): The ways to reach the user.
        created_at (datetime.datetime): The time of the creation.
        external_id (str): The tenant's own id.
        id (UUID): The id.
        is_active (bool): Whether it is in use.
        name (str): The name.
        roles (list[Role]): The roles of the user.
        updated_at (datetime.datetime): The time of the latest change.
    """

    contacts: list[ContactRead]
    created_at: datetime.datetime
    external_id: str
    id: UUID
    is_active: bool
    name: str
    roles: list[Role]
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contacts = []
        for contacts_item_data in self.contacts:
            contacts_item = contacts_item_data.to_dict()
            contacts.append(contacts_item)

        created_at = self.created_at.isoformat()

        external_id = self.external_id

        id = str(self.id)

        is_active = self.is_active

        name = self.name

        roles = []
        for roles_item_data in self.roles:
            roles_item = roles_item_data.value
            roles.append(roles_item)

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contacts": contacts,
                "createdAt": created_at,
                "externalId": external_id,
                "id": id,
                "isActive": is_active,
                "name": name,
                "roles": roles,
                "updatedAt": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.contact_read import ContactRead  # noqa: PLC0415

        d = dict(src_dict)
        contacts = []
        _contacts = d.pop("contacts")
        for contacts_item_data in _contacts:
            contacts_item = ContactRead.from_dict(contacts_item_data)

            contacts.append(contacts_item)

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        external_id = d.pop("externalId")

        id = UUID(d.pop("id"))

        is_active = d.pop("isActive")

        name = d.pop("name")

        roles = []
        _roles = d.pop("roles")
        for roles_item_data in _roles:
            roles_item = Role(roles_item_data)

            roles.append(roles_item)

        updated_at = datetime.datetime.fromisoformat(d.pop("updatedAt"))

        commerce_user_read = cls(
            contacts=contacts,
            created_at=created_at,
            external_id=external_id,
            id=id,
            is_active=is_active,
            name=name,
            roles=roles,
            updated_at=updated_at,
        )

        commerce_user_read.additional_properties = d
        return commerce_user_read

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
