from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.matched_by import MatchedBy

T = TypeVar("T", bound="TextExplanation")


@_attrs_define
class TextExplanation:
    """The match of one text with one entry of a catalogue.

    Attributes:
        also_matching (list[str]): Codes that it matched as well, later in the order.
        code (str): The code that is stored.
        matched (None | str): The catalogue's text that it matched.
        matched_by (MatchedBy): The kind of text that was matched in a catalogue's entry; `PASSED_THROUGH` when the
            catalogue is empty.
        text (str): As the caller wrote it.
    """

    also_matching: list[str]
    code: str
    matched: None | str
    matched_by: MatchedBy
    text: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        also_matching = self.also_matching

        code = self.code

        matched: None | str
        matched = self.matched

        matched_by = self.matched_by.value

        text = self.text

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "alsoMatching": also_matching,
                "code": code,
                "matched": matched,
                "matchedBy": matched_by,
                "text": text,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        also_matching = cast(list[str], d.pop("alsoMatching"))

        code = d.pop("code")

        def _parse_matched(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        matched = _parse_matched(d.pop("matched"))

        matched_by = MatchedBy(d.pop("matchedBy"))

        text = d.pop("text")

        text_explanation = cls(
            also_matching=also_matching,
            code=code,
            matched=matched,
            matched_by=matched_by,
            text=text,
        )

        text_explanation.additional_properties = d
        return text_explanation

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
