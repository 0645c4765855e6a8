"""In which fields a repeated request differs from the one that was accepted first."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, JsonValue

from api.bodies import escaped
from workflows.payloads import ScheduledActivityRequest


class Difference(BaseModel):
    """One place in the body, and both values there; absent is null."""

    pointer: str
    stored: JsonValue
    sent: JsonValue


def differences(stored: ScheduledActivityRequest, sent: ScheduledActivityRequest) -> list[Difference]:
    """All of them, after parsing: instants are compared as instants, absent as null, and the order in arrays counts."""
    return list(_differences(stored.model_dump(mode="json"), sent.model_dump(mode="json"), ""))


def _differences(stored: Any, sent: Any, pointer: str) -> Iterator[Difference]:
    if isinstance(stored, dict) and isinstance(sent, dict):
        for key in dict.fromkeys((*stored, *sent)):
            yield from _differences(stored.get(key), sent.get(key), f"{pointer}/{escaped(key)}")
    elif isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        for index, (left, right) in enumerate(zip(stored, sent, strict=True)):
            yield from _differences(left, right, f"{pointer}/{index}")
    elif stored != sent or isinstance(stored, bool) is not isinstance(sent, bool):
        yield Difference(pointer=pointer, stored=stored, sent=sent)
