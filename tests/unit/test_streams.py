"""Test the order and concurrency of working on streamed items."""

import asyncio
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.streams import KeyTurns, process_in_order, split_lines


async def each(items: Iterable[int]) -> AsyncIterator[int]:
    for item in items:
        yield item


async def chunked(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_results_come_in_order_although_later_ones_are_done_first() -> None:
    async def work(item: int) -> int:
        await asyncio.sleep((10 - item) / 1000)
        return item

    assert [result async for result in process_in_order(each(range(10)), work, at_once=10, ahead=10)] == list(range(10))


async def test_no_more_than_the_agreed_number_is_in_flight() -> None:
    running, most = 0, 0

    async def work(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    assert len([one async for one in process_in_order(each(range(50)), work, at_once=7, ahead=50)]) == 50
    assert most == 7


async def test_reading_pauses_while_the_results_are_not_consumed() -> None:
    read: list[int] = []

    async def items() -> AsyncIterator[int]:
        for item in range(100):
            read.append(item)
            yield item

    async def work(item: int) -> int:
        return item

    results = process_in_order(items(), work, at_once=4, ahead=10)
    assert await anext(results) == 0
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(read) == 11
    assert [one async for one in results] == list(range(1, 100))


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: b"\n" not in line)), st.integers(1, 30))
async def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], size: int) -> None:
    received = [line async for line in split_lines(chunked(b"\n".join(lines), size), 30)]
    assert received == [line for line in lines if line.strip()]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
async def test_a_byte_order_mark_before_a_line_is_left_out_however_it_is_cut(size: int) -> None:
    content = BOM_UTF8 + b"first\n\n" + BOM_UTF8 + b"second\n" + BOM_UTF8 + b"\n" + b"third"
    received = [line async for line in split_lines(chunked(content, size), 30)]
    assert received == [b"first", b"second", b"third"]
    assert [line async for line in split_lines(chunked(BOM_UTF8, size), 30)] == []
    marked = [line async for line in split_lines(chunked(BOM_UTF8 + b"x" * 31 + b"\n", size), 30)]
    assert [len(line) > 30 for line in marked] == [True]


async def test_of_a_line_that_is_too_long_no_more_is_kept_than_shows_it() -> None:
    received = [line async for line in split_lines(chunked(b"x" * 1000 + b"\nshort\n", 8), 30)]
    assert [len(line) > 30 for line in received] == [True, False]
    assert len(received[0]) < 50


async def test_items_of_one_key_take_turns_in_order_until_one_settles_it() -> None:
    turns, steps = KeyTurns(), list[str]()

    async def work(item: str) -> None:
        async with turns.turn(item[0]) as queue:
            steps.append(f"begin {item}")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            steps.append(f"end {item}")
            queue.is_settled = item == "a2"

    await asyncio.gather(*(work(item) for item in ("a1", "b1", "a2", "a3", "a4")))

    assert steps[:2] == ["begin a1", "begin b1"]
    of_a = [step for step in steps if " a" in step]
    assert of_a[:4] == ["begin a1", "end a1", "begin a2", "end a2"]
    assert set(of_a[4:6]) == {"begin a3", "begin a4"}
    assert turns.is_empty


async def test_an_item_that_fails_gives_its_turn_away() -> None:
    turns = KeyTurns()
    with suppress(ValueError):
        async with turns.turn("a"):
            raise ValueError
    async with turns.turn("a") as queue:
        assert not queue.is_settled
    assert turns.is_empty
