from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.fault import Fault


T = TypeVar("T", bound="AmbiguousProviderIdRead")


@_attrs_define
class AmbiguousProviderIdRead:
    """The problem of a provider's id that several activities have.

    Attributes:
        activity_ids (list[str]): The ids of these activities.
        code (str): A stable code. Branch on this member.
        detail (str): What is wrong, and what to do.
        error (str): The reason why there is no value.
        errors (list[Fault]): A JSON pointer and a sentence for each wrong field.
        instance (str): The request's path.
        message (str): The same sentence as `detail`.
        request_id (str): The request's id, which the log has and the header `X-Request-Id` repeats.
        status (int): The status.
        status_code (int): The same number as `status`.
        title (str): The kind of problem, for people.
        type_ (str): The kind of activity.
    """

    activity_ids: list[str]
    code: str
    detail: str
    error: str
    errors: list[Fault]
    instance: str
    message: str
    request_id: str
    status: int
    status_code: int
    title: str
    type_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        activity_ids = self.activity_ids

        code = self.code

        detail = self.detail

        error = self.error

        errors = []
        for errors_item_data in self.errors:
            errors_item = errors_item_data.to_dict()
            errors.append(errors_item)

        instance = self.instance

        message = self.message

        request_id = self.request_id

        status = self.status

        status_code = self.status_code

        title = self.title

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activityIds": activity_ids,
                "code": code,
                "detail": detail,
                "error": error,
                "errors": errors,
                "instance": instance,
                "message": message,
                "requestId": request_id,
                "status": status,
                "statusCode": status_code,
                "title": title,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fault import Fault  # noqa: PLC0415

        d = dict(src_dict)
        activity_ids = cast(list[str], d.pop("activityIds"))

        code = d.pop("code")

        detail = d.pop("detail")

        error = d.pop("error")

        errors = []
        _errors = d.pop("errors")
        for errors_item_data in _errors:
            errors_item = Fault.from_dict(errors_item_data)

            errors.append(errors_item)

        instance = d.pop("instance")

        message = d.pop("message")

        request_id = d.pop("requestId")

        status = d.pop("status")

        status_code = d.pop("statusCode")

        title = d.pop("title")

        type_ = d.pop("type")

        ambiguous_provider_id_read = cls(
            activity_ids=activity_ids,
            code=code,
            detail=detail,
            error=error,
            errors=errors,
            instance=instance,
            message=message,
            request_id=request_id,
            status=status,
            status_code=status_code,
            title=title,
            type_=type_,
        )

        ambiguous_provider_id_read.additional_properties = d
        return ambiguous_provider_id_read

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
