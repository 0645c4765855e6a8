"""Read JSON bodies: check size, media type, storable text and shape, and report all faults at once."""

import asyncio
import json
import math
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from api.http.errors import BodyTooLarge, UnsupportedMediaType, ValidationFailed
from api.http.items import UncuttableError, cut_items
from api.http.single_values import single_header
from workflows.messages import Fault
from workflows.resolution.reasons import shorten

Body = TypeVar("Body", bound=BaseModel)

BODY_BYTES = 256 * 1024
BULK_BODY_BYTES = 8 * 1024 * 1024
DEPTH = 20
FAULTS = 100
"""The most faults that a response lists."""


@dataclass(frozen=True)
class JsonBody(Generic[Body]):
    """Dependency that reads and parses a JSON body; declare it after the caller, whose permission is checked first."""

    model: type[Body]
    limit: int = BODY_BYTES

    async def __call__(self, request: Request) -> Body:
        """Return the parsed body."""
        content = await read_json(request, self.limit)
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


async def read_json(request: Request, limit: int) -> bytes:
    """Return the bytes of a body that is declared as JSON.

    Raises:
        BodyTooLarge: it is longer than the limit.
        UnsupportedMediaType: it is declared as something else, or as compressed.
    """
    declared = media_type(request)
    content = await read_content(request, limit)
    require_uncompressed(request)
    if declared != "application/json":
        raise UnsupportedMediaType("Send the body as `Content-Type: application/json`.")
    return content


def media_type(request: Request) -> str:
    """Return the declared media type of the body, without parameters.

    Raises:
        ValidationFailed: it is declared twice.
    """
    return single_header("content-type", request.headers.getlist("content-type")).split(";")[0].strip().lower()


def require_uncompressed(request: Request) -> None:
    """Check that the body is sent as it is.

    Raises:
        UnsupportedMediaType: `Content-Encoding` names a coding.
    """
    codings = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    if not {coding.strip() for coding in codings} <= {"", "identity"}:
        raise UnsupportedMediaType(
            "Send the body uncompressed, without `Content-Encoding`.", headers={"Accept-Encoding": "identity"}
        )


async def read_content(request: Request, limit: int) -> bytes:
    """Return the body's bytes without a byte order mark, which RFC 8259 lets a parser ignore.

    Raises:
        BodyTooLarge: it is longer than the limit; no more than that is read.
    """
    declared = request.headers.get("content-length", "")
    content = bytearray()
    if not (declared.isdecimal() and int(declared) > limit):
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                break
        else:
            return bytes(content.removeprefix(BOM_UTF8))
    raise BodyTooLarge(f"The body may have at most {limit:,} bytes.")


def parse(model: type[Body], content: bytes) -> Body:
    """Parse a body as the model. JSON types are strict, and unknown fields are faults.

    Raises:
        ValidationFailed: with all faults.
    """
    body, faults = check(model, content, parse_json(content))
    if body is None or faults:
        raise validation_problem(faults)
    return body


def check(model: type[Body], content: bytes, data: object, most: int = FAULTS) -> tuple[Body | None, list[Fault]]:
    """Return the body as the model, if it is one, and its faults, at most so many of a kind; `data` is its JSON."""
    faults = list(islice(find_unstorable(data), most)) if _may_be_unstorable(content, data) else []
    try:
        return model.model_validate_json(content, strict=True), faults
    except ValidationError as failure:
        return None, faults + list_faults(failure, data, most)


_SUSPICIOUS = re.compile(rb"\\u|[eE]\+?\d{3}|\d{200}")
"""An escape, which NUL and surrogates need, or a number that may be infinite."""


def _may_be_unstorable(content: bytes, data: object) -> bool:
    """Return False if there is nothing to find for `find_unstorable`, which takes twenty times as long."""
    if _SUSPICIOUS.search(content):
        return True
    level = [data]
    for _ in range(DEPTH):
        level = [one for nested in level for one in _items(nested) if isinstance(one, dict | list)]
    return bool(level)


