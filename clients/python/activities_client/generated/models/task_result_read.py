from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.contact_direction import ContactDirection

T = TypeVar("T", bound="TaskResultRead")


@_attrs_define
class TaskResultRead:
    """The result of a task, in the tenant's own terms.

    Attributes:
        comment (None | str): A comment in free text.
        contact_type (ContactDirection | None): The kind of contact.
        future_scheduled_at (datetime.datetime | None): The time of the follow-up.
        operator_external_id (None | str): The tenant's own id of the person who did it.
        payload (Any): Any JSON value.
        result (None | str): The task result type.
    """

    comment: None | str
    contact_type: ContactDirection | None
    future_scheduled_at: datetime.datetime | None
    operator_external_id: None | str
    payload: Any
    result: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        comment: None | str
        comment = self.comment

        contact_type: None | str
        if isinstance(self.contact_type, ContactDirection):
            contact_type = self.contact_type.value
        else:
            contact_type = self.contact_type

        future_scheduled_at: None | str
        if isinstance(self.future_scheduled_at, datetime.datetime):
            future_scheduled_at = self.future_scheduled_at.isoformat()
        else:
            future_scheduled_at = self.future_scheduled_at

        operator_external_id: None | str
        operator_external_id = self.operator_external_id

        payload = self.payload

        result: None | str
        result = self.result

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "comment": comment,
                "contactType": contact_type,
                "futureScheduledAt": future_scheduled_at,
                "operatorExternalId": operator_external_id,
                "payload": payload,
                "result": result,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_comment(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        comment = _parse_comment(d.pop("comment"))

        def _parse_contact_type(data: object) -> ContactDirection | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                contact_type_type_0 = ContactDirection(data)

                return contact_type_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ContactDirection | None, data)

        contact_type = _parse_contact_type(d.pop("contactType"))

        def _parse_future_scheduled_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                future_scheduled_at_type_0 = datetime.datetime.fromisoformat(data)

                return future_scheduled_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        future_scheduled_at = _parse_future_scheduled_at(d.pop("futureScheduledAt"))

        def _parse_operator_external_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        operator_external_id = _parse_operator_external_id(d.pop("operatorExternalId"))

        payload = d.pop("payload")

        def _parse_result(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        result = _parse_result(d.pop("result"))

        task_result_read = cls(
            comment=comment,
            contact_type=contact_type,
            future_scheduled_at=future_scheduled_at,
            operator_external_id=operator_external_id,
            payload=payload,
            result=result,
        )

        task_result_read.additional_properties = d
        return task_result_read

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
