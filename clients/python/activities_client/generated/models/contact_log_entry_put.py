from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..types import UNSET, Unset

T = TypeVar("T", bound="ContactLogEntryPut")


@_attrs_define
class ContactLogEntryPut:
    """A contact with a user. Name the user by `commerce_user_id` or by `user_external_id`.

    Attributes:
        channel (Channel): The channel by which the activity reaches the commerce.
        contacted_at (datetime.datetime): The time of the contact.
        commerce_user_id (UUID | Unset): The id of the commerce's user.
        user_external_id (str | Unset): No control characters; no white space or invisible character at its ends.
    """

    channel: Channel
    contacted_at: datetime.datetime
    commerce_user_id: UUID | Unset = UNSET
    user_external_id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        channel = self.channel.value

        contacted_at = self.contacted_at.isoformat()

        commerce_user_id: str | Unset = UNSET
        if not isinstance(self.commerce_user_id, Unset):
            commerce_user_id = str(self.commerce_user_id)

        user_external_id = self.user_external_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channel": channel,
                "contacted_at": contacted_at,
            }
        )
        if commerce_user_id is not UNSET:
            field_dict["commerce_user_id"] = commerce_user_id
        if user_external_id is not UNSET:
            field_dict["user_external_id"] = user_external_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        channel = Channel(d.pop("channel"))

        contacted_at = datetime.datetime.fromisoformat(d.pop("contacted_at"))

        _commerce_user_id = d.pop("commerce_user_id", UNSET)
        commerce_user_id: UUID | Unset
        if isinstance(_commerce_user_id, Unset):
            commerce_user_id = UNSET
        else:
            commerce_user_id = UUID(_commerce_user_id)

        user_external_id = d.pop("user_external_id", UNSET)

        contact_log_entry_put = cls(
            channel=channel,
            contacted_at=contacted_at,
            commerce_user_id=commerce_user_id,
            user_external_id=user_external_id,
        )

        return contact_log_entry_put
