from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.channel import Channel

T = TypeVar("T", bound="ContactLogEntryRead")


@_attrs_define
class ContactLogEntryRead:
    """A contact with a user.

    Attributes:
        channel (Channel): The channel by which the activity reaches the commerce.
        commerce_user_id (UUID): The id of the commerce's user.
        contacted_at (datetime.datetime): The time of the contact.
        id (UUID): The id.
        user_external_id (str): The tenant's own id of the user.
    """

    channel: Channel
    commerce_user_id: UUID
    contacted_at: datetime.datetime
    id: UUID
    user_external_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        channel = self.channel.value

        commerce_user_id = str(self.commerce_user_id)

        contacted_at = self.contacted_at.isoformat()

        id = str(self.id)

        user_external_id = self.user_external_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "channel": channel,
                "commerceUserId": commerce_user_id,
                "contactedAt": contacted_at,
                "id": id,
                "userExternalId": user_external_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        channel = Channel(d.pop("channel"))

        commerce_user_id = UUID(d.pop("commerceUserId"))

        contacted_at = datetime.datetime.fromisoformat(d.pop("contactedAt"))

        id = UUID(d.pop("id"))

        user_external_id = d.pop("userExternalId")

        contact_log_entry_read = cls(
            channel=channel,
            commerce_user_id=commerce_user_id,
            contacted_at=contacted_at,
            id=id,
            user_external_id=user_external_id,
        )

        contact_log_entry_read.additional_properties = d
        return contact_log_entry_read

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
