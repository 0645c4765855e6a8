from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.activity_type import ActivityType
from ..models.channel import Channel
from ..types import UNSET, Unset

T = TypeVar("T", bound="ExecutionClaim")


@_attrs_define
class ExecutionClaim:
    """The activities that an executor can carry out now.

    Attributes:
        channels (list[Channel]): The channels on which the executor works.
        executor (str): The executor's name, as shown in the trail and in error messages.
        claim_id (UUID | Unset): An id of the caller's for this claim. Sent again by the same executor, the claim
            returns the same leases while they last, so that a lost answer costs no attempt.
        lease_seconds (int | Unset): How long the executor holds each activity. Default: 60.
        limit (int | Unset): The most activities to return; fewer, if they have many bytes. Default: 10.
        types (list[ActivityType] | Unset): The kinds of activities that the executor carries out.
        wait_seconds (int | Unset): How long to wait if nothing is due. The response is sent as soon as something is.
            Default: 0.
    """

    channels: list[Channel]
    executor: str
    claim_id: UUID | Unset = UNSET
    lease_seconds: int | Unset = 60
    limit: int | Unset = 10
    types: list[ActivityType] | Unset = UNSET
    wait_seconds: int | Unset = 0

    def to_dict(self) -> dict[str, Any]:
        channels = []
        for channels_item_data in self.channels:
            channels_item = channels_item_data.value
            channels.append(channels_item)

        executor = self.executor

        claim_id: str | Unset = UNSET
        if not isinstance(self.claim_id, Unset):
            claim_id = str(self.claim_id)

        lease_seconds = self.lease_seconds

        limit = self.limit

        types: list[str] | Unset = UNSET
        if not isinstance(self.types, Unset):
            types = []
            for types_item_data in self.types:
                types_item = types_item_data.value
                types.append(types_item)

        wait_seconds = self.wait_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channels": channels,
                "executor": executor,
            }
        )
        if claim_id is not UNSET:
            field_dict["claim_id"] = claim_id
        if lease_seconds is not UNSET:
            field_dict["lease_seconds"] = lease_seconds
        if limit is not UNSET:
            field_dict["limit"] = limit
        if types is not UNSET:
            field_dict["types"] = types
        if wait_seconds is not UNSET:
            field_dict["wait_seconds"] = wait_seconds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        channels = []
        _channels = d.pop("channels")
        for channels_item_data in _channels:
            channels_item = Channel(channels_item_data)

            channels.append(channels_item)

        executor = d.pop("executor")

        _claim_id = d.pop("claim_id", UNSET)
        claim_id: UUID | Unset
        if isinstance(_claim_id, Unset):
            claim_id = UNSET
        else:
            claim_id = UUID(_claim_id)

        lease_seconds = d.pop("lease_seconds", UNSET)

        limit = d.pop("limit", UNSET)

        _types = d.pop("types", UNSET)
        types: list[ActivityType] | Unset = UNSET
        if _types is not UNSET:
            types = []
            for types_item_data in _types:
                types_item = ActivityType(types_item_data)

                types.append(types_item)

        wait_seconds = d.pop("wait_seconds", UNSET)

        execution_claim = cls(
            channels=channels,
            executor=executor,
            claim_id=claim_id,
            lease_seconds=lease_seconds,
            limit=limit,
            types=types,
            wait_seconds=wait_seconds,
        )

        return execution_claim
