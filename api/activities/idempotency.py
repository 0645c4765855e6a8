"""The header `Idempotency-Key`: the key of a creation, for callers whose clients send it so."""

import re
from typing import Annotated

from fastapi import Header, Request
from pydantic import WithJsonSchema

from api.activities.schemas import ScheduledActivityCreate
from api.http.bodies import JsonBody, parse_in_turn
from api.http.errors import ValidationFailed
from api.http.single_values import single_header
from workflows.messages import Fault

NAME = "Idempotency-Key"
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"', re.ASCII)
"""A string of RFC 9651, as the draft of the header's standard wants it."""
DESCRIPTION = (
    "The key, as it is or as a string of RFC 9651, in quotation marks. It must equal `idempotency_key` of the body,"
    " which may be absent if this header is there. A repetition is answered 409 with the activity and `sameRequest`,"
    " not with the first answer again."
)
KeyHeader = Annotated[
    list[str] | None, WithJsonSchema({"type": "string", "maxLength": 402}), Header(alias=NAME, description=DESCRIPTION)
]


class KeyedBody(JsonBody[ScheduledActivityCreate]):
    """Dependency that reads a creation whose key is in its body, in the header, or in both."""

    async def __call__(self, request: Request, key: KeyHeader = None) -> ScheduledActivityCreate:
        """Return the parsed body.

        Raises:
            ValidationFailed: the header is no key, or another one than the body's.
        """
        content, parsing = await self.read(request), request.state.resources.parsing
        if key is None:
            return await parse_in_turn(parsing, self.model, content)
        sent = parse_key(single_header(NAME, key))
        body = await parse_in_turn(parsing, self.model, content, {"idempotency_key": sent})
        if body.idempotency_key != sent:
            raise _key_problem("This is another key than `idempotency_key` of the body: send one of them, or the same.")
        return body


def parse_key(value: str) -> str:
    """Return the key that a header has, without the quotation marks and escapes of a string of RFC 9651.

    Raises:
        ValidationFailed: it begins like such a string and is none, or it is empty or not UTF-8.
    """
    try:
        text = value.encode("latin-1").decode()  # the server hands on the bytes of a header as Latin-1
    except ValueError:
        raise _key_problem("This is not UTF-8.") from None
    if not text.startswith('"'):
        key = text
    elif _QUOTED.fullmatch(text):
        key = re.sub(r"\\(.)", r"\1", text[1:-1])
    else:
        raise _key_problem('This begins with a quotation mark, and is not a string as in `"order-7"` (RFC 9651).')
    if not key:
        raise _key_problem("This is empty.")
    return key


def require_no_key(request: Request) -> None:
    """Reject the header on calls that create many activities: each of them has a key of its own.

    Raises:
        ValidationFailed: the header is there.
    """
    if NAME in request.headers:
        raise _key_problem("Each activity of a batch has a key of its own: send it as its `idempotency_key`.")


def _key_problem(detail: str) -> ValidationFailed:
    fault = Fault(pointer="/header/idempotency-key", detail=detail)
    return ValidationFailed(f"The header `{NAME}` can't be used: {detail}", faults=(fault,))
