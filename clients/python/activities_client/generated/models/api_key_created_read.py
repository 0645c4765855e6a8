from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ApiKeyCreatedRead")


@_attrs_define
class ApiKeyCreatedRead:
    """A new API key with its text.

    Attributes:
        created_at (datetime.datetime): The time of the creation.
        created_by (str): The subject who created it.
        expires_at (datetime.datetime | None): The time from which it is refused; null if there is none.
        id (UUID): The id.
        key_prefix (str): The beginning of its text.
        last_used_at (datetime.datetime | None): The time of its last use, exact to a minute.
        name (str): The name.
        permissions (list[str]): The permissions of a request with it.
        plaintext_key (str): The key. It is not stored and never shown again.
    """

    created_at: datetime.datetime
    created_by: str
    expires_at: datetime.datetime | None
    id: UUID
    key_prefix: str
    last_used_at: datetime.datetime | None
    name: str
    permissions: list[str]
    plaintext_key: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        created_by = self.created_by

        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        id = str(self.id)

        key_prefix = self.key_prefix

        last_used_at: None | str
        if isinstance(self.last_used_at, datetime.datetime):
            last_used_at = self.last_used_at.isoformat()
        else:
            last_used_at = self.last_used_at

        name = self.name

        permissions = self.permissions

        plaintext_key = self.plaintext_key

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "createdAt": created_at,
                "createdBy": created_by,
                "expiresAt": expires_at,
                "id": id,
                "keyPrefix": key_prefix,
                "lastUsedAt": last_used_at,
                "name": name,
                "permissions": permissions,
                "plaintextKey": plaintext_key,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        created_by = d.pop("createdBy")

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expiresAt"))

        id = UUID(d.pop("id"))

        key_prefix = d.pop("keyPrefix")

        def _parse_last_used_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_used_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_used_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_used_at = _parse_last_used_at(d.pop("lastUsedAt"))

        name = d.pop("name")

        permissions = cast(list[str], d.pop("permissions"))

        plaintext_key = d.pop("plaintextKey")

        api_key_created_read = cls(
            created_at=created_at,
            created_by=created_by,
            expires_at=expires_at,
            id=id,
            key_prefix=key_prefix,
            last_used_at=last_used_at,
            name=name,
            permissions=permissions,
            plaintext_key=plaintext_key,
        )

        api_key_created_read.additional_properties = d
        return api_key_created_read

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
