"""Read JSON bodies: check size, media type, storable text and shape, and report all faults at once."""

import asyncio
import json
import math
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from api.http.errors import BodyTooLarge, BodyTooSlow, UnsupportedMediaType, ValidationFailed
from api.http.items import UncuttableError, cut_items
from api.http.single_values import single_header
from api.http.turns import large_turn_of, take_turn
from workflows.messages import Fault
from workflows.resolution.reasons import shorten
from workflows.tenant_limits import BODY_RATE, BODY_SECONDS, BODY_VALUES

Body = TypeVar("Body", bound=BaseModel)

BODY_BYTES = 256 * 1024
BULK_BODY_BYTES = 8 * 1024 * 1024
LONGEST_STEP = 2 * 1024
"""Bytes of a text that the event loop parses at once: they may hold 14 e-mail addresses that take 0.8 ms each."""
DEPTH = 20
FAULTS = 100
"""The most faults that a response lists."""


@dataclass(frozen=True)
class JsonBody(Generic[Body]):
    """Dependency that reads and parses a JSON body; declare it after the caller, whose permission is checked first."""

    model: type[Body]
    limit: int = BODY_BYTES
    values: int = BODY_VALUES

    async def __call__(self, request: Request) -> Body:
        """Return the parsed body."""
        return await parse_in_turn(request.state.resources.parsing, self.model, await self.read(request))

    async def read(self, request: Request) -> bytes:
        """Read the body, and wait for the request's turn."""
        content = await read_in_turn(request, self.limit)
        require_few_values(content, self.values)
        return content


@dataclass(frozen=True)
class UnreadBody:
    """Dependency that hands on the request whose body the route reads itself; JSON is documented as `model`."""

    model: type[BaseModel] | None = None

    async def __call__(self, request: Request) -> Request:
        """Return the request."""
        return request


def reads_body(route: APIRoute) -> bool:
    """Return whether a route reads a body, so that it takes its turn after that: waiting for a turn loses chunks."""
    return any(_declared_bodies(route))


def body_model(route: APIRoute) -> type[BaseModel] | None:
    """Return the model of the JSON body that the route reads, if it reads one."""
    return next((body.model for body in _declared_bodies(route)), None)


def _declared_bodies(route: APIRoute) -> Iterator["JsonBody[Any] | UnreadBody"]:
    calls = (dependency.call for dependency in route.dependant.dependencies)
    return (call for call in calls if isinstance(call, JsonBody | UnreadBody))


if TYPE_CHECKING:
    Json = Annotated[Body, JsonBody]
else:

    class Json:
        """`Json[Model]` annotates a parameter that receives the request's body as `Model`."""

        def __class_getitem__(cls, model: type[Body]) -> object:
            """Return the annotation that FastAPI reads."""
            return Annotated[model, Depends(JsonBody(model))]


async def read_in_turn(request: Request, limit: int) -> bytes:
    """Return the bytes of a body that is declared as JSON; wait for the turn of large ones before, and of all after."""
    if limit > BODY_BYTES:
        await large_turn_of(request).take()
    content = await read_json(request, limit)
    await take_turn(request)
    return content


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
        BodyTooSlow: it has not arrived in its time.
    """
    declared = request.headers.get("content-length", "")
    content = bytearray()
    if not (declared.isdecimal() and int(declared) > limit):
        async for chunk in read_chunks(request):
            content += chunk
            if len(content) > limit:
                break
        else:
            return bytes(content.removeprefix(BOM_UTF8))
    raise BodyTooLarge(f"The body may have at most {limit:,} bytes.")


async def read_chunks(request: Request, *, lines: bool = False) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; with `lines`, each line has the time of a body.

    The time that the reader takes for a chunk doesn't count.

    Raises:
        BodyTooSlow: it has not arrived in its time.
    """
    clock = asyncio.get_running_loop().time
    stream, left = request.stream(), float(BODY_SECONDS)
    while True:
        began = clock()
        try:
            async with asyncio.timeout(left):
                chunk = await anext(stream, b"")
        except TimeoutError:
            raise BodyTooSlow from None
        if not chunk:  # the last one
            return
        left = BODY_SECONDS if lines and b"\n" in chunk else left - (clock() - began) + len(chunk) / BODY_RATE
        yield chunk


