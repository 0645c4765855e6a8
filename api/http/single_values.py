"""Reject headers and query parameters that are sent twice where one value counts, and queries that nothing reads.

Proxies disagree about which of two values counts.
"""

import asyncio
from collections import Counter
from typing import Any

from fastapi import Request

from api.http.errors import ValidationFailed
from workflows.messages import Fault


def single_header(name: str, lines: list[str]) -> str:
    """Return the value of a header that the request has on these lines; it is empty without any.

    Raises:
        ValidationFailed: there are several.
    """
    if len(lines) > 1:
        raise _repeated("header", {name: len(lines)})
    return lines[0] if lines else ""


async def check_query(request: Request) -> None:
    """Check that the query repeats only parameters that the OpenAPI document declares as arrays.

    Of an operation that declares none it has to be empty; those that declare some refuse the others themselves.

    Raises:
        ValidationFailed: with every parameter that is repeated, or not declared.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    if counts and not request.scope["route"].dependant.query_params:
        detail = "This call takes no query parameters: remove it."
        faults = tuple(Fault(pointer=f"/query/{name}", detail=detail) for name in counts)
        raise ValidationFailed("This call takes no query parameters.", faults=faults)
    repeated = {name: count for name, count in counts.items() if count > 1}
    if repeated:
        arrays = await asyncio.to_thread(_array_parameters, request)  # the first composes the document
        repeated = {name: count for name, count in repeated.items() if name not in arrays}
    if repeated:
        raise _repeated("query", repeated)


def _array_parameters(request: Request) -> set[str]:
    document: dict[str, Any] = request.app.openapi()
    operation = document["paths"].get(request.scope["route"].path, {}).get(request.method.lower(), {})
    return {one["name"] for one in operation.get("parameters", ()) if one["schema"].get("type") == "array"}


def _repeated(place: str, counts: dict[str, int]) -> ValidationFailed:
    faults = tuple(
        Fault(pointer=f"/{place}/{name}", detail=f"This is sent {count} times: send it once.")
        for name, count in counts.items()
    )
    names = ", ".join(f"`{name}`" for name in counts)
    noun = "header" if place == "header" else "query parameter"
    return ValidationFailed(f"Send the {noun} {names} once.", faults=faults)
