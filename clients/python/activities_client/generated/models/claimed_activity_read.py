from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.activity_status import ActivityStatus
from ..models.activity_type import ActivityType
from ..models.channel import Channel

if TYPE_CHECKING:
    from ..models.attribute_read import AttributeRead
    from ..models.claimed_commerce_read import ClaimedCommerceRead
    from ..models.claimed_target_read import ClaimedTargetRead
    from ..models.commerce_assignment_read import CommerceAssignmentRead
    from ..models.label import Label
    from ..models.workflow_read import WorkflowRead


T = TypeVar("T", bound="ClaimedActivityRead")


@_attrs_define
class ClaimedActivityRead:
    """A claimed activity: all that an executor needs to carry it out, and the lease.

    Attributes:
        attempt (int): The number of times the activity has been claimed, this time included.
        attributes (list[AttributeRead]): The values that the executor needs.
        channel (Channel): The channel by which the activity reaches the commerce.
        commerce (ClaimedCommerceRead): The commerce, by the tenant's own id and name.
        commerce_assignment (CommerceAssignmentRead): The commerce of the activity.
        created_at (datetime.datetime | None): The time of the creation.
        held_since (datetime.datetime | None): The start of the hold: a pause of the tenant keeps the activity READY.
        id (UUID): The id.
        idempotency_key (str): The request's idempotency key.
        lateness_ms (int | None): The lateness of the mark in milliseconds. Never negative.
        lease_expires_at (datetime.datetime): The time at which the lease ends.
        lease_token (UUID): The executor's secret. Send it to extend or release the lease, and with a result.
        marked_at (datetime.datetime | None): The time at which it was marked for execution.
        reason (Label | None): The reason, which the trail shows.
        scheduled_at (datetime.datetime): The time of execution.
        score (int | None): Executors receive higher scores first; null counts as the lowest.
        status (ActivityStatus): The stage of a scheduled activity's life; `RESOLVING` and `REJECTED` are never stored
            in a row.
        status_reason (None | str): The cause of UNRESOLVED or FAILED.
        suggested_execution_time (datetime.datetime | None): A hint for the executor, which moves nothing.
        target_users (list[ClaimedTargetRead]): The target users of the activity.
        type_ (ActivityType): The kind of activity: work for a person, or a communication.
        updated_at (datetime.datetime | None): The time of the latest change.
        user_status (Label | None): The commerce's status in the tenant's terms; null if none was given.
        workflow (None | WorkflowRead): Present for callers with OPERATE.
    """

    attempt: int
    attributes: list[AttributeRead]
    channel: Channel
    commerce: ClaimedCommerceRead
    commerce_assignment: CommerceAssignmentRead
    created_at: datetime.datetime | None
    held_since: datetime.datetime | None
    id: UUID
    idempotency_key: str
    lateness_ms: int | None
    lease_expires_at: datetime.datetime
    lease_token: UUID
    marked_at: datetime.datetime | None
    reason: Label | None
    scheduled_at: datetime.datetime
    score: int | None
    status: ActivityStatus
    status_reason: None | str
    suggested_execution_time: datetime.datetime | None
    target_users: list[ClaimedTargetRead]
    type_: ActivityType
    updated_at: datetime.datetime | None
    user_status: Label | None
    workflow: None | WorkflowRead
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.label import Label  # noqa: PLC0415
        from ..models.workflow_read import WorkflowRead  # noqa: PLC0415

        attempt = self.attempt

        attributes = []
        for attributes_item_data in self.attributes:
            attributes_item = attributes_item_data.to_dict()
            attributes.append(attributes_item)

        channel = self.channel.value

        commerce = self.commerce.to_dict()

        commerce_assignment = self.commerce_assignment.to_dict()

        created_at: None | str
        if isinstance(self.created_at, datetime.datetime):
            created_at = self.created_at.isoformat()
        else:
            created_at = self.created_at

        held_since: None | str
        if isinstance(self.held_since, datetime.datetime):
            held_since = self.held_since.isoformat()
        else:
            held_since = self.held_since

        id = str(self.id)

        idempotency_key = self.idempotency_key

        lateness_ms: int | None
        lateness_ms = self.lateness_ms

        lease_expires_at = self.lease_expires_at.isoformat()

        lease_token = str(self.lease_token)

        marked_at: None | str
        if isinstance(self.marked_at, datetime.datetime):
            marked_at = self.marked_at.isoformat()
        else:
            marked_at = self.marked_at

        reason: dict[str, Any] | None
        if isinstance(self.reason, Label):
            reason = self.reason.to_dict()
        else:
            reason = self.reason

        scheduled_at = self.scheduled_at.isoformat()

        score: int | None
        score = self.score

        status = self.status.value

        status_reason: None | str
        status_reason = self.status_reason

        suggested_execution_time: None | str
        if isinstance(self.suggested_execution_time, datetime.datetime):
            suggested_execution_time = self.suggested_execution_time.isoformat()
        else:
            suggested_execution_time = self.suggested_execution_time

        target_users = []
        for target_users_item_data in self.target_users:
            target_users_item = target_users_item_data.to_dict()
            target_users.append(target_users_item)

        type_ = self.type_.value

        updated_at: None | str
        if isinstance(self.updated_at, datetime.datetime):
            updated_at = self.updated_at.isoformat()
        else:
            updated_at = self.updated_at

        user_status: dict[str, Any] | None
        if isinstance(self.user_status, Label):
            user_status = self.user_status.to_dict()
        else:
            user_status = self.user_status

        workflow: dict[str, Any] | None
        if isinstance(self.workflow, WorkflowRead):
            workflow = self.workflow.to_dict()
        else:
            workflow = self.workflow

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "attempt": attempt,
                "attributes": attributes,
                "channel": channel,
                "commerce": commerce,
                "commerceAssignment": commerce_assignment,
                "createdAt": created_at,
                "heldSince": held_since,
                "id": id,
                "idempotencyKey": idempotency_key,
                "latenessMs": lateness_ms,
                "leaseExpiresAt": lease_expires_at,
                "leaseToken": lease_token,
                "markedAt": marked_at,
                "reason": reason,
                "scheduledAt": scheduled_at,
                "score": score,
                "status": status,
                "statusReason": status_reason,
                "suggestedExecutionTime": suggested_execution_time,
                "targetUsers": target_users,
                "type": type_,
                "updatedAt": updated_at,
                "userStatus": user_status,
                "workflow": workflow,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attribute_read import AttributeRead  # noqa: PLC0415
        from ..models.claimed_commerce_read import ClaimedCommerceRead  # noqa: PLC0415
        from ..models.claimed_target_read import ClaimedTargetRead  # noqa: PLC0415
        from ..models.commerce_assignment_read import CommerceAssignmentRead  # noqa: PLC0415
        from ..models.label import Label  # noqa: PLC0415
        from ..models.workflow_read import WorkflowRead  # noqa: PLC0415

        d = dict(src_dict)
        attempt = d.pop("attempt")

        attributes = []
        _attributes = d.pop("attributes")
        for attributes_item_data in _attributes:
            attributes_item = AttributeRead.from_dict(attributes_item_data)

            attributes.append(attributes_item)

        channel = Channel(d.pop("channel"))

        commerce = ClaimedCommerceRead.from_dict(d.pop("commerce"))

        commerce_assignment = CommerceAssignmentRead.from_dict(d.pop("commerceAssignment"))

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

        def _parse_held_since(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                held_since_type_0 = datetime.datetime.fromisoformat(data)

                return held_since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        held_since = _parse_held_since(d.pop("heldSince"))

        id = UUID(d.pop("id"))

        idempotency_key = d.pop("idempotencyKey")

        def _parse_lateness_ms(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        lateness_ms = _parse_lateness_ms(d.pop("latenessMs"))

        lease_expires_at = datetime.datetime.fromisoformat(d.pop("leaseExpiresAt"))

        lease_token = UUID(d.pop("leaseToken"))

        def _parse_marked_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                marked_at_type_0 = datetime.datetime.fromisoformat(data)

                return marked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        marked_at = _parse_marked_at(d.pop("markedAt"))

        def _parse_reason(data: object) -> Label | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                reason_type_0 = Label.from_dict(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Label | None, data)

        reason = _parse_reason(d.pop("reason"))

        scheduled_at = datetime.datetime.fromisoformat(d.pop("scheduledAt"))

        def _parse_score(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        score = _parse_score(d.pop("score"))

        status = ActivityStatus(d.pop("status"))

        def _parse_status_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        status_reason = _parse_status_reason(d.pop("statusReason"))

        def _parse_suggested_execution_time(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                suggested_execution_time_type_0 = datetime.datetime.fromisoformat(data)

                return suggested_execution_time_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        suggested_execution_time = _parse_suggested_execution_time(d.pop("suggestedExecutionTime"))

        target_users = []
        _target_users = d.pop("targetUsers")
        for target_users_item_data in _target_users:
            target_users_item = ClaimedTargetRead.from_dict(target_users_item_data)

            target_users.append(target_users_item)

        type_ = ActivityType(d.pop("type"))

        def _parse_updated_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_at_type_0 = datetime.datetime.fromisoformat(data)

                return updated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        updated_at = _parse_updated_at(d.pop("updatedAt"))

        def _parse_user_status(data: object) -> Label | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                user_status_type_0 = Label.from_dict(data)

                return user_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Label | None, data)

        user_status = _parse_user_status(d.pop("userStatus"))

        def _parse_workflow(data: object) -> None | WorkflowRead:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                workflow_type_0 = WorkflowRead.from_dict(data)

                return workflow_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | WorkflowRead, data)

        workflow = _parse_workflow(d.pop("workflow"))

        claimed_activity_read = cls(
            attempt=attempt,
            attributes=attributes,
            channel=channel,
            commerce=commerce,
            commerce_assignment=commerce_assignment,
            created_at=created_at,
            held_since=held_since,
            id=id,
            idempotency_key=idempotency_key,
            lateness_ms=lateness_ms,
            lease_expires_at=lease_expires_at,
            lease_token=lease_token,
            marked_at=marked_at,
            reason=reason,
            scheduled_at=scheduled_at,
            score=score,
            status=status,
            status_reason=status_reason,
            suggested_execution_time=suggested_execution_time,
            target_users=target_users,
            type_=type_,
            updated_at=updated_at,
            user_status=user_status,
            workflow=workflow,
        )

        claimed_activity_read.additional_properties = d
        return claimed_activity_read

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
