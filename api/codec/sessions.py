"""Sessions of the codec server, in a cookie that only a process with the keys can have written."""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ValidationError

from runs.key_ring import KeyRing

LIFETIME_SECONDS = 8 * 3600
_NONCE_BYTES = 12
_USE = b"codec session"
"""Authenticated with each session, so that no payload that the keys have encrypted passes for one."""


class Session(BaseModel):
    """The person who has begun a session, and its end in seconds since 1970."""

    subject: str
    ends_at: float


def seal_session(keys: KeyRing, subject: str) -> str:
    """Begin a session of a person; return the value of its cookie."""
    session, nonce = Session(subject=subject, ends_at=time.time() + LIFETIME_SECONDS), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(keys.keys[keys.first]).encrypt(nonce, session.model_dump_json().encode(), _USE)
    return f"{keys.first}:{urlsafe_b64encode(nonce + sealed).decode()}"


def open_session(keys: KeyRing, cookie: str) -> Session | None:
    """Return the session of a cookie, or None if it has ended or was not written by this service."""
    key_id, _, text = cookie.partition(":")
    key = keys.keys.get(key_id)
    if key is None:
        return None
    try:
        content = urlsafe_b64decode(text)
        opened = AESGCM(key).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], _USE)
        session = Session.model_validate_json(opened)
    except (InvalidTag, ValidationError, ValueError):
        return None
    return session if session.ends_at > time.time() else None
