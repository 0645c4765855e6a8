from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.bulk_verb import BulkVerb

if TYPE_CHECKING:
    from ..models.scheduled_activity_read import ScheduledActivityRead


T = TypeVar("T", bound="BulkDryRunRead")


@_attrs_define
class BulkDryRunRead:
    """The result of a dry run. Nothing was changed.

    Attributes:
        dry_run (bool): Always true: nothing was changed. Default: True.
        sample (list[ScheduledActivityRead]): The ten activities with the earliest times; fewer, if they have many
            bytes.
        total (int): The number of items.
        verb (BulkVerb): The change that is made to each activity.
    """

    sample: list[ScheduledActivityRead]
    total: int
    verb: BulkVerb
    dry_run: bool = True
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        dry_run = self.dry_run

        sample = []
        for sample_item_data in self.sample:
            sample_item = sample_item_data.to_dict()
            sample.append(sample_item)

        total = self.total

        verb = self.verb.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "dryRun": dry_run,
                "sample": sample,
                "total": total,
                "verb": verb,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.scheduled_activity_read import ScheduledActivityRead  # noqa: PLC0415

        d = dict(src_dict)
        dry_run = d.pop("dryRun")

        sample = []
        _sample = d.pop("sample")
        for sample_item_data in _sample:
            sample_item = ScheduledActivityRead.from_dict(sample_item_data)

            sample.append(sample_item)

        total = d.pop("total")

        verb = BulkVerb(d.pop("verb"))

        bulk_dry_run_read = cls(
            dry_run=dry_run,
            sample=sample,
            total=total,
            verb=verb,
        )

        bulk_dry_run_read.additional_properties = d
        return bulk_dry_run_read

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
