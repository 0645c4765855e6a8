"""Keys of the names of catalogue entries: equal for texts that mean the same, and short enough for an index."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy.engine.default import DefaultExecutionContext

from workflows.resolution.reasons import fold

NAMES_BEFORE_ALIASES = 2
"""The code and the label: the keys of an entry are those of its code, its label and its aliases, in this order."""


def find_name_key(tenant_id: UUID, text: str) -> UUID:
    """Return the key under which a tenant's entries with this name are found.

    The tenant is a part of it, so that an entry of the index holds rows of one tenant.
    """
    folded = fold(text).encode("utf-8", "surrogatepass")
    return UUID(bytes=blake2b(folded, digest_size=16, key=tenant_id.bytes).digest())


def find_name_keys(tenant_id: UUID, code: str, label: str, aliases: Iterable[str]) -> list[UUID]:
    """Return the keys of all names of an entry."""
    return [find_name_key(tenant_id, name) for name in (code, label, *aliases)]


def find_keys_of_insert(context: DefaultExecutionContext) -> list[UUID]:
    """Return the keys of the entry that is being inserted."""
    row: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return find_name_keys(UUID(str(row["tenant_id"])), row["code"], row["label"], row.get("aliases") or ())
