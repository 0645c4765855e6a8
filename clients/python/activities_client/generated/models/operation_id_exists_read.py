from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.difference import Difference
    from ..models.fault import Fault
    from ..models.operation_read import OperationRead


T = TypeVar("T", bound="OperationIdExistsRead")


@_attrs_define
class OperationIdExistsRead:
    """The problem of an id that another bulk change has, with that operation.

    Attributes:
        code (str): A stable code. Branch on this member.
        detail (str): What is wrong, and what to do.
        differences (list[Difference]): The places at which the two requests differ; empty if they are the same.
        error (str): The reason why there is no value.
        errors (list[Fault]): A JSON pointer and a sentence for each wrong field.
        instance (str): The request's path.
        message (str): The same sentence as `detail`.
        operation (OperationRead): A bulk operation and its progress.
        request_id (str): The request's id, which the log has and the header `X-Request-Id` repeats.
        status (int): The status.
        status_code (int): The same number as `status`.
        title (str): The kind of problem, for people.
        type_ (str): The kind of activity.
    """

    code: str
    detail: str
    differences: list[Difference]
    error: str
    errors: list[Fault]
    instance: str
    message: str
    operation: OperationRead
    request_id: str
    status: int
    status_code: int
    title: str
    type_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

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

        operation = self.operation.to_dict()

        request_id = self.request_id

        status = self.status

        status_code = self.status_code

        title = self.title

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "detail": detail,
                "differences": differences,
                "error": error,
                "errors": errors,
                "instance": instance,
                "message": message,
                "operation": operation,
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
        from ..models.difference import Difference  # noqa: PLC0415
        from ..models.fault import Fault  # noqa: PLC0415
        from ..models.operation_read import OperationRead  # noqa: PLC0415

        d = dict(src_dict)
        code = d.pop("code")

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

        operation = OperationRead.from_dict(d.pop("operation"))

        request_id = d.pop("requestId")

        status = d.pop("status")

        status_code = d.pop("statusCode")

        title = d.pop("title")

        type_ = d.pop("type")

        operation_id_exists_read = cls(
            code=code,
            detail=detail,
            differences=differences,
            error=error,
            errors=errors,
            instance=instance,
            message=message,
            operation=operation,
            request_id=request_id,
            status=status,
            status_code=status_code,
            title=title,
            type_=type_,
        )

        operation_id_exists_read.additional_properties = d
        return operation_id_exists_read

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
