from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.result_status import ResultStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.task_result_create import TaskResultCreate


T = TypeVar("T", bound="ActivityResultCreate")


@_attrs_define
class ActivityResultCreate:
    """The result of an activity, as its executor reports it.

    Attributes:
        occurred_at (datetime.datetime): The time at which it happened.
        status (ResultStatus): The outcome that an executor reports; PENDING means that the executor is still at work.
        activity_id (UUID | Unset): The id of the activity.
        commerce_external_id (str | Unset): If given, it must be the external id of the activity's commerce.
        external_status (str | Unset): The status in the provider's own terms.
        hard_override (bool | Unset): Replace the result that the activity has already. Default: False.
        lease_token (UUID | Unset): Proves that the result comes from the last claim.
        provider_activity_id (str | Unset): The provider's own id, of at most 2,000 bytes in UTF-8. Once sent together
            with `activity_id`, it can replace it in later results.
        raw_payload (Any | Unset): Any JSON value.
        task_result (TaskResultCreate | Unset): The result of a task, in the tenant's own terms.
    """

    occurred_at: datetime.datetime
    status: ResultStatus
    activity_id: UUID | Unset = UNSET
    commerce_external_id: str | Unset = UNSET
    external_status: str | Unset = UNSET
    hard_override: bool | Unset = False
    lease_token: UUID | Unset = UNSET
    provider_activity_id: str | Unset = UNSET
    raw_payload: Any | Unset = UNSET
    task_result: TaskResultCreate | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        occurred_at = self.occurred_at.isoformat()

        status = self.status.value

        activity_id: str | Unset = UNSET
        if not isinstance(self.activity_id, Unset):
            activity_id = str(self.activity_id)

        commerce_external_id = self.commerce_external_id

        external_status = self.external_status

        hard_override = self.hard_override

        lease_token: str | Unset = UNSET
        if not isinstance(self.lease_token, Unset):
            lease_token = str(self.lease_token)

        provider_activity_id = self.provider_activity_id

        raw_payload = self.raw_payload

        task_result: dict[str, Any] | Unset = UNSET
        if not isinstance(self.task_result, Unset):
            task_result = self.task_result.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "occurred_at": occurred_at,
                "status": status,
            }
        )
        if activity_id is not UNSET:
            field_dict["activity_id"] = activity_id
        if commerce_external_id is not UNSET:
            field_dict["commerce_external_id"] = commerce_external_id
        if external_status is not UNSET:
            field_dict["external_status"] = external_status
        if hard_override is not UNSET:
            field_dict["hard_override"] = hard_override
        if lease_token is not UNSET:
            field_dict["lease_token"] = lease_token
        if provider_activity_id is not UNSET:
            field_dict["provider_activity_id"] = provider_activity_id
        if raw_payload is not UNSET:
            field_dict["raw_payload"] = raw_payload
        if task_result is not UNSET:
            field_dict["task_result"] = task_result

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.task_result_create import TaskResultCreate  # noqa: PLC0415

        d = dict(src_dict)
        occurred_at = datetime.datetime.fromisoformat(d.pop("occurred_at"))

        status = ResultStatus(d.pop("status"))

        _activity_id = d.pop("activity_id", UNSET)
        activity_id: UUID | Unset
        if isinstance(_activity_id, Unset):
            activity_id = UNSET
        else:
            activity_id = UUID(_activity_id)

        commerce_external_id = d.pop("commerce_external_id", UNSET)

        external_status = d.pop("external_status", UNSET)

        hard_override = d.pop("hard_override", UNSET)

        _lease_token = d.pop("lease_token", UNSET)
        lease_token: UUID | Unset
        if isinstance(_lease_token, Unset):
            lease_token = UNSET
        else:
            lease_token = UUID(_lease_token)

        provider_activity_id = d.pop("provider_activity_id", UNSET)

        raw_payload = d.pop("raw_payload", UNSET)

        _task_result = d.pop("task_result", UNSET)
        task_result: TaskResultCreate | Unset
        if isinstance(_task_result, Unset):
            task_result = UNSET
        else:
            task_result = TaskResultCreate.from_dict(_task_result)

        activity_result_create = cls(
            occurred_at=occurred_at,
            status=status,
            activity_id=activity_id,
            commerce_external_id=commerce_external_id,
            external_status=external_status,
            hard_override=hard_override,
            lease_token=lease_token,
            provider_activity_id=provider_activity_id,
            raw_payload=raw_payload,
            task_result=task_result,
        )

        return activity_result_create
