"""API keys: their texts, and the verification of the one that a request sends."""

import asyncio
import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from math import inf
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.http.auth import KEY_SUBJECT, NEVER_OF_KEYS, Caller
from api.http.errors import Unauthenticated
from db.api_keys import FIND_KEY_STATEMENT, NOTE_USE_STATEMENT, FoundKey
from db.engine import Database
from db.failures import kind
from db.rows import fetch_row
from db.tenant import acting_for

log = structlog.get_logger(__name__)

PREFIX = "rtn_sk_"
SHOWN_CHARACTERS = len(PREFIX) + 6
"""Of the 43 random characters 37 stay unknown to who sees these: 222 bits."""
KNOWN_SECONDS = 5
"""Seconds for which a key that was looked up stays known: a revocation is in force in every process within them."""
MOST_KNOWN = 10_000
LOOKUPS_AT_ONCE = 4
"""Look-ups at the same time: invented keys take no more connections than these from other requests."""
LOOKUP_SECONDS = 5

_TEXT = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)
_CHALLENGE = 'ApiKey realm="x-api-key"'


def draw_key() -> str:
    """Draw the text of a new key: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_key(text: str) -> bytes:
    """Return the hash that is stored in place of a key: its bits are random, so a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class _Known:
    """A key that was looked up, by the process's clock."""

    caller: Caller
    key_id: UUID
    known_until: float
    expires_at: float


class ApiKeys:
    """Looks keys up in PostgreSQL, and knows those in use for some seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[bytes, _Known] = {}
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def verify(self, text: str) -> Caller:
        """Return the caller whom the key stands for: in its tenant, with its permissions.

        Raises:
            Unauthenticated: it is no key, or it has expired, or was revoked.
            TimeoutError: PostgreSQL doesn't answer.
        """
        if not _TEXT.fullmatch(text):
            detail = f"The header `x-api-key` must be an API key: `{PREFIX}` and 43 letters, digits, `_` or `-`."
            raise Unauthenticated(detail, challenge=_CHALLENGE)
        key_hash = hash_key(text)
        known = self._get(key_hash)
        if known is None:
            async with asyncio.timeout(LOOKUP_SECONDS), self._lookups:
                known = self._get(key_hash) or await self._look_up(key_hash)
        if known is None:
            raise Unauthenticated("The API key is unknown: it was never valid, or was revoked.", challenge=_CHALLENGE)
        if known.expires_at <= time.monotonic():
            raise Unauthenticated("The API key has expired: see its `expiresAt`.", challenge=_CHALLENGE)
        return known.caller

    def forget(self, key_id: UUID) -> None:
        """Look the key up anew at its next use: other processes do so within `KNOWN_SECONDS`."""
        self._known = {key_hash: one for key_hash, one in self._known.items() if one.key_id != key_id}

    def _get(self, key_hash: bytes) -> _Known | None:
        known = self._known.get(key_hash)
        return known if known is not None and time.monotonic() < known.known_until else None

    async def _note_use(self, found: FoundKey) -> None:
        try:
            with acting_for(found.tenant_id):
                async with self._database.autocommit.connect() as connection:
                    await connection.execute(NOTE_USE_STATEMENT, {"of_tenant": found.tenant_id, "key_id": found.id})
        except SQLAlchemyError as failure:  # a replica, for instance: the key is as good as before
            log.warning("use of an API key not noted", failure=kind(failure))

    async def _look_up(self, key_hash: bytes) -> _Known | None:
        asked_at = time.monotonic()  # before the statement, so that the key is not known for longer than it was seen
        self._known.pop(key_hash, None)
        async with self._database.autocommit.connect() as connection:
            found = await fetch_row(connection, FoundKey, FIND_KEY_STATEMENT, {"key_hash": key_hash})
            if found is None:
                return None
        if found.is_use_unnoted:
            await self._note_use(found)
        known = _Known(
            caller=Caller(
                subject=f"{KEY_SUBJECT}{found.id}",
                tenant_id=found.tenant_id,
                permissions=frozenset(found.permissions) - NEVER_OF_KEYS,
                credential="API key",
            ),
            key_id=found.id,
            known_until=asked_at + KNOWN_SECONDS,
            expires_at=inf if found.seconds_left is None else asked_at + float(found.seconds_left),
        )
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key_hash] = known
        return known
