from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus
from ..models.result_status import ResultStatus

if TYPE_CHECKING:
    from ..models.overridden_follow_up_read import OverriddenFollowUpRead
    from ..models.task_result_read import TaskResultRead


T = TypeVar("T", bound="ActivityResultRead")


@_attrs_define
class ActivityResultRead:
    """A result as it was accepted.

    Attributes:
        activity_id (UUID): The id of the activity.
        actor (str): The subject of the token with which it was done; null if the service did it.
        attempt (int): The claim that the result belongs to, counted from 1.
        commerce_external_id (None | str): The tenant's own id of the commerce.
        external_status (None | str): The status in the provider's own terms.
        follow_up_at (datetime.datetime | None): The time of the follow-up that the result requires.
        follow_up_error (None | str): The cause if the follow-up could not be created. Send the result again to try
            again.
        follow_up_id (None | UUID): The follow-up, an activity like any other.
        from_status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never
            stored in a row.
        hard_override (bool): Whether the result has replaced an earlier one.
        id (UUID): The id.
        occurred_at (datetime.datetime): The time at which it happened.
        overridden_follow_up (None | OverriddenFollowUpRead): The follow-up of the result that this one has replaced, as
            it is now.
        overrides_id (None | UUID): The result that this one has replaced.
        provider_activity_id (None | str): The provider's own id of the activity.
        raw_payload (Any): Any JSON value.
        received_at (datetime.datetime): The time at which the service has recorded it.
        status (ResultStatus): The outcome that an executor reports; PENDING means that the executor is still at work.
        task_result (None | TaskResultRead): The result in the tenant's own terms.
        to_status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never
            stored in a row.
    """

    activity_id: UUID
    actor: str
    attempt: int
    commerce_external_id: None | str
    external_status: None | str
    follow_up_at: datetime.datetime | None
    follow_up_error: None | str
    follow_up_id: None | UUID
    from_status: ActivityStatus
    hard_override: bool
    id: UUID
    occurred_at: datetime.datetime
    overridden_follow_up: None | OverriddenFollowUpRead
    overrides_id: None | UUID
    provider_activity_id: None | str
    raw_payload: Any
    received_at: datetime.datetime
    status: ResultStatus
    task_result: None | TaskResultRead
    to_status: ActivityStatus
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.overridden_follow_up_read import OverriddenFollowUpRead  # noqa: PLC0415
        from ..models.task_result_read import TaskResultRead  # noqa: PLC0415

        activity_id = str(self.activity_id)

        actor = self.actor

        attempt = self.attempt

        commerce_external_id: None | str
        commerce_external_id = self.commerce_external_id

        external_status: None | str
        external_status = self.external_status

        follow_up_at: None | str
        if isinstance(self.follow_up_at, datetime.datetime):
            follow_up_at = self.follow_up_at.isoformat()
        else:
            follow_up_at = self.follow_up_at

        follow_up_error: None | str
        follow_up_error = self.follow_up_error

        follow_up_id: None | str
        if isinstance(self.follow_up_id, UUID):
            follow_up_id = str(self.follow_up_id)
        else:
            follow_up_id = self.follow_up_id

        from_status = self.from_status.value

        hard_override = self.hard_override

        id = str(self.id)

        occurred_at = self.occurred_at.isoformat()

        overridden_follow_up: dict[str, Any] | None
        if isinstance(self.overridden_follow_up, OverriddenFollowUpRead):
            overridden_follow_up = self.overridden_follow_up.to_dict()
        else:
            overridden_follow_up = self.overridden_follow_up

        overrides_id: None | str
        if isinstance(self.overrides_id, UUID):
            overrides_id = str(self.overrides_id)
        else:
            overrides_id = self.overrides_id

        provider_activity_id: None | str
        provider_activity_id = self.provider_activity_id

        raw_payload = self.raw_payload

        received_at = self.received_at.isoformat()

        status = self.status.value

        task_result: dict[str, Any] | None
        if isinstance(self.task_result, TaskResultRead):
            task_result = self.task_result.to_dict()
        else:
            task_result = self.task_result

        to_status = self.to_status.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "activityId": activity_id,
                "actor": actor,
                "attempt": attempt,
                "commerceExternalId": commerce_external_id,
                "externalStatus": external_status,
                "followUpAt": follow_up_at,
                "followUpError": follow_up_error,
                "followUpId": follow_up_id,
                "fromStatus": from_status,
                "hardOverride": hard_override,
                "id": id,
                "occurredAt": occurred_at,
                "overriddenFollowUp": overridden_follow_up,
                "overridesId": overrides_id,
                "providerActivityId": provider_activity_id,
                "rawPayload": raw_payload,
                "receivedAt": received_at,
                "status": status,
                "taskResult": task_result,
                "toStatus": to_status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.overridden_follow_up_read import OverriddenFollowUpRead  # noqa: PLC0415
        from ..models.task_result_read import TaskResultRead  # noqa: PLC0415

        d = dict(src_dict)
        activity_id = UUID(d.pop("activityId"))

        actor = d.pop("actor")

        attempt = d.pop("attempt")

        def _parse_commerce_external_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        commerce_external_id = _parse_commerce_external_id(d.pop("commerceExternalId"))

        def _parse_external_status(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        external_status = _parse_external_status(d.pop("externalStatus"))

        def _parse_follow_up_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                follow_up_at_type_0 = datetime.datetime.fromisoformat(data)

                return follow_up_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        follow_up_at = _parse_follow_up_at(d.pop("followUpAt"))

        def _parse_follow_up_error(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        follow_up_error = _parse_follow_up_error(d.pop("followUpError"))

        def _parse_follow_up_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                follow_up_id_type_0 = UUID(data)

                return follow_up_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        follow_up_id = _parse_follow_up_id(d.pop("followUpId"))

        from_status = ActivityStatus(d.pop("fromStatus"))

        hard_override = d.pop("hardOverride")

        id = UUID(d.pop("id"))

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurredAt"))

        def _parse_overridden_follow_up(data: object) -> None | OverriddenFollowUpRead:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                overridden_follow_up_type_0 = OverriddenFollowUpRead.from_dict(data)

                return overridden_follow_up_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OverriddenFollowUpRead, data)

        overridden_follow_up = _parse_overridden_follow_up(d.pop("overriddenFollowUp"))

        def _parse_overrides_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                overrides_id_type_0 = UUID(data)

                return overrides_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        overrides_id = _parse_overrides_id(d.pop("overridesId"))

        def _parse_provider_activity_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        provider_activity_id = _parse_provider_activity_id(d.pop("providerActivityId"))

        raw_payload = d.pop("rawPayload")

        received_at = datetime.datetime.fromisoformat(d.pop("receivedAt"))

        status = ResultStatus(d.pop("status"))

        def _parse_task_result(data: object) -> None | TaskResultRead:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                task_result_type_0 = TaskResultRead.from_dict(data)

                return task_result_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TaskResultRead, data)

        task_result = _parse_task_result(d.pop("taskResult"))

        to_status = ActivityStatus(d.pop("toStatus"))

        activity_result_read = cls(
            activity_id=activity_id,
            actor=actor,
            attempt=attempt,
            commerce_external_id=commerce_external_id,
            external_status=external_status,
            follow_up_at=follow_up_at,
            follow_up_error=follow_up_error,
            follow_up_id=follow_up_id,
            from_status=from_status,
            hard_override=hard_override,
            id=id,
            occurred_at=occurred_at,
            overridden_follow_up=overridden_follow_up,
            overrides_id=overrides_id,
            provider_activity_id=provider_activity_id,
            raw_payload=raw_payload,
            received_at=received_at,
            status=status,
            task_result=task_result,
            to_status=to_status,
        )

        activity_result_read.additional_properties = d
        return activity_result_read

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
