from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.difference import Difference
    from ..models.fault import Fault
    from ..models.scheduled_activity_read import ScheduledActivityRead


T = TypeVar("T", bound="IdempotencyKeyExistsRead")


@_attrs_define
class IdempotencyKeyExistsRead:
    """The problem of a key that an activity has, with that activity.

    Attributes:
        activity (None | ScheduledActivityRead): The activity that has the key; null if it was removed: `Location` is
            its path, which answers 410.
        code (str): A stable code. Branch on this member.
        decided (bool): True if the activity is recorded; false while it is RESOLVING.
        detail (str): What is wrong, and what to do.
        differences (list[Difference]): The places at which the two requests differ; empty if they are the same.
        error (str): The reason why there is no value.
        errors (list[Fault]): A JSON pointer and a sentence for each wrong field.
        instance (str): The request's path.
        message (str): The same sentence as `detail`.
        request_id (str): The request's id, which the log has and the header `X-Request-Id` repeats.
        same_request (bool): True if the stored request is the one that was sent: a repetition that has nothing to
            correct.
        status (int): The status.
        status_code (int): The same number as `status`.
        title (str): The kind of problem, for people.
        type_ (str): The kind of activity.
    """

    activity: None | ScheduledActivityRead
    code: str
    decided: bool
    detail: str
    differences: list[Difference]
    error: str
    errors: list[Fault]
    instance: str
    message: str
    request_id: str
    same_request: bool
    status: int
    status_code: int
    title: str
    type_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.scheduled_activity_read import ScheduledActivityRead  # noqa: PLC0415

        activity: dict[str, Any] | None
        if isinstance(self.activity, ScheduledActivityRead):
            activity = self.activity.to_dict()
        else:
            activity = self.activity

        code = self.code

        decided = self.decided

        detail = self.detail

        differences = []
        for differences_item_data in self.differences:
            differences_item = differences_item_data.to_dict()
            differences.append(differences_item)

        error = self.error

        errors = []
        for errors_item_data in self.errors:
            errors_item = errors_item_data.to_dict()
            errors.append(errors_item)

        instance = self.instance

        message = self.message

        request_id = self.request_id

        same_request = self.same_request

        status = self.status

        status_code = self.status_code

        title = self.title

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activity": activity,
                "code": code,
                "decided": decided,
                "detail": detail,
                "differences": differences,
                "error": error,
                "errors": errors,
                "instance": instance,
                "message": message,
                "requestId": request_id,
                "sameRequest": same_request,
                "status": status,
                "statusCode": status_code,
                "title": title,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.difference import Difference  # noqa: PLC0415
        from ..models.fault import Fault  # noqa: PLC0415
        from ..models.scheduled_activity_read import ScheduledActivityRead  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_activity(data: object) -> None | ScheduledActivityRead:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                activity_type_0 = ScheduledActivityRead.from_dict(data)

                return activity_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ScheduledActivityRead, data)

        activity = _parse_activity(d.pop("activity"))

        code = d.pop("code")

        decided = d.pop("decided")

        detail = d.pop("detail")

        differences = []
        _differences = d.pop("differences")
        for differences_item_data in _differences:
            differences_item = Difference.from_dict(differences_item_data)

            differences.append(differences_item)

        error = d.pop("error")

        errors = []
        _errors = d.pop("errors")
        for errors_item_data in _errors:
            errors_item = Fault.from_dict(errors_item_data)

            errors.append(errors_item)

        instance = d.pop("instance")

        message = d.pop("message")

        request_id = d.pop("requestId")

        same_request = d.pop("sameRequest")

        status = d.pop("status")

        status_code = d.pop("statusCode")

        title = d.pop("title")

        type_ = d.pop("type")

        idempotency_key_exists_read = cls(
            activity=activity,
            code=code,
            decided=decided,
            detail=detail,
            differences=differences,
            error=error,
            errors=errors,
            instance=instance,
            message=message,
            request_id=request_id,
            same_request=same_request,
            status=status,
            status_code=status_code,
            title=title,
            type_=type_,
        )

        idempotency_key_exists_read.additional_properties = d
        return idempotency_key_exists_read

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
