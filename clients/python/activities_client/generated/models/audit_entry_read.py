from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audited_resource import AuditedResource

if TYPE_CHECKING:
    from ..models.audit_entry_read_after_type_0 import AuditEntryReadAfterType0
    from ..models.audit_entry_read_before_type_0 import AuditEntryReadBeforeType0


T = TypeVar("T", bound="AuditEntryRead")


@_attrs_define
class AuditEntryRead:
    """A change. `before` and `after` have the members of requests; one is null if the resource was not there.

    Attributes:
        actor (str): The subject of the token, `key:` and the id of an API key, or the name that an operator gave.
            `role:` and a role of PostgreSQL if the change was made neither by the API nor by `operate.py`.
        after (AuditEntryReadAfterType0 | None): The resource after the change; null if it is gone.
        before (AuditEntryReadBeforeType0 | None): The resource before the change; null if it was not there.
        id (UUID): The id.
        occurred_at (datetime.datetime): The time at which it happened.
        resource (AuditedResource): The kinds of resources whose changes are audited. A trigger of each table writes its
            word.

            PERSONAL_DATA is an erasure, which has an entry without the data.
        resource_key (None | str): The resource's code, key, name or id; null if there is only one.
    """

    actor: str
    after: AuditEntryReadAfterType0 | None
    before: AuditEntryReadBeforeType0 | None
    id: UUID
    occurred_at: datetime.datetime
    resource: AuditedResource
    resource_key: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.audit_entry_read_after_type_0 import AuditEntryReadAfterType0  # noqa: PLC0415
        from ..models.audit_entry_read_before_type_0 import AuditEntryReadBeforeType0  # noqa: PLC0415

        actor = self.actor

        after: dict[str, Any] | None
        if isinstance(self.after, AuditEntryReadAfterType0):
            after = self.after.to_dict()
        else:
            after = self.after

        before: dict[str, Any] | None
        if isinstance(self.before, AuditEntryReadBeforeType0):
            before = self.before.to_dict()
        else:
            before = self.before

        id = str(self.id)

        occurred_at = self.occurred_at.isoformat()

        resource = self.resource.value

        resource_key: None | str
        resource_key = self.resource_key

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "actor": actor,
                "after": after,
                "before": before,
                "id": id,
                "occurredAt": occurred_at,
                "resource": resource,
                "resourceKey": resource_key,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.audit_entry_read_after_type_0 import AuditEntryReadAfterType0  # noqa: PLC0415
        from ..models.audit_entry_read_before_type_0 import AuditEntryReadBeforeType0  # noqa: PLC0415

        d = dict(src_dict)
        actor = d.pop("actor")

        def _parse_after(data: object) -> AuditEntryReadAfterType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                after_type_0 = AuditEntryReadAfterType0.from_dict(data)

                return after_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AuditEntryReadAfterType0 | None, data)

        after = _parse_after(d.pop("after"))

        def _parse_before(data: object) -> AuditEntryReadBeforeType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                before_type_0 = AuditEntryReadBeforeType0.from_dict(data)

                return before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AuditEntryReadBeforeType0 | None, data)

        before = _parse_before(d.pop("before"))

        id = UUID(d.pop("id"))

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurredAt"))

        resource = AuditedResource(d.pop("resource"))

        def _parse_resource_key(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        resource_key = _parse_resource_key(d.pop("resourceKey"))

        audit_entry_read = cls(
            actor=actor,
            after=after,
            before=before,
            id=id,
            occurred_at=occurred_at,
            resource=resource,
            resource_key=resource_key,
        )

        audit_entry_read.additional_properties = d
        return audit_entry_read

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
