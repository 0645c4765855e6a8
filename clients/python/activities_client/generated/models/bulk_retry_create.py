from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.bulk_filter import BulkFilter


T = TypeVar("T", bound="BulkRetryCreate")


@_attrs_define
class BulkRetryCreate:
    """The activities to resolve again.

    Attributes:
        filter_ (BulkFilter): The activities to change: the parameters of the list, at least one of them.
        reason (str): The reason, which the trail shows.
        confirm_total (int | Unset): The most activities that may be changed, for example the `total` of a dry run.
            Required above the tenant's `confirmAbove` (1,000 unless configured).
        dry_run (bool | Unset): Only count the activities and return a sample of ten. Needs `VIEW_ACTIVITIES` too.
            Default: False.
        operation_id (UUID | Unset): A new UUID. With it, a repetition of the request starts nothing twice; any other
            request with it is answered 409.
        per_second (int | Unset): The most activities to change in a second. Operations of the tenant that run at the
            same time share it, and on a busy service it is less. Default: 20.
    """

    filter_: BulkFilter
    reason: str
    confirm_total: int | Unset = UNSET
    dry_run: bool | Unset = False
    operation_id: UUID | Unset = UNSET
    per_second: int | Unset = 20

    def to_dict(self) -> dict[str, Any]:
        filter_ = self.filter_.to_dict()

        reason = self.reason

        confirm_total = self.confirm_total

        dry_run = self.dry_run

        operation_id: str | Unset = UNSET
        if not isinstance(self.operation_id, Unset):
            operation_id = str(self.operation_id)

        per_second = self.per_second

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "filter": filter_,
                "reason": reason,
            }
        )
        if confirm_total is not UNSET:
            field_dict["confirm_total"] = confirm_total
        if dry_run is not UNSET:
            field_dict["dry_run"] = dry_run
        if operation_id is not UNSET:
            field_dict["operation_id"] = operation_id
        if per_second is not UNSET:
            field_dict["per_second"] = per_second

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.bulk_filter import BulkFilter  # noqa: PLC0415

        d = dict(src_dict)
        filter_ = BulkFilter.from_dict(d.pop("filter"))

        reason = d.pop("reason")

        confirm_total = d.pop("confirm_total", UNSET)

        dry_run = d.pop("dry_run", UNSET)

        _operation_id = d.pop("operation_id", UNSET)
        operation_id: UUID | Unset
        if isinstance(_operation_id, Unset):
            operation_id = UNSET
        else:
            operation_id = UUID(_operation_id)

        per_second = d.pop("per_second", UNSET)

        bulk_retry_create = cls(
            filter_=filter_,
            reason=reason,
            confirm_total=confirm_total,
            dry_run=dry_run,
            operation_id=operation_id,
            per_second=per_second,
        )

        return bulk_retry_create
