"""The keys that encrypt what the service stores in Temporal."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

KEY_BYTES = 32
_ENTRY = re.compile(r"([A-Za-z0-9._-]{1,32}):([A-Za-z0-9+/]+={0,2})", re.ASCII)


@dataclass(frozen=True)
class KeyRing:
    """Keys of AES-256 by their ids. The first one encrypts, all of them decrypt."""

    first: str
    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64,id:base64`.

        Raises:
            ValueError: an entry is not as it must be; the message names the entry by its place, never by its content.
        """
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(text.split(","), start=1):
            key_id, key = _parse_entry(place, entry)
            if key_id in keys:
                msg = f"entry {place} has the id of an earlier one"
                raise ValueError(msg)
            keys[key_id] = key
        return cls(next(iter(keys)), keys)


def key_ids(keys: KeyRing | None) -> frozenset[str]:
    """Return the ids of the keys; none without a ring."""
    return frozenset(keys.keys) if keys else frozenset()


def _parse_entry(place: int, entry: str) -> tuple[str, bytes]:
    found = _ENTRY.fullmatch(entry)
    try:
        key = b64decode(found[2], validate=True) if found else b""
    except ValueError:
        key = b""
    if found is None or len(key) != KEY_BYTES:
        msg = f"entry {place} must be an id of A-Z a-z 0-9 . _ -, a colon, and {KEY_BYTES} bytes in base64"
        raise ValueError(msg)
    return found[1], key
