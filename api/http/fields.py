"""Types and base classes of the members of requests (snake_case) and answers (camelCase)."""

import re
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from workflows.display import contract_time
from workflows.limits import (
    FIRST_YEAR,
    INDEXED_BYTES,
    LONGEST_WAIT,
    SCORES,
    TEXT_LENGTH,
    YEARS_AHEAD,
    has_invisible_end,
    is_blank,
)

LIST_LENGTH = 100
MANY_UNKNOWN = 100
"""No response lists more unknown members than this."""
CLOCK_LEEWAY = timedelta(minutes=5)
"""The most by which a caller's clock may be ahead of the service's."""

Item = TypeVar("Item")

_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?[0-5]\d)?)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _parse_instant(value: object) -> datetime:
    if isinstance(value, str) and _ISO_8601.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    msg = "must be an ISO 8601 time with an offset, as in 2025-01-16T09:00:00.000Z"
    raise ValueError(msg)


def _to_storable(value: datetime) -> datetime:
    """Convert to UTC, cut to milliseconds, and reject times that a part of the system can't represent."""
    try:
        instant = value.astimezone(UTC)
    except OverflowError:
        instant = value.replace(year=1, tzinfo=UTC)
    if instant.year < FIRST_YEAR or instant > datetime.now(UTC) + LONGEST_WAIT:
        msg = f"must lie between {FIRST_YEAR} and {YEARS_AHEAD} years from now"
        raise ValueError(msg)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _require_text(value: str) -> str:
    if is_blank(value):
        msg = "must not be blank"
        raise ValueError(msg)
    return value


def _check_identifier(value: str) -> str:
    if _CONTROL.search(value) or has_invisible_end(value):
        msg = "must have no control characters, and no white space or invisible character at its ends"
        raise ValueError(msg)
    return value


def _require_past(value: datetime) -> datetime:
    if value > datetime.now(UTC) + CLOCK_LEEWAY:
        msg = "must not lie in the future"
        raise ValueError(msg)
    return value


def distinct(noun: str, key: Callable[[Item], Hashable]) -> AfterValidator:
    """Return a validator that requires items with different keys; `noun` names the key in the fault."""

    def check(items: list[Item] | None) -> list[Item] | None:
        if items is not None and len({key(item) for item in items}) < len(items):
            msg = f"must name every {noun} once"
            raise ValueError(msg)
        return items

    return AfterValidator(check)


Time = Annotated[AwareDatetime, BeforeValidator(_parse_instant), AfterValidator(_to_storable)]
PastTime = Annotated[Time, AfterValidator(_require_past)]
Int32 = Annotated[int, Field(ge=SCORES.start, lt=SCORES.stop)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), AfterValidator(_require_text)]
_CHECKED = AfterValidator(_check_identifier)
_DESCRIBED = Field(description="No control characters; no white space or invisible character at its ends.")
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), _CHECKED, _DESCRIBED]
"""A name that is compared character by character: with invisible ends it would be another one that looks the same."""


def _check_indexed(value: str) -> str:
    if len(value.encode()) > INDEXED_BYTES:
        msg = f"must have at most {INDEXED_BYTES:,} bytes in UTF-8"
        raise ValueError(msg)
    return value


IndexedIdentifier = Annotated[
    Identifier,
    AfterValidator(_check_indexed),
    Field(
        description="No control characters; no white space or invisible character at its ends. At most"
        f" {INDEXED_BYTES:,} bytes in UTF-8."
    ),
]
"""A name by which rows are looked up. Those of 200 characters at most always have fewer bytes."""
ShortIdentifier = Annotated[str, StringConstraints(min_length=1, max_length=200), _CHECKED, _DESCRIBED]
"""An identifier with a limit of its own. As a second limit it would count the items of a value in its message."""
ContactIdentifier = Annotated[str, StringConstraints(min_length=1, max_length=320), _CHECKED, _DESCRIBED]
IdempotencyKey = ShortIdentifier
Instant = Annotated[
    datetime,
    PlainSerializer(contract_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2025-01-16T09:00:00.000Z"]}),
]


def format_times(members: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Write the times among the members of stored JSON as in all answers."""
    times = {name: str(members[name]) for name in names if members.get(name) is not None}
    return members | {name: contract_time(datetime.fromisoformat(time)) for name, time in times.items()}


def _check_bounds(value: JsonValue) -> JsonValue:
    """Apply the limits of texts and arrays to those inside a free value."""
    values = [value]
    for one in values:  # the list grows by what is inside the values before
        if isinstance(one, str) and len(one) > TEXT_LENGTH:
            msg = f"must have at most {TEXT_LENGTH} characters per text"
            raise ValueError(msg)
        if isinstance(one, list) and len(one) > LIST_LENGTH:
            msg = f"must have at most {LIST_LENGTH} items"
            raise ValueError(msg)
        if isinstance(one, dict | list):
            values += [*one.keys(), *one.values()] if isinstance(one, dict) else one
    return value


FreeValue = Annotated[JsonValue, AfterValidator(_check_bounds)]


class RequestBody(BaseModel):
    """Base of request bodies and query parameters. Unknown fields are rejected, and null equals absence.

    A null means something only in a member that is `clearable`, and inside of free JSON values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clearable: ClassVar[frozenset[str]] = frozenset()
    """Members that a null clears."""

    @model_validator(mode="before")
    @classmethod
    def drop_nulls(cls, value: object) -> object:
        """Leave out members that are null, but keep unknown ones to be rejected."""
        if not isinstance(value, dict):
            return value
        if len(value) > len(cls.model_fields) + MANY_UNKNOWN:
            value = cls._keep_some_unknown(value)
        if None not in value.values():
            return value
        droppable = cls.member_names() - cls.clearable
        return {name: one for name, one in value.items() if one is not None or name not in droppable}

    @classmethod
    def _keep_some_unknown(cls, value: dict[str, object]) -> dict[str, object]:
        """Leave out unknown members beyond those that are reported: pydantic would compose a fault for each."""
        names = cls.member_names()
        unknown = [name for name in value if name not in names]
        return {name: one for name, one in value.items() if name in names} | {
            name: value[name] for name in unknown[:MANY_UNKNOWN]
        }

    @classmethod
    def member_names(cls) -> set[str]:
        """Return the names that members have in a request."""
        names: set[str] = set()
        for name, member in cls.model_fields.items():
            aliases = member.validation_alias
            names |= {str(one) for one in aliases.choices} if isinstance(aliases, AliasChoices) else {name}
        return names

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Document the clearable members alone as nullable."""
        schema = handler(core_schema)
        members = handler.resolve_ref_schema(schema).get("properties", {})
        for name, member in members.items():
            if member.get("default", ...) is None:
                del member["default"]
            if name in cls.clearable:
                member["description"] = f"{member.get('description', '')} A null clears it.".strip()
            else:
                members[name] = _without_null(member)
        return schema


def _without_null(member: JsonSchemaValue) -> JsonSchemaValue:
    values = [one for one in member.get("anyOf", []) if one != {"type": "null"}]
    others = {name: one for name, one in member.items() if name != "anyOf"}
    return member if not values else values[0] | others if len(values) == 1 else others | {"anyOf": values}


class Answer(BaseModel):
    """Base of answers. Members are camelCase in JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        from_attributes=True,
        frozen=True,
        json_schema_serialization_defaults_required=True,  # an answer has all its members, also those that are null
    )


class PartialUpdate(RequestBody):
    """Base of bodies with only optional members."""

    def changes(self) -> dict[str, object]:
        """Return the members that change something, ready for JSON."""
        return self.model_dump(mode="json", include=self.model_fields_set)
