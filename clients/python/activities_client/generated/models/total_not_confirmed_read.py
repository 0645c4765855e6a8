from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.fault import Fault


T = TypeVar("T", bound="TotalNotConfirmedRead")


@_attrs_define
class TotalNotConfirmedRead:
    """The problem of a filter that matches more activities than are confirmed.

    Attributes:
        at_most (int): The most activities that may be changed.
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
        total (int): The number of activities that the filter matches.
        type_ (str): The kind of activity.
    """

    at_most: int
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
    total: int
    type_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at_most = self.at_most

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

        total = self.total

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "atMost": at_most,
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
                "total": total,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fault import Fault  # noqa: PLC0415

        d = dict(src_dict)
        at_most = d.pop("atMost")

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

        total = d.pop("total")

        type_ = d.pop("type")

        total_not_confirmed_read = cls(
            at_most=at_most,
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
            total=total,
            type_=type_,
        )

        total_not_confirmed_read.additional_properties = d
        return total_not_confirmed_read

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