async def parse_in_turn(
    turn: asyncio.Lock, model: type[Body], content: bytes, absent: Mapping[str, object] | None = None
) -> Body:
    """Parse a body as `parse` does. Of long ones one is parsed at a time.

    They are parsed in a thread, from which the event loop takes the interpreter after 5 ms. The parsers keep it, for
    25 ms at most; checks in Python don't, as those of contacts, which may take longer.
    """
    if len(content) <= LONGEST_STEP:
        return parse(model, content, absent)
    async with turn:
        return await asyncio.to_thread(parse, model, content, absent)


def parse(model: type[Body], content: bytes, absent: Mapping[str, object] | None = None) -> Body:
    """Parse a body as the model. JSON types are strict, and unknown fields are faults.

    `absent` has the values of members that the body may leave out.

    Raises:
        ValidationFailed: with all faults.
    """
    data, unstorable = parse_json(content)
    if absent and isinstance(data, dict):
        data |= {name: value for name, value in absent.items() if data.get(name) is None}
    body, faults = check(model, data)
    if body is None or unstorable:
        raise validation_problem(unstorable + faults)
    return body


def check(model: type[Body], data: object, most: int = FAULTS) -> tuple[Body | None, list[Fault]]:
    """Return parsed JSON as the model, or None and its faults, at most so many. pydantic's rules of JSON apply."""
    try:
        return _validator(model).validate_json(b"null", strict=True, context=data), []
    except ValidationError as failure:
        return None, list_faults(failure, data, most)


def check_each(
    model: type[Body], items: Iterable[object], pointer: str, most: int = FAULTS
) -> tuple[list[Body], list[Fault]]:
    """Check the items of a list one by one; return the valid ones, and the first faults of the others.

    pydantic keeps the interpreter while it checks: for 10,000 contacts half a second. Called in a thread, this lets the
    event loop go on between two items.
    """
    valid, faults = list[Body](), list[Fault]()
    for number, item in enumerate(items):
        body, found = check(model, item, most - len(faults))
        valid += [] if body is None else [body]
        faults += [Fault(pointer=f"{pointer}/{number}{fault.pointer}", detail=fault.detail) for fault in found]
        if len(faults) >= most:
            break
    return valid, faults


@cache
def _validator(model: type[Body]) -> TypeAdapter[Body]:
    """Build a validator that reads the context instead of the JSON: pydantic's rules of JSON need a text to parse."""
    return TypeAdapter(Annotated[model, BeforeValidator(lambda _, info: info.context)])  # type: ignore[arg-type]  # mypy knows no types that are made at run time


_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def require_few_values(content: bytes, most: int) -> None:
    """Check, before parsing, how many values a JSON text may have: its brackets `[` and `{` and its commas.

    Raises:
        ValidationFailed: there are more.
    """
    values = _count_values(content)
    if values > most:  # counted again without texts, in which these characters cost nothing
        values = _count_values(_TEXT.sub(b"", content))
    if values > most:
        detail = (
            f"This has {values:,} of `[`, `{{` and `,` outside of texts; at most {most:,} are allowed. Send fewer"
            " values, or nested values as one text."
        )
        raise validation_problem([Fault(pointer="", detail=detail)])


def _count_values(content: bytes) -> int:
    return sum(content.count(sign) for sign in (b"[", b"{", b","))


_EXPONENT = re.compile(rb"\d[eE][-+]?\d")
_SUSPICIOUS = re.compile(rb"\\u|[eE]\+?\d{3}|(?<!\d)\d{200}|NaN|Infinity")
"""An escape, which NUL and surrogates need, or a number that may be infinite."""


_STEP = 64 * 1024
_LONGEST_MATCH = 256


def _has(pattern: re.Pattern[bytes], content: bytes) -> bool:
    """Search a text in steps of some milliseconds: a search keeps the interpreter, for 8 MB half a second."""
    return any(
        pattern.search(content, start, start + _STEP + _LONGEST_MATCH) for start in range(0, len(content), _STEP)
    )


def _may_be_unstorable(content: bytes, data: object) -> bool:
    """Return False if there is nothing to find for `find_unstorable`, which takes longer."""
    if _has(_SUSPICIOUS, content):
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
        if len(content) <= BODY_BYTES:
            parse(model, content)  # says what is wrong; a longer body would take too long
        raise ValidationFailed("The body has no list of items, or its strings or brackets don't match.") from failure
    if len(around) > BODY_BYTES:
        raise BodyTooLarge(f"Without its items, the body may have at most {BODY_BYTES:,} bytes.")
    require_few_values(around, BODY_VALUES)
    parse(model, around)
    return items


