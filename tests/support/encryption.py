"""Keys of encryption for tests."""

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from runs.key_ring import KeyRing

OLD_KEY, NEW_KEY = (f"{name}:{b64encode(name.encode() * 8).decode()}" for name in ("old1", "new2"))
OLD_RING, NEW_RING = KeyRing.parse(OLD_KEY), KeyRing.parse(NEW_KEY)
BOTH_KEYS = f"{NEW_KEY},{OLD_KEY}"
BOTH_RING = KeyRing.parse(BOTH_KEYS)


def find_words(folder: Path, words: Iterable[str]) -> dict[str, int]:
    """Count how often each word is in the files of a folder; words that aren't there are left out."""
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())
    return {word: content.count(word.encode()) for word in words if content.count(word.encode())}
