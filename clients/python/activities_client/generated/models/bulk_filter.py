from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.activity_type import ActivityType
from ..models.bulk_filter_status_item import BulkFilterStatusItem
from ..models.channel import Channel
from ..types import UNSET, Unset

T = TypeVar("T", bound="BulkFilter")


@_attrs_define
class BulkFilter:
    """The activities to change: the parameters of the list, at least one of them.

    Attributes:
        channel (Channel | Unset): The channel by which the activity reaches the commerce.
        commerce_id (UUID | Unset): The id of the commerce.
        commerce_user_id (UUID | Unset): The id of the commerce's user who is the target user of the activity.
        executor (str | Unset): The executor that claimed it last.
        idempotency_key (str | Unset): The exact idempotency key.
        late (bool | Unset): `true` lists activities that are overdue and not marked (READY, also held ones, or
            UNRESOLVED) or were marked more than a second late. `false` is no condition. Default: False.
        provider_activity_id (str | Unset): The provider's id of the activity, as a result of it has named it.
        reason (str | Unset): The reason's code.
        scheduled_from (datetime.datetime | Unset): The earliest `scheduledAt`, inclusive.
        scheduled_to (datetime.datetime | Unset): The latest `scheduledAt`, exclusive.
        search (str | Unset): The idempotency key or the commerce's external id begins with this text. Case matters.
        status (list[BulkFilterStatusItem] | Unset): One or more statuses; by default all in which the change is
            possible. DUE ones can't move, and only UNRESOLVED ones can be resolved again.
        type_ (ActivityType | Unset): The kind of activity: work for a person, or a communication.
    """

    channel: Channel | Unset = UNSET
    commerce_id: UUID | Unset = UNSET
    commerce_user_id: UUID | Unset = UNSET
    executor: str | Unset = UNSET
    idempotency_key: str | Unset = UNSET
    late: bool | Unset = False
    provider_activity_id: str | Unset = UNSET
    reason: str | Unset = UNSET
    scheduled_from: datetime.datetime | Unset = UNSET
    scheduled_to: datetime.datetime | Unset = UNSET
    search: str | Unset = UNSET
    status: list[BulkFilterStatusItem] | Unset = UNSET
    type_: ActivityType | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        channel: str | Unset = UNSET
        if not isinstance(self.channel, Unset):
            channel = self.channel.value

        commerce_id: str | Unset = UNSET
        if not isinstance(self.commerce_id, Unset):
            commerce_id = str(self.commerce_id)

        commerce_user_id: str | Unset = UNSET
        if not isinstance(self.commerce_user_id, Unset):
            commerce_user_id = str(self.commerce_user_id)

        executor = self.executor

        idempotency_key = self.idempotency_key

        late = self.late

        provider_activity_id = self.provider_activity_id

        reason = self.reason

        scheduled_from: str | Unset = UNSET
        if not isinstance(self.scheduled_from, Unset):
            scheduled_from = self.scheduled_from.isoformat()

        scheduled_to: str | Unset = UNSET
        if not isinstance(self.scheduled_to, Unset):
            scheduled_to = self.scheduled_to.isoformat()

        search = self.search

        status: list[str] | Unset = UNSET
        if not isinstance(self.status, Unset):
            status = []
            for status_item_data in self.status:
                status_item = status_item_data.value
                status.append(status_item)

        type_: str | Unset = UNSET
        if not isinstance(self.type_, Unset):
            type_ = self.type_.value

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if channel is not UNSET:
            field_dict["channel"] = channel
        if commerce_id is not UNSET:
            field_dict["commerce_id"] = commerce_id
        if commerce_user_id is not UNSET:
            field_dict["commerce_user_id"] = commerce_user_id
        if executor is not UNSET:
            field_dict["executor"] = executor
        if idempotency_key is not UNSET:
            field_dict["idempotency_key"] = idempotency_key
        if late is not UNSET:
            field_dict["late"] = late
        if provider_activity_id is not UNSET:
            field_dict["provider_activity_id"] = provider_activity_id
        if reason is not UNSET:
            field_dict["reason"] = reason
        if scheduled_from is not UNSET:
            field_dict["scheduled_from"] = scheduled_from
        if scheduled_to is not UNSET:
            field_dict["scheduled_to"] = scheduled_to
        if search is not UNSET:
            field_dict["search"] = search
        if status is not UNSET:
            field_dict["status"] = status
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        _channel = d.pop("channel", UNSET)
        channel: Channel | Unset
        if isinstance(_channel, Unset):
            channel = UNSET
        else:
            channel = Channel(_channel)

        _commerce_id = d.pop("commerce_id", UNSET)
        commerce_id: UUID | Unset
        if isinstance(_commerce_id, Unset):
            commerce_id = UNSET
        else:
            commerce_id = UUID(_commerce_id)

        _commerce_user_id = d.pop("commerce_user_id", UNSET)
        commerce_user_id: UUID | Unset
        if isinstance(_commerce_user_id, Unset):
            commerce_user_id = UNSET
        else:
            commerce_user_id = UUID(_commerce_user_id)

        executor = d.pop("executor", UNSET)

        idempotency_key = d.pop("idempotency_key", UNSET)

        late = d.pop("late", UNSET)

        provider_activity_id = d.pop("provider_activity_id", UNSET)

        reason = d.pop("reason", UNSET)

        _scheduled_from = d.pop("scheduled_from", UNSET)
        scheduled_from: datetime.datetime | Unset
        if isinstance(_scheduled_from, Unset):
            scheduled_from = UNSET
        else:
            scheduled_from = datetime.datetime.fromisoformat(_scheduled_from)

        _scheduled_to = d.pop("scheduled_to", UNSET)
        scheduled_to: datetime.datetime | Unset
        if isinstance(_scheduled_to, Unset):
            scheduled_to = UNSET
        else:
            scheduled_to = datetime.datetime.fromisoformat(_scheduled_to)

        search = d.pop("search", UNSET)

        _status = d.pop("status", UNSET)
        status: list[BulkFilterStatusItem] | Unset = UNSET
        if _status is not UNSET:
            status = []
            for status_item_data in _status:
                status_item = BulkFilterStatusItem(status_item_data)

                status.append(status_item)

        _type_ = d.pop("type", UNSET)
        type_: ActivityType | Unset
        if isinstance(_type_, Unset):
            type_ = UNSET
        else:
            type_ = ActivityType(_type_)

        bulk_filter = cls(
            channel=channel,
            commerce_id=commerce_id,
            commerce_user_id=commerce_user_id,
            executor=executor,
            idempotency_key=idempotency_key,
            late=late,
            provider_activity_id=provider_activity_id,
            reason=reason,
            scheduled_from=scheduled_from,
            scheduled_to=scheduled_to,
            search=search,
            status=status,
            type_=type_,
        )

        return bulk_filter
