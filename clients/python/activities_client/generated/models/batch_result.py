from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.idempotency_key_exists_read import IdempotencyKeyExistsRead
    from ..models.problem_read import ProblemRead
    from ..models.scheduled_activity_read import ScheduledActivityRead


T = TypeVar("T", bound="BatchResult")


@_attrs_define
class BatchResult:
    """The response that the single call would have sent for this item.

    Attributes:
        body (IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead): The body that the single call would have
            answered: the activity, or the problem.
        index (int): The item's position in the request, from 0; blank lines don't count.
        status (int): The status that the single call would have answered.
    """

    body: IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead
    index: int
    status: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.idempotency_key_exists_read import IdempotencyKeyExistsRead  # noqa: PLC0415
        from ..models.scheduled_activity_read import ScheduledActivityRead  # noqa: PLC0415

        body: dict[str, Any]
        if isinstance(self.body, ScheduledActivityRead):
            body = self.body.to_dict()
        elif isinstance(self.body, IdempotencyKeyExistsRead):
            body = self.body.to_dict()
        else:
            body = self.body.to_dict()

        index = self.index

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "body": body,
                "index": index,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.idempotency_key_exists_read import IdempotencyKeyExistsRead  # noqa: PLC0415
        from ..models.problem_read import ProblemRead  # noqa: PLC0415
        from ..models.scheduled_activity_read import ScheduledActivityRead  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_body(data: object) -> IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                body_type_0 = ScheduledActivityRead.from_dict(data)

                return body_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                body_type_1 = IdempotencyKeyExistsRead.from_dict(data)

                return body_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            body_type_2 = ProblemRead.from_dict(data)

            return body_type_2

        body = _parse_body(d.pop("body"))

        index = d.pop("index")

        status = d.pop("status")

        batch_result = cls(
            body=body,
            index=index,
            status=status,
        )

        batch_result.additional_properties = d
        return batch_result

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
