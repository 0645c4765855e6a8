from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.role import Role
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.contact_create import ContactCreate


T = TypeVar("T", bound="CommerceUserCreate")


@_attrs_define
class CommerceUserCreate:
    """A new user of a commerce. The name defaults to the external id.

    Attributes:
        contacts (list[ContactCreate] | Unset): The ways to reach the user.
        external_id (str | Unset): No control characters; no white space or invisible character at its ends.
        name (str | Unset): The name.
        roles (list[Role] | Unset): The roles of the user.
    """

    contacts: list[ContactCreate] | Unset = UNSET
    external_id: str | Unset = UNSET
    name: str | Unset = UNSET
    roles: list[Role] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        contacts: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.contacts, Unset):
            contacts = []
            for contacts_item_data in self.contacts:
                contacts_item = contacts_item_data.to_dict()
                contacts.append(contacts_item)

        external_id = self.external_id

        name = self.name

        roles: list[str] | Unset = UNSET
        if not isinstance(self.roles, Unset):
            roles = []
            for roles_item_data in self.roles:
                roles_item = roles_item_data.value
                roles.append(roles_item)

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if contacts is not UNSET:
            field_dict["contacts"] = contacts
        if external_id is not UNSET:
            field_dict["external_id"] = external_id
        if name is not UNSET:
            field_dict["name"] = name
        if roles is not UNSET:
            field_dict["roles"] = roles

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.contact_create import ContactCreate  # noqa: PLC0415

        d = dict(src_dict)
        _contacts = d.pop("contacts", UNSET)
        contacts: list[ContactCreate] | Unset = UNSET
        if _contacts is not UNSET:
            contacts = []
            for contacts_item_data in _contacts:
                contacts_item = ContactCreate.from_dict(contacts_item_data)

                contacts.append(contacts_item)

        external_id = d.pop("external_id", UNSET)

        name = d.pop("name", UNSET)

        _roles = d.pop("roles", UNSET)
        roles: list[Role] | Unset = UNSET
        if _roles is not UNSET:
            roles = []
            for roles_item_data in _roles:
                roles_item = Role(roles_item_data)

                roles.append(roles_item)

        commerce_user_create = cls(
            contacts=contacts,
            external_id=external_id,
            name=name,
            roles=roles,
        )

        return commerce_user_create
