"""Keys of encryption for tests."""

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from temporalio.client import Client

from runs.key_ring import KeyRing
from tests.support.service import temporal_client

OLD_KEY, NEW_KEY = (f"{name}:{b64encode(name.encode() * 8).decode()}" for name in ("old1", "new2"))
OLD_RING, NEW_RING = KeyRing.parse(OLD_KEY), KeyRing.parse(NEW_KEY)
BOTH_KEYS = f"{NEW_KEY},{OLD_KEY}"
BOTH_RING = KeyRing.parse(BOTH_KEYS)


async def with_keys(temporal: Client, keys: KeyRing | None) -> Client:
    """Return a client of the same namespace with other keys."""
    return await temporal_client(temporal.service_client.config.target_host, namespace=temporal.namespace, keys=keys)


def find_words(folder: Path, words: Iterable[str]) -> dict[str, int]:
    """Count how often each word is in the files of a folder; words that aren't there are left out."""
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())
    return {word: content.count(word.encode()) for word in words if content.count(word.encode())}
