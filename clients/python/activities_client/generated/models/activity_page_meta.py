from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ActivityPageMeta")


@_attrs_define
class ActivityPageMeta:
    """The page's place in the list, and the list's length.

    Attributes:
        is_shortened (bool): True if the page ends before `limit`, because its items have more than 524,288 bytes.
            Continue by `nextCursor`: the next page by number begins behind the items that are left out. Default: False.
        limit (int): The most items of a page: `per_page` of the request.
        next_cursor (None | str): The cursor of the next page. Null on the last page, and in lists without cursors.
        page (int): The page's number, from 1.
        total (int): Counted up to 10,000. Pages by cursor repeat the first page's total.
        total_is_exact (bool): If false, there are at least `total`. Continue by cursor.
        total_pages (int): The number of the last page that can be requested.
        updated_until (datetime.datetime | None): With `updated_since`, else null: send it as `updated_since` of the
            next list, after the last page of this one. Every change before it is in this list.
    """

    limit: int
    next_cursor: None | str
    page: int
    total: int
    total_is_exact: bool
    total_pages: int
    updated_until: datetime.datetime | None
    is_shortened: bool = False
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        is_shortened = self.is_shortened

        limit = self.limit

        next_cursor: None | str
        next_cursor = self.next_cursor

        page = self.page

        total = self.total

        total_is_exact = self.total_is_exact

        total_pages = self.total_pages

        updated_until: None | str
        if isinstance(self.updated_until, datetime.datetime):
            updated_until = self.updated_until.isoformat()
        else:
            updated_until = self.updated_until

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "isShortened": is_shortened,
                "limit": limit,
                "nextCursor": next_cursor,
                "page": page,
                "total": total,
                "totalIsExact": total_is_exact,
                "totalPages": total_pages,
                "updatedUntil": updated_until,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        is_shortened = d.pop("isShortened")

        limit = d.pop("limit")

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("nextCursor"))

        page = d.pop("page")

        total = d.pop("total")

        total_is_exact = d.pop("totalIsExact")

        total_pages = d.pop("totalPages")

        def _parse_updated_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_until_type_0 = datetime.datetime.fromisoformat(data)

                return updated_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        updated_until = _parse_updated_until(d.pop("updatedUntil"))

        activity_page_meta = cls(
            is_shortened=is_shortened,
            limit=limit,
            next_cursor=next_cursor,
            page=page,
            total=total,
            total_is_exact=total_is_exact,
            total_pages=total_pages,
            updated_until=updated_until,
        )

        activity_page_meta.additional_properties = d
        return activity_page_meta

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
