"""Hypothesis strategies for all messages of the domain, built from the types of their fields."""

import types
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AwareDatetime, JsonValue

from workflows import messages
from workflows.messages import Message

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC) | OFFSETS)  # noqa: DTZ001
NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**31), 2**31 - 1),
    float: st.floats(0, 1e6),
    bool: st.booleans(),
    UUID: st.uuids(),
    datetime: INSTANTS,
    AwareDatetime: INSTANTS,
    JsonValue: JSON,
    Any: JSON,
    type(None): st.none(),
}


def all_messages() -> list[type[Message]]:
    """List the messages that may cross Temporal."""
    found = (value for value in vars(messages).values() if isinstance(value, type) and issubclass(value, Message))
    return [message for message in found if message is not Message]


@cache
def any_message(message: type[Message]) -> st.SearchStrategy[Any]:
    """Generate messages of one type; fields with a default are left out in some."""
    fields = message.model_fields
    required = {name: of_type(field.annotation) for name, field in fields.items() if field.is_required()}
    optional = {name: of_type(field.annotation) for name, field in fields.items() if not field.is_required()}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: message(**values))


def of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Generate values of a field."""
    if annotation in SCALARS:
        return SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return any_message(annotation)
    return _of_generic(get_origin(annotation), get_args(annotation))


def _of_generic(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin in {Union, types.UnionType}:
        return st.one_of(*map(of_type, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Annotated:
        return of_type(arguments[0])
    if origin is dict:
        return st.dictionaries(TEXT, of_type(arguments[1]), max_size=3)
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    raise TypeError(origin)
