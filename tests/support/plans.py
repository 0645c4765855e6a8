"""Read PostgreSQL's plan of a statement, estimated or executed."""

from collections.abc import Iterator
from typing import Any


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The whole tree of an EXPLAIN in JSON."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
