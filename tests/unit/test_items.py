"""Cutting the list of a JSON body into the bytes of its items."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.items import DEEPEST, UncuttableError, cut_items

MOST = 10
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=40,
)
BAD_ITEMS = [
    rb'"\ud83d"',
    b"NaN",
    b"-Infinity",
    b'{"a": 1, "a": 2}',
    b"9" * 5_000,
    b"[" * 250 + b"]" * 250,
    b"[" * 5_000 + b"]" * 5_000,
    b'{"a":[' * 100_000 + b"]}" * 100_000,
    b'{"a": tru}',
    b"'single'",
    b'"\xff"',
    b'"\x00"',
    b"{,}",
    rb'"\""',
    rb'"\\"',
    rb'"\\\""',
    b'"]"',
    b'"[{,"',
    b'{"a": "}"}',
    b"[[[[[[1, 2], 3], {}], []]], 4]",
    b"[" + b'{"a": [1, "b", {}]}, ' * 200 + b"1]",
    b'["' + b"x" * 100_000 + b'"]',
]


@given(st.lists(VALUES, max_size=MOST), st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2))
def test_items_are_what_a_parser_finds(items: list[object], others: dict[str, str]) -> None:
    for indent in (None, 2):
        around, cut = cut_items(json.dumps(others | {"items": items}, indent=indent).encode(), MOST)
        assert repr([json.loads(item) for item in cut]) == repr(items)
        assert json.loads(around) == others | {"items": [None] * len(items)}


@pytest.mark.parametrize("item", BAD_ITEMS, ids=lambda item: ascii(item[:12]))
def test_an_item_that_no_parser_takes_is_cut_out_as_it_is(item: bytes) -> None:
    around, cut = cut_items(b" " * 100 + b'{ "items" : [ 1 , ' + item + b" ,\n{}\t] } ", MOST)
    assert cut == [b"1", item, b"{}"]
    assert json.loads(around) == {"items": [None] * 3}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"{}",
        b'{"items": {}}',
        b'{"items": "[1]"}',
        b'{"items": [1, 2',
        b'{"items": [1, "a]}',
        b'{"items": [{"a": [1}, 2]}',
        b'{"items": [{"a": 1]]}',
        b'{"items": [1,, 2]}',
        b'{"items": [1, 2,]}',
        b'{"items": [,]}',
        b'{"items": [{"a": 1} {"b": 2}]}',
        b'{"items": [{"a": 1} "b"]}',
        b'{"items": ["a" "b"]}',
        b'{"items": [1 {"b": 2}]}',
        b'{"items": [' + b"[" * (DEEPEST + 10) + b"]" * (DEEPEST + 10) + b"]}",
    ],
    ids=lambda body: ascii(body[:24]),
)
def test_a_body_whose_items_have_no_certain_end_is_not_cut(body: bytes) -> None:
    with pytest.raises(UncuttableError):
        cut_items(body, MOST)


@pytest.mark.parametrize("rest", [b"]}", b', "a": tru', b"", b"}" * 9])
def test_cutting_stops_after_one_item_too_many(rest: bytes) -> None:
    around, cut = cut_items(b'{"items": [' + b"1," * 5_000 + b"1" + rest, MOST)
    assert cut == [b"1"] * (MOST + 1)
    assert json.loads(around) == {"items": [None] * (MOST + 1)}


def test_what_stands_after_the_list_is_left_as_it_is() -> None:
    assert cut_items(b'{"a": {"b": []}, "items": [1], "more": tru', MOST) == (
        b'{"a": {"b": []}, "items": [null], "more": tru',
        [b"1"],
    )
