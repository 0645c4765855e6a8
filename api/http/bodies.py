"""JSON bodies, taken strictly: size, media type, storable text, shape; every fault at once, with its place."""

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from api.http.errors import BodyTooLarge, UnsupportedMediaType, ValidationFailed
from workflows.messages import Fault
from workflows.resolution.reasons import shorten

Body = TypeVar("Body", bound=BaseModel)

BODY_BYTES = 256 * 1024
BULK_BODY_BYTES = 8 * 1024 * 1024
DEPTH = 20
FAULTS = 100
"""How many an answer names: who sends a thousand wrong fields learns enough from the first ones."""


@dataclass(frozen=True)
class JsonBody(Generic[Body]):
    """Dependency that reads and parses a JSON body; declare it after the caller, whose permission is checked first."""

    model: type[Body]
    limit: int = BODY_BYTES

    async def __call__(self, request: Request) -> Body:
        """Return the parsed body."""
        content = await json_content(request, self.limit)
        if len(content) > BODY_BYTES:  # parsing takes long enough to delay other requests
            return await asyncio.to_thread(parse, self.model, content)
        return parse(self.model, content)


@dataclass(frozen=True)
class UnreadBody:
    """Dependency that hands on the request whose body, documented as `model`, the route reads itself."""

    model: type[BaseModel]

    async def __call__(self, request: Request) -> Request:
        """Return the request."""
        return request


if TYPE_CHECKING:
    Json = Annotated[Body, JsonBody]
else:

    class Json:
        """`Json[Model]` annotates a parameter that receives the request's body as `Model`."""

        def __class_getitem__(cls, model: type[Body]) -> object:
            """Return the annotation that FastAPI reads."""
            return Annotated[model, Depends(JsonBody(model))]


async def json_content(request: Request, limit: int) -> bytes:
    """A body that is declared as JSON and not too large; nobody has looked into it yet."""
    content = await content_of(request, limit)
    if media_type(request) != "application/json":
        raise UnsupportedMediaType("Send the body as `Content-Type: application/json`.")
    return content


def media_type(request: Request) -> str:
    """What the body is declared as, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def content_of(request: Request, limit: int) -> bytes:
    """The body, read no further than the limit."""
    declared = request.headers.get("content-length", "")
    content = bytearray()
    if not (declared.isdecimal() and int(declared) > limit):
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                break
        else:
            return bytes(content)
    raise BodyTooLarge(f"The body may have {limit:,} bytes at most.")


def parse(model: type[Body], content: bytes) -> Body:
    """The body as the model; JSON types are strict and nothing is silently ignored.

    Raises:
        ValidationFailed: with a fault per wrong place.
    """
    data = json_of(content)
    faults = list(islice(unstorable(data), FAULTS))
    try:
        body = model.model_validate_json(content, strict=True)
    except ValidationError as failure:
        faults += faults_in(failure, data)
    if faults:
        raise invalid(faults)
    return body


def json_of(content: bytes) -> Any:
    """What the bytes mean.

    Raises:
        ValidationFailed: they are not JSON.
    """
    try:
        data = from_json(content, allow_inf_nan=False)
    except ValueError as failure:
        raise _not_json(content, failure) from failure
    json.loads(content, object_pairs_hook=_named_once, parse_int=len, parse_float=len)
    return data


def _named_once(members: list[tuple[str, Any]]) -> None:
    """Which of two would count, nobody could know."""
    for name, counted in Counter(name for name, _ in members).items():
        if counted > 1:
            raise ValidationFailed(f"The body names {escaped(shorten(name))!r} {counted} times in one object.")


def _not_json(content: bytes, failure: ValueError) -> ValidationFailed:
    """Say where, if a more lenient reader gets through: it knows half surrogate pairs, NaN and Infinity."""
    faults: list[Fault] = []
    with suppress(ValueError, RecursionError):
        faults = list(unstorable(json.loads(content)))
    return invalid(faults) if faults else ValidationFailed(f"The body is not JSON: {failure}.")


def invalid(faults: list[Fault]) -> ValidationFailed:
    """The problem that has them all."""
    counted = "One field is" if len(faults) == 1 else f"{len(faults)} fields are"
    if len(faults) >= FAULTS:
        counted = f"{FAULTS} fields or more are"
    told = tuple(faults[:FAULTS])
    return ValidationFailed(f"{counted} wrong: see `errors`, a JSON pointer and a sentence each.", faults=told)


def unstorable(value: Any, pointer: str = "", depth: int = 0) -> Iterator[Fault]:
    """What neither PostgreSQL nor JSON can carry back: NUL, lone surrogates, endless numbers, bottomless nesting."""
    items: Iterable[tuple[object, Any]] = ()
    match value:
        case dict() | list() if depth == DEPTH:
            yield Fault(pointer=pointer, detail=f"This is nested deeper than {DEPTH} levels.")
        case dict():
            yield from _unstorable_text("".join(value), pointer)
            items = value.items()
        case list():
            items = enumerate(value)
        case _:
            yield from _unstorable_scalar(value, pointer)
    for part, item in items:
        yield from unstorable(item, f"{pointer}/{escaped(part)}", depth + 1)


def _unstorable_scalar(value: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _unstorable_text(value, pointer)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(pointer=pointer, detail="This is not a finite number.")


def _unstorable_text(text: str, pointer: str) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(pointer=pointer, detail="This contains the character NUL, which can't be stored.")
    elif any("\ud800" <= character <= "\udfff" for character in text):
        yield Fault(pointer=pointer, detail="This contains half of a surrogate pair, which is no character.")


def escaped(token: object) -> str:
    """A part of an RFC 6901 pointer; what UTF-8 can't carry is spelled out."""
    return str(token).encode("utf-8", "backslashreplace").decode().replace("~", "~0").replace("/", "~1")


def faults_in(failure: ValidationError, data: Any) -> list[Fault]:
    """The wrong places of `data`, as the caller sees them."""
    errors = failure.errors(include_url=False, include_input=False)[:FAULTS]
    return [Fault(pointer=_pointer(error, data), detail=sentence(error)) for error in errors]


def _pointer(error: ErrorDetails, data: Any) -> str:
    """Where in the caller's own body: parts of pydantic's path that are not in it (a union's tag) are left out."""
    parts: list[object] = []
    *path, last = error["loc"] or ("",)
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        parts.append(part)
    if error["type"] == "missing" or (isinstance(data, dict | list) and last != ""):
        parts.append(last)
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        parts.append(error["ctx"]["discriminator"].strip("'"))
    return "".join(f"/{escaped(part)}" for part in parts)


def sentence(error: ErrorDetails) -> str:
    """What is wrong, as one would say it to a person."""
    match error["type"]:
        case "missing" | "union_tag_not_found":
            return "This field is required."
        case "extra_forbidden":
            return "There is no such field: remove it."
        case "union_tag_invalid":
            return f"Input should be one of {error['ctx']['expected_tags']}."
        case _:
            said = error["msg"].removeprefix("Value error, ").rstrip(".")
            said = f"This {said}" if said.startswith(("must ", "can't ")) else said[:1].upper() + said[1:]
            return f"{said}."
