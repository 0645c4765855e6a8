from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus
from ..models.event_type import EventType

if TYPE_CHECKING:
    from ..models.status_event_read_details_type_0 import StatusEventReadDetailsType0


T = TypeVar("T", bound="StatusEventRead")


@_attrs_define
class StatusEventRead:
    """An event of the activity's trail.

    Attributes:
        actor (None | str): The subject of the token with which it was done; null if the service did it.
        details (None | StatusEventReadDetailsType0): Further facts of the event, by its type.
        error_code (None | str): The code of the error; null if there is none.
        error_message (None | str): The error in a sentence; null if there is none.
        event_type (EventType): The type of a status event in the trail.
        from_status (ActivityStatus | None): The activity's status before; null if there was none.
        id (UUID): The id.
        number (int): The event's place in the trail, from 1.
        occurred_at (datetime.datetime): The time at which it happened.
        operation_id (None | UUID): The bulk operation that has made the change: `GET /api/operations/{id}` reads it.
        request_id (None | str): The `X-Request-Id` of the request that it comes from. The activity's own events, such
            as `DUE`, have that of its creation. Null if no request has caused it.
        to_status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never
            stored in a row.
    """

    actor: None | str
    details: None | StatusEventReadDetailsType0
    error_code: None | str
    error_message: None | str
    event_type: EventType
    from_status: ActivityStatus | None
    id: UUID
    number: int
    occurred_at: datetime.datetime
    operation_id: None | UUID
    request_id: None | str
    to_status: ActivityStatus
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.status_event_read_details_type_0 import (
            StatusEventReadDetailsType0,  # noqa: PLC0415
        )

        actor: None | str
        actor = self.actor

        details: dict[str, Any] | None
        if isinstance(self.details, StatusEventReadDetailsType0):
            details = self.details.to_dict()
        else:
            details = self.details

        error_code: None | str
        error_code = self.error_code

        error_message: None | str
        error_message = self.error_message

        event_type = self.event_type.value

        from_status: None | str
        if isinstance(self.from_status, ActivityStatus):
            from_status = self.from_status.value
        else:
            from_status = self.from_status

        id = str(self.id)

        number = self.number

        occurred_at = self.occurred_at.isoformat()

        operation_id: None | str
        if isinstance(self.operation_id, UUID):
            operation_id = str(self.operation_id)
        else:
            operation_id = self.operation_id

        request_id: None | str
        request_id = self.request_id

        to_status = self.to_status.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "actor": actor,
                "details": details,
                "errorCode": error_code,
                "errorMessage": error_message,
                "eventType": event_type,
                "fromStatus": from_status,
                "id": id,
                "number": number,
                "occurredAt": occurred_at,
                "operationId": operation_id,
                "requestId": request_id,
                "toStatus": to_status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.status_event_read_details_type_0 import (
            StatusEventReadDetailsType0,  # noqa: PLC0415
        )

        d = dict(src_dict)

        def _parse_actor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        actor = _parse_actor(d.pop("actor"))

        def _parse_details(data: object) -> None | StatusEventReadDetailsType0:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                details_type_0 = StatusEventReadDetailsType0.from_dict(data)

                return details_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | StatusEventReadDetailsType0, data)

        details = _parse_details(d.pop("details"))

        def _parse_error_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error_code = _parse_error_code(d.pop("errorCode"))

        def _parse_error_message(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error_message = _parse_error_message(d.pop("errorMessage"))

        event_type = EventType(d.pop("eventType"))

        def _parse_from_status(data: object) -> ActivityStatus | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                from_status_type_0 = ActivityStatus(data)

                return from_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ActivityStatus | None, data)

        from_status = _parse_from_status(d.pop("fromStatus"))

        id = UUID(d.pop("id"))

        number = d.pop("number")

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurredAt"))

        def _parse_operation_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                operation_id_type_0 = UUID(data)

                return operation_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        operation_id = _parse_operation_id(d.pop("operationId"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("requestId"))

        to_status = ActivityStatus(d.pop("toStatus"))

        status_event_read = cls(
            actor=actor,
            details=details,
            error_code=error_code,
            error_message=error_message,
            event_type=event_type,
            from_status=from_status,
            id=id,
            number=number,
            occurred_at=occurred_at,
            operation_id=operation_id,
            request_id=request_id,
            to_status=to_status,
        )

        status_event_read.additional_properties = d
        return status_event_read

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