def _items(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def parse_list(model: type[BaseModel], content: bytes, most: int) -> list[bytes]:
    """Cut a body that has a list into the bytes of its items; only what is around the items is validated.

    Raises:
        ValidationFailed: the body around the items is not as the model has it, or can't be cut into items.
    """
    try:
        around, items = cut_items(content, most)
    except UncuttableError as failure:
        parse(model, content)  # says what is wrong
        raise ValidationFailed("The body can't be cut into items.") from failure
    parse(model, around)
    return items


def parse_json(content: bytes) -> object:
    """Parse JSON.

    Raises:
        ValidationFailed: the bytes are not JSON, an object names a member twice, or numbers are too long written out.
    """
    try:
        data = from_json(content, allow_inf_nan=False)
    except ValueError as failure:
        raise _syntax_problem(content, failure) from failure
    growths: list[int] = []
    json.loads(
        content,
        object_pairs_hook=_require_unique_names,
        parse_int=len,
        parse_float=lambda literal: growths.append(_growth(literal)),
    )
    written_out = len(content) + sum(growths)
    if written_out > max(len(content), BODY_BYTES):
        detail = (
            f"With its numbers written out, as 1e3 is 1000, this has {written_out:,} bytes; at most {BODY_BYTES:,} are"
            " allowed. Send large numbers as text."
        )
        raise validation_problem([Fault(pointer="", detail=detail)])
    return data


def _growth(literal: str) -> int:
    """Return by how many bytes a number is longer in PostgreSQL, which stores and returns it without an exponent."""
    number = float(literal)
    if "e" not in literal.lower() or not math.isfinite(number):
        return 0
    return max(0, len(format(Decimal(repr(number)), "f")) - len(literal))


def _require_unique_names(members: list[tuple[str, object]]) -> None:
    """Reject an object that names a member twice: parsers disagree about which of them counts."""
    for name, counted in Counter(name for name, _ in members).items():
        if counted > 1:
            raise ValidationFailed(f"One object names {escape_pointer_part(shorten(name))!r} {counted} times.")


def _syntax_problem(content: bytes, failure: ValueError) -> ValidationFailed:
    """Compose the problem; faults have a place if Python's parser, which accepts NaN and half surrogates, succeeds."""
    faults: list[Fault] = []
    with suppress(ValueError, RecursionError):
        faults = list(find_unstorable(json.loads(content)))
    return validation_problem(faults) if faults else ValidationFailed(f"This is not JSON: {failure}.")


def validation_problem(faults: list[Fault]) -> ValidationFailed:
    """Compose the problem that lists the faults."""
    number = "One field is" if len(faults) == 1 else f"{len(faults)} fields are"
    if len(faults) >= FAULTS:
        number = f"{FAULTS} fields or more are"
    detail = f"{number} wrong: `errors` has a JSON pointer and a sentence for each."
    return ValidationFailed(detail, faults=tuple(faults[:FAULTS]))


def find_unstorable(value: object, pointer: str = "", depth: int = 0) -> Iterator[Fault]:
    """Yield a fault for each NUL, lone surrogate, infinite number and nesting beyond the limit in a JSON value."""
    items: Iterable[tuple[object, object]] = ()
    match value:
        case dict() | list() if depth == DEPTH:
            yield Fault(pointer=pointer, detail=f"This is nested deeper than {DEPTH} levels.")
        case dict():
            yield from _check_text("".join(value), pointer)
            items = value.items()
        case list():
            items = enumerate(value)
        case _:
            yield from _check_scalar(value, pointer)
    for part, item in items:
        yield from find_unstorable(item, f"{pointer}/{escape_pointer_part(part)}", depth + 1)


def _check_scalar(value: object, pointer: str) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _check_text(value, pointer)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(pointer=pointer, detail="This is not a finite number.")


def _check_text(text: str, pointer: str) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(pointer=pointer, detail="This contains the character NUL, which can't be stored.")
    elif any("\ud800" <= character <= "\udfff" for character in text):
        yield Fault(pointer=pointer, detail="This contains half of a surrogate pair, which is not a character.")


def escape_pointer_part(token: object) -> str:
    """Escape a part of a JSON pointer (RFC 6901); write code points that UTF-8 can't encode as escapes."""
    return str(token).encode("utf-8", "backslashreplace").decode().replace("~", "~0").replace("/", "~1")


def list_faults(failure: ValidationError, data: object, most: int = FAULTS) -> list[Fault]:
    """Convert a validation error to faults whose pointers lead into `data`."""
    errors = failure.errors(include_url=False, include_input=False)[:most]
    return [Fault(pointer=_locate(error, data), detail=describe_fault(error)) for error in errors]


def _locate(error: ErrorDetails, data: Any) -> str:
    """Return the place in the caller's body, without parts of pydantic's path that aren't there, as a union's tag."""
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
    return "".join(f"/{escape_pointer_part(part)}" for part in parts)


def describe_fault(error: ErrorDetails) -> str:
    """Return a sentence about what is wrong."""
    match error["type"]:
        case "missing" | "union_tag_not_found":
            return "This field is required."
        case "extra_forbidden":
            return "This field is unknown: remove it."
        case "union_tag_invalid":
            return f"Input should be one of {error['ctx']['expected_tags']}."
        case _:
            text = error["msg"].removeprefix("Value error, ").rstrip(".")
            text = f"This {text}" if text.startswith(("must ", "can't ")) else text[:1].upper() + text[1:]
            return f"{text}."
