"""Hashes by which the repetition of a request or a result is told from another one."""

import hashlib
import json
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any

from workflows.display import contract_time
from workflows.messages import ScheduledActivityRequest

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def hash_text(text: str) -> bytes:
    """Return the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).digest()


def hash_request(request: ScheduledActivityRequest) -> bytes:
    """Return the SHA-256 of a request. It is equal for two requests without a difference, as a 409 compares them."""
    sent = request.model_dump(mode="json")
    for name in ("scheduled_at", "suggested_execution_time"):
        time = getattr(request, name)
        sent[name] = time and contract_time(time)
    if request.attribute_keys is not None:
        sent["attribute_keys"] = list(dict.fromkeys(request.attribute_keys))
    return hash_json(sent)


def hash_json(value: Any) -> bytes:
    """Return the SHA-256 of a JSON value. The order of members and the spelling of numbers don't change it."""
    return hash_text(_canonical(value))


def _canonical(value: Any) -> str:
    """Write a value in the one way that equal values have: members sorted, and numbers by their decimal value."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            number = _EXACT.normalize(Decimal(repr(value)))
            return str(number) if number else "0"
        case dict():
            members = (f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value))
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case _:
            return json.dumps(value)
