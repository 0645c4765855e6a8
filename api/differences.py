"""In which fields a repeated request differs from the one that was accepted first."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, JsonValue

from api.bodies import escaped
from api.schemas import in_contract_format
from workflows.payloads import ScheduledActivityRequest

FREE_DEPTH = 3
"""How deep a pointer leads where the caller's own values begin: there an absent member isn't a null one."""
TIMES = ("/scheduled_at", "/suggested_execution_time")


class Difference(BaseModel):
    """One place in the body, and both values there; absent is null."""

    pointer: str
    stored: JsonValue
    sent: JsonValue


def differences(stored: ScheduledActivityRequest, sent: ScheduledActivityRequest) -> list[Difference]:
    """All of them, after parsing: instants are compared as instants, absent as null, and the order in arrays counts.

    An attribute key counts once, however often it is repeated.
    """
    left, right = stored.model_dump(mode="json"), sent.model_dump(mode="json")
    if _once(stored.attribute_keys) == _once(sent.attribute_keys):
        left.pop("attribute_keys", None)
        right.pop("attribute_keys", None)
    return [
        Difference(
            pointer=found.pointer,
            stored=_as_answered(stored, found.pointer, found.stored),
            sent=_as_answered(sent, found.pointer, found.sent),
        )
        for found in _differences(left, right, "")
    ]


def _as_answered(request: ScheduledActivityRequest, pointer: str, value: JsonValue) -> JsonValue:
    """Times as the contract writes them."""
    time = getattr(request, pointer[1:]) if pointer in TIMES else None
    return in_contract_format(time) if time else value


def _once(keys: tuple[str, ...] | None) -> list[str] | None:
    return None if keys is None else list(dict.fromkeys(keys))


def _differences(stored: Any, sent: Any, pointer: str) -> Iterator[Difference]:
    both = isinstance(stored, dict) and isinstance(sent, dict)
    if both and (stored.keys() == sent.keys() or pointer.count("/") < FREE_DEPTH):
        for key in dict.fromkeys((*stored, *sent)):
            yield from _differences(stored.get(key), sent.get(key), f"{pointer}/{escaped(key)}")
    elif isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        for index, (left, right) in enumerate(zip(stored, sent, strict=True)):
            yield from _differences(left, right, f"{pointer}/{index}")
    elif not _same(stored, sent):
        yield Difference(pointer=pointer, stored=stored, sent=sent)


def _same(stored: Any, sent: Any) -> bool:
    """PostgreSQL keeps numbers as decimals: 1e23 comes back from it as an integer, and a float equals few."""
    if isinstance(stored, bool) or isinstance(sent, bool):
        return stored is sent
    if isinstance(stored, int | float) and isinstance(sent, int | float):
        return Decimal(repr(stored)) == Decimal(repr(sent))
    return bool(stored == sent)
