"""Cuts the list in a JSON body into the bytes of its items, so that each item is parsed and judged alone."""

import re

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
DEEPEST = 524_288
"""The levels to which an item is followed: as many as the longest item of a synchronization, of 1 MiB, can have."""


def _flat(levels: int) -> bytes:
    """Return a pattern of what is passed over in one step: text without brackets, and values of so few levels."""
    scalars = rb'[^"{}\[\]]++|%b' % _STRING
    inner = b"(?:%b){0,32}" % _flat(levels - 1) if levels else b""
    return rb"%b|\[%b\]|\{%b\}" % (scalars, inner, inner) if levels else scalars


# The patterns end at a bracket, at the end of the body, or where a string doesn't end. They may also end before that:
# other requests wait during a match, so that each match passes over a bounded number of values. What is repeated begins
# with a sign that nothing else begins with, so that there is one way to match. It is not repeated possessively: before
# Python 3.11.5 the last repetition, which fails, then takes what it has read of a string without an end.
_NEXT_BRACKET = re.compile(rb"(?:%b){0,32}([{}\[\]]?)" % _flat(0), re.DOTALL)
_NEXT_DEEP_BRACKET = re.compile(rb"(?:%b){0,32}([{}\[\]]?)" % _flat(3), re.DOTALL)
_NEXT_IN_LIST = re.compile(rb'(?:[^"{}\[\],]++|%b){0,32}([{}\[\],]?)' % _STRING, re.DOTALL)
_SCALAR = re.compile(rb'\s*+(?:[^\s"]++|%b)\s*+' % _STRING, re.DOTALL)
_EMPTY = re.compile(rb"\s*+\]")
_CLOSING = {b"{": b"}", b"[": b"]"}


class UncuttableError(ValueError):
    """The body has no list, or its strings and brackets don't show where the items end."""


def cut_items(content: bytes, most: int) -> tuple[bytes, list[bytes]]:
    """Return the body with a null in place of each item of its first list, and the items, cut off after `most` + 1.

    The inside of an item is not judged here: an item may be any bytes whose strings end and whose brackets match.

    Raises:
        UncuttableError: the items have no certain ends.
    """
    start = position = _start_of_list(content)
    items: list[bytes] = []
    sign = b","
    if empty := _EMPTY.match(content, start):
        position, sign = empty.end(), b"]"
    while sign == b"," and len(items) <= most:
        end, sign = _end_of_item(content, position)
        items.append(content[position:end].strip())
        position = end + 1
    nulls = b",".join([b"null"] * len(items))
    rest = b"]}" if sign == b"," else content[position - 1 :]
    return content[:start] + nulls + rest, items


def _start_of_list(content: bytes) -> int:
    """Return the position after the bracket that opens the first list among the members of the body."""
    start = content.find(b"{")
    if start < 0 or content[:start].strip():
        raise UncuttableError
    position = start + 1
    while True:
        place, bracket = _next(_NEXT_BRACKET, content, position)
        if bracket == b"[":
            return place + 1
        if bracket != b"{":
            raise UncuttableError
        position = _end_of_value(content, place)


def _end_of_item(content: bytes, start: int) -> tuple[int, bytes]:
    """Return the position of the comma or bracket after an item, and which of both it is."""
    place, sign = _next(_NEXT_IN_LIST, content, start)
    one_value = bool(_SCALAR.fullmatch(content, start, place))
    if sign in _CLOSING and not content[start:place].strip():
        start = _end_of_value(content, place)
        place, sign = _next(_NEXT_IN_LIST, content, start)
        one_value = not content[start:place].strip()
    if sign not in {b",", b"]"} or not one_value:  # two values without a comma between them, or none
        raise UncuttableError
    return place, sign


def _end_of_value(content: bytes, start: int) -> int:
    """Return the position after the bracket that closes the one at `start`."""
    closings = [_CLOSING[content[start : start + 1]]]
    position = start + 1
    while closings:
        place, bracket = _next(_NEXT_DEEP_BRACKET, content, position)
        if bracket in _CLOSING and len(closings) < DEEPEST:
            closings.append(_CLOSING[bracket])
        elif bracket != closings.pop():
            raise UncuttableError
        position = place + 1
    return position


def _next(pattern: re.Pattern[bytes], content: bytes, start: int) -> tuple[int, bytes]:
    """Return where the next sign is that the pattern ends at, and the sign: nothing if there is none."""
    while (found := pattern.match(content, start)) and not found[1] and found.end() > start:
        start = found.end()
    return (found.start(1), found[1]) if found else (start, b"")
