from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.contact_direction import ContactDirection
from ..types import UNSET, Unset

T = TypeVar("T", bound="TaskResultCreate")


@_attrs_define
class TaskResultCreate:
    """The result of a task, in the tenant's own terms.

    Attributes:
        comment (str | Unset): A comment in free text.
        contact_type (ContactDirection | Unset): The side that began the conversation: the commerce (INBOUND) or the
            executor (OUTBOUND).
        future_scheduled_at (datetime.datetime | Unset): The time of the follow-up. Required if the task result type
            requires a follow-up.
        operator_external_id (str | Unset): No control characters; no white space or invisible character at its ends.
        payload (Any | Unset): Any JSON value.
        result (str | Unset): One of the tenant's task result types. Any text, if the tenant has none.
    """

    comment: str | Unset = UNSET
    contact_type: ContactDirection | Unset = UNSET
    future_scheduled_at: datetime.datetime | Unset = UNSET
    operator_external_id: str | Unset = UNSET
    payload: Any | Unset = UNSET
    result: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        comment = self.comment

        contact_type: str | Unset = UNSET
        if not isinstance(self.contact_type, Unset):
            contact_type = self.contact_type.value

        future_scheduled_at: str | Unset = UNSET
        if not isinstance(self.future_scheduled_at, Unset):
            future_scheduled_at = self.future_scheduled_at.isoformat()

        operator_external_id = self.operator_external_id

        payload = self.payload

        result = self.result

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if comment is not UNSET:
            field_dict["comment"] = comment
        if contact_type is not UNSET:
            field_dict["contact_type"] = contact_type
        if future_scheduled_at is not UNSET:
            field_dict["future_scheduled_at"] = future_scheduled_at
        if operator_external_id is not UNSET:
            field_dict["operator_external_id"] = operator_external_id
        if payload is not UNSET:
            field_dict["payload"] = payload
        if result is not UNSET:
            field_dict["result"] = result

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        comment = d.pop("comment", UNSET)

        _contact_type = d.pop("contact_type", UNSET)
        contact_type: ContactDirection | Unset
        if isinstance(_contact_type, Unset):
            contact_type = UNSET
        else:
            contact_type = ContactDirection(_contact_type)

        _future_scheduled_at = d.pop("future_scheduled_at", UNSET)
        future_scheduled_at: datetime.datetime | Unset
        if isinstance(_future_scheduled_at, Unset):
            future_scheduled_at = UNSET
        else:
            future_scheduled_at = datetime.datetime.fromisoformat(_future_scheduled_at)

        operator_external_id = d.pop("operator_external_id", UNSET)

        payload = d.pop("payload", UNSET)

        result = d.pop("result", UNSET)

        task_result_create = cls(
            comment=comment,
            contact_type=contact_type,
            future_scheduled_at=future_scheduled_at,
            operator_external_id=operator_external_id,
            payload=payload,
            result=result,
        )

        return task_result_create
