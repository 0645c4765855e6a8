from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.activity_type import ActivityType
from ..models.channel import Channel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.last_contacted import LastContacted
    from ..models.provided_attribute_create import ProvidedAttributeCreate
    from ..models.role_match import RoleMatch


T = TypeVar("T", bound="ScheduledActivityCreate")


@_attrs_define
class ScheduledActivityCreate:
    """A new activity.

    Attributes:
        channel (Channel): The channel by which the activity reaches the commerce.
        commerce_id (UUID): The id of the commerce.
        idempotency_key (str): Unique in the tenant for ever. Compared byte by byte. Put no personal data in it:
            operators can read it in Temporal, where everything else of a request is encrypted.
        reason (str): A code, label or alias of the tenant's reasons. Case and accents don't matter.
        scheduled_at (datetime.datetime): The time of execution. A past time makes the activity due at once.
        type_ (ActivityType): The kind of activity: work for a person, or a communication.
        assignment_reason (str | Unset): The reason of the assignment to the commerce, in the caller's words.
        attribute_keys (list[str] | Unset): The keys of the values that the executor needs, which the tenant's policies
            find.
        attributes (list[ProvidedAttributeCreate] | Unset): The values that the executor needs.
        score (int | Unset): Executors receive higher scores first.
        suggested_execution_time (datetime.datetime | Unset): A hint for the executor. It moves nothing.
        target_criteria (list[LastContacted | RoleMatch] | Unset): Replaces the configured criteria. With `[]`, only the
            fallbacks are tried.
        user_status (str | Unset): The commerce's status in the tenant's terms; null if none was given.
    """

    channel: Channel
    commerce_id: UUID
    idempotency_key: str
    reason: str
    scheduled_at: datetime.datetime
    type_: ActivityType
    assignment_reason: str | Unset = UNSET
    attribute_keys: list[str] | Unset = UNSET
    attributes: list[ProvidedAttributeCreate] | Unset = UNSET
    score: int | Unset = UNSET
    suggested_execution_time: datetime.datetime | Unset = UNSET
    target_criteria: list[LastContacted | RoleMatch] | Unset = UNSET
    user_status: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        channel = self.channel.value

        commerce_id = str(self.commerce_id)

        idempotency_key = self.idempotency_key

        reason = self.reason

        scheduled_at = self.scheduled_at.isoformat()

        type_ = self.type_.value

        assignment_reason = self.assignment_reason

        attribute_keys: list[str] | Unset = UNSET
        if not isinstance(self.attribute_keys, Unset):
            attribute_keys = self.attribute_keys

        attributes: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.attributes, Unset):
            attributes = []
            for attributes_item_data in self.attributes:
                attributes_item = attributes_item_data.to_dict()
                attributes.append(attributes_item)

        score = self.score

        suggested_execution_time: str | Unset = UNSET
        if not isinstance(self.suggested_execution_time, Unset):
            suggested_execution_time = self.suggested_execution_time.isoformat()

        target_criteria: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.target_criteria, Unset):
            target_criteria = []
            for target_criteria_item_data in self.target_criteria:
                target_criteria_item: dict[str, Any]
                if isinstance(target_criteria_item_data, RoleMatch):
                    target_criteria_item = target_criteria_item_data.to_dict()
                else:
                    target_criteria_item = target_criteria_item_data.to_dict()

                target_criteria.append(target_criteria_item)

        user_status = self.user_status

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channel": channel,
                "commerce_id": commerce_id,
                "idempotency_key": idempotency_key,
                "reason": reason,
                "scheduled_at": scheduled_at,
                "type": type_,
            }
        )
        if assignment_reason is not UNSET:
            field_dict["assignment_reason"] = assignment_reason
        if attribute_keys is not UNSET:
            field_dict["attribute_keys"] = attribute_keys
        if attributes is not UNSET:
            field_dict["attributes"] = attributes
        if score is not UNSET:
            field_dict["score"] = score
        if suggested_execution_time is not UNSET:
            field_dict["suggested_execution_time"] = suggested_execution_time
        if target_criteria is not UNSET:
            field_dict["target_criteria"] = target_criteria
        if user_status is not UNSET:
            field_dict["user_status"] = user_status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.last_contacted import LastContacted  # noqa: PLC0415
        from ..models.provided_attribute_create import ProvidedAttributeCreate  # noqa: PLC0415
        from ..models.role_match import RoleMatch  # noqa: PLC0415

        d = dict(src_dict)
        channel = Channel(d.pop("channel"))

        commerce_id = UUID(d.pop("commerce_id"))

        idempotency_key = d.pop("idempotency_key")

        reason = d.pop("reason")

        scheduled_at = datetime.datetime.fromisoformat(d.pop("scheduled_at"))

        type_ = ActivityType(d.pop("type"))

        assignment_reason = d.pop("assignment_reason", UNSET)

        attribute_keys = cast(list[str], d.pop("attribute_keys", UNSET))

        _attributes = d.pop("attributes", UNSET)
        attributes: list[ProvidedAttributeCreate] | Unset = UNSET
        if _attributes is not UNSET:
            attributes = []
            for attributes_item_data in _attributes:
                attributes_item = ProvidedAttributeCreate.from_dict(attributes_item_data)

                attributes.append(attributes_item)

        score = d.pop("score", UNSET)

        _suggested_execution_time = d.pop("suggested_execution_time", UNSET)
        suggested_execution_time: datetime.datetime | Unset
        if isinstance(_suggested_execution_time, Unset):
            suggested_execution_time = UNSET
        else:
            suggested_execution_time = datetime.datetime.fromisoformat(_suggested_execution_time)

        _target_criteria = d.pop("target_criteria", UNSET)
        target_criteria: list[LastContacted | RoleMatch] | Unset = UNSET
        if _target_criteria is not UNSET:
            target_criteria = []
            for target_criteria_item_data in _target_criteria:

                def _parse_target_criteria_item(data: object) -> LastContacted | RoleMatch:
                    try:
                        if not isinstance(data, dict):
                            raise TypeError()
                        target_criteria_item_type_0 = RoleMatch.from_dict(data)

                        return target_criteria_item_type_0
                    except (TypeError, ValueError, AttributeError, KeyError):
                        pass
                    if not isinstance(data, dict):
                        raise TypeError()
                    target_criteria_item_type_1 = LastContacted.from_dict(data)

                    return target_criteria_item_type_1

                target_criteria_item = _parse_target_criteria_item(target_criteria_item_data)

                target_criteria.append(target_criteria_item)

        user_status = d.pop("user_status", UNSET)

        scheduled_activity_create = cls(
            channel=channel,
            commerce_id=commerce_id,
            idempotency_key=idempotency_key,
            reason=reason,
            scheduled_at=scheduled_at,
            type_=type_,
            assignment_reason=assignment_reason,
            attribute_keys=attribute_keys,
            attributes=attributes,
            score=score,
            suggested_execution_time=suggested_execution_time,
            target_criteria=target_criteria,
            user_status=user_status,
        )

        return scheduled_activity_create
