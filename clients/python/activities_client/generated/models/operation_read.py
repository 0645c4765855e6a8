from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.bulk_state import BulkState
from ..models.bulk_verb import BulkVerb

if TYPE_CHECKING:
    from ..models.item_counts import ItemCounts
    from ..models.operation_read_filter import OperationReadFilter


T = TypeVar("T", bound="OperationRead")


@_attrs_define
class OperationRead:
    """A bulk operation and its progress.

    Attributes:
        actor (str): The subject of the token with which it was done; null if the service did it.
        cancel_open (bool | None): Of an erasure: whether open activities are cancelled.
        commerce_user_id (None | UUID): Of an erasure: the user; null for all of the commerce in `filter`.
        confirm_total (int | None): The most activities that may be changed.
        counts (ItemCounts): The number of items by outcome. ACCEPTED items will still be changed; REFUSED and FAILED
            ones were not.
        created_at (datetime.datetime | None): The time of the creation.
        detail (None | str): The reason why the operation was rejected, or was ended.
        filter_ (OperationReadFilter): The conditions on the activities.
        finished_at (datetime.datetime | None): The time of the end; null before it.
        id (UUID): The id.
        per_second (int): The most activities that are changed in a second.
        queue_position (int | None): Its place among the tenant's QUEUED operations, from 1; null in every other state.
        reason (str): The reason, which the trail shows.
        scheduled_at (datetime.datetime | None): The time of execution.
        shift_seconds (int | None): The seconds that are added to each activity's time; null if all move to one time.
        started_at (datetime.datetime | None): The time at which its turn has come; null while QUEUED.
        state (BulkState): The progress of the operation.

            QUEUED waits until fewer of the tenant's operations run, COLLECTING chooses the activities. STOPPING begins no
            change any more and waits for those that were begun; REJECTED has changed nothing.
        total (int | None): Null until the activities are chosen.
        verb (BulkVerb): The change that is made to each activity.
    """

    actor: str
    cancel_open: bool | None
    commerce_user_id: None | UUID
    confirm_total: int | None
    counts: ItemCounts
    created_at: datetime.datetime | None
    detail: None | str
    filter_: OperationReadFilter
    finished_at: datetime.datetime | None
    id: UUID
    per_second: int
    queue_position: int | None
    reason: str
    scheduled_at: datetime.datetime | None
    shift_seconds: int | None
    started_at: datetime.datetime | None
    state: BulkState
    total: int | None
    verb: BulkVerb
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        actor = self.actor

        cancel_open: bool | None
        cancel_open = self.cancel_open

        commerce_user_id: None | str
        if isinstance(self.commerce_user_id, UUID):
            commerce_user_id = str(self.commerce_user_id)
        else:
            commerce_user_id = self.commerce_user_id

        confirm_total: int | None
        confirm_total = self.confirm_total

        counts = self.counts.to_dict()

        created_at: None | str
        if isinstance(self.created_at, datetime.datetime):
            created_at = self.created_at.isoformat()
        else:
            created_at = self.created_at

        detail: None | str
        detail = self.detail

        filter_ = self.filter_.to_dict()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        id = str(self.id)

        per_second = self.per_second

        queue_position: int | None
        queue_position = self.queue_position

        reason = self.reason

        scheduled_at: None | str
        if isinstance(self.scheduled_at, datetime.datetime):
            scheduled_at = self.scheduled_at.isoformat()
        else:
            scheduled_at = self.scheduled_at

        shift_seconds: int | None
        shift_seconds = self.shift_seconds

        started_at: None | str
        if isinstance(self.started_at, datetime.datetime):
            started_at = self.started_at.isoformat()
        else:
            started_at = self.started_at

        state = self.state.value

        total: int | None
        total = self.total

        verb = self.verb.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "actor": actor,
                "cancelOpen": cancel_open,
                "commerceUserId": commerce_user_id,
                "confirmTotal": confirm_total,
                "counts": counts,
                "createdAt": created_at,
                "detail": detail,
                "filter": filter_,
                "finishedAt": finished_at,
                "id": id,
                "perSecond": per_second,
                "queuePosition": queue_position,
                "reason": reason,
                "scheduledAt": scheduled_at,
                "shiftSeconds": shift_seconds,
                "startedAt": started_at,
                "state": state,
                "total": total,
                "verb": verb,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.item_counts import ItemCounts  # noqa: PLC0415
        from ..models.operation_read_filter import OperationReadFilter  # noqa: PLC0415

        d = dict(src_dict)
        actor = d.pop("actor")

        def _parse_cancel_open(data: object) -> bool | None:
            if data is None:
                return data
            return cast(bool | None, data)

        cancel_open = _parse_cancel_open(d.pop("cancelOpen"))

        def _parse_commerce_user_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                commerce_user_id_type_0 = UUID(data)

                return commerce_user_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        commerce_user_id = _parse_commerce_user_id(d.pop("commerceUserId"))

        def _parse_confirm_total(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        confirm_total = _parse_confirm_total(d.pop("confirmTotal"))

        counts = ItemCounts.from_dict(d.pop("counts"))

        def _parse_created_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                created_at_type_0 = datetime.datetime.fromisoformat(data)

                return created_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        created_at = _parse_created_at(d.pop("createdAt"))

        def _parse_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        detail = _parse_detail(d.pop("detail"))

        filter_ = OperationReadFilter.from_dict(d.pop("filter"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finishedAt"))

        id = UUID(d.pop("id"))

        per_second = d.pop("perSecond")

        def _parse_queue_position(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        queue_position = _parse_queue_position(d.pop("queuePosition"))

        reason = d.pop("reason")

        def _parse_scheduled_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                scheduled_at_type_0 = datetime.datetime.fromisoformat(data)

                return scheduled_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        scheduled_at = _parse_scheduled_at(d.pop("scheduledAt"))

        def _parse_shift_seconds(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        shift_seconds = _parse_shift_seconds(d.pop("shiftSeconds"))

        def _parse_started_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                started_at_type_0 = datetime.datetime.fromisoformat(data)

                return started_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        started_at = _parse_started_at(d.pop("startedAt"))

        state = BulkState(d.pop("state"))

        def _parse_total(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        total = _parse_total(d.pop("total"))

        verb = BulkVerb(d.pop("verb"))

        operation_read = cls(
            actor=actor,
            cancel_open=cancel_open,
            commerce_user_id=commerce_user_id,
            confirm_total=confirm_total,
            counts=counts,
            created_at=created_at,
            detail=detail,
            filter_=filter_,
            finished_at=finished_at,
            id=id,
            per_second=per_second,
            queue_position=queue_position,
            reason=reason,
            scheduled_at=scheduled_at,
            shift_seconds=shift_seconds,
            started_at=started_at,
            state=state,
            total=total,
            verb=verb,
        )

        operation_read.additional_properties = d
        return operation_read

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