def parse_json(content: bytes, most: int = FAULTS) -> tuple[object, list[Fault]]:
    """Parse JSON; return it and a fault for each value that can't be stored, at most so many.

    Raises:
        ValidationFailed: the bytes are not JSON, an object names a member twice, or numbers are too long written out.
    """
    growths: list[int] = []

    def read_float(literal: str) -> float:
        number = float(literal)
        if "e" in literal or "E" in literal:
            growths.append(_growth(literal, number))
        return number

    has_exponents = _has(_EXPONENT, content)  # calling Python for each number takes long
    try:
        data = json.loads(
            content.decode(),
            object_pairs_hook=_require_unique_names,
            parse_float=read_float if has_exponents else None,
        )
    except (ValueError, RecursionError) as failure:
        raise ValidationFailed(f"This is not JSON: {_syntax_error(content) or failure}.") from failure
    unstorable = list(islice(find_unstorable(data), most)) if _may_be_unstorable(content, data) else []
    if any(fault.detail in _NOT_JSON for fault in unstorable):
        raise validation_problem(unstorable)
    written_out = len(content) + sum(growths)
    if written_out > max(len(content), BODY_BYTES):
        detail = (
            f"With its numbers written out, as 1e3 is 1000, this has {written_out:,} bytes; at most {BODY_BYTES:,} are"
            " allowed. Send large numbers as text."
        )
        raise validation_problem([Fault(pointer="", detail=detail)])
    return data, unstorable


def _growth(literal: str, number: float) -> int:
    """Return by how many bytes a number is longer in PostgreSQL, which stores and returns it without an exponent."""
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return max(0, len(mantissa) - len(literal)) if math.isfinite(number) else 0
    places, sign = int(exponent), number < 0
    digits = len(mantissa.replace(".", "")) - sign
    # 1.5e-07 is 0.00000015, and 1.5e+16 is an integer: the shortest spelling has an exponent only from there on.
    return max(0, sign + (places + 1 if places > 0 else digits + 1 - places) - len(literal))


def _require_unique_names(members: list[tuple[str, object]]) -> dict[str, object]:
    """Reject an object that names a member twice: parsers disagree about which of them counts."""
    value = dict(members)
    if len(value) < len(members):
        name, counted = Counter(name for name, _ in members).most_common(1)[0]
        raise ValidationFailed(f"One object names {escape_pointer_part(shorten(name))!r} {counted} times.")
    return value


def _syntax_error(content: bytes) -> ValueError | None:
    """Return the error of a parser whose sentences are for people, if it finds one."""
    try:
        from_json(content, allow_inf_nan=False)
    except ValueError as failure:
        return failure
    return None


def validation_problem(faults: list[Fault]) -> ValidationFailed:
    """Compose the problem that lists the faults."""
    number = "One field is" if len(faults) == 1 else f"{len(faults)} fields are"
    if len(faults) >= FAULTS:
        number = f"{FAULTS} fields or more are"
    detail = f"{number} wrong: `errors` has a JSON pointer and a sentence for each."
    return ValidationFailed(detail, faults=tuple(faults[:FAULTS]))


NOT_FINITE = "This is not a finite number."
HALF_A_PAIR = "This contains half of a surrogate pair, which is not a character."
_NOT_JSON = frozenset({NOT_FINITE, HALF_A_PAIR})
"""Faults of values that Python's parser takes although they are not JSON; pydantic must not read them."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def find_unstorable(value: object) -> Iterator[Fault]:
    """Yield a fault for each NUL, lone surrogate, infinite number and nesting beyond the limit in a JSON value."""
    for path, detail in _walk(value, ()):
        yield Fault(pointer="".join(f"/{escape_pointer_part(part)}" for part in path), detail=detail)


def _walk(value: object, path: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], str]]:
    if isinstance(value, dict | list) and len(path) == DEPTH:
        yield path, f"This is nested deeper than {DEPTH} levels."
        return
    fault = _find_fault("".join(value) if isinstance(value, dict) else value)
    if fault:
        yield path, fault
    for part, item in value.items() if isinstance(value, dict) else enumerate(_items(value)):
        if isinstance(item, dict | list):
            yield from _walk(item, (*path, part))
        elif fault := _find_fault(item):
            yield (*path, part), fault


def _find_fault(scalar: object) -> str | None:
    if isinstance(scalar, str):
        if "\0" in scalar:
            return "This contains the character NUL, which can't be stored."
        return None if scalar.isascii() or not _SURROGATE.search(scalar) else HALF_A_PAIR
    return NOT_FINITE if isinstance(scalar, float) and not math.isfinite(scalar) else None


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
