"""The issuer's published keys (JWKS): fetch them within limits, and keep them for a time."""

import asyncio
import json
import logging
import math
import ssl
import time
from http import HTTPStatus
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.http.errors import Unavailable

log = logging.getLogger(__name__)  # structlog would be loaded by every command that names a permission

RSA_BITS = 2048
"""The fewest bits of an RSA key, as RFC 7518 (3.3) demands."""
LIFESPAN_SECONDS = 600
FETCH_SECONDS = 3
"""For the whole fetch: an issuer that sends a byte a second would never exceed a limit for each byte."""
DOCUMENT_BYTES = 256 * 1024
KEYS = 100
"""The most keys of a document that are read: reading one takes about 0.1 ms."""


class PublishedKeys:
    """Keys by their id and algorithm, fetched again when they are old or when a token names an unknown key.

    While the issuer doesn't answer, the last keys are used, for `stale_seconds` beyond their lifespan.
    """

    def __init__(self, url: str, cooldown_seconds: float, stale_seconds: float) -> None:
        require_protected(url)
        self._url = url
        self._cooldown_seconds = cooldown_seconds
        self._stale_seconds = stale_seconds
        self._trusted = ssl.create_default_context()
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fresh_until = self._known_until = self._fetch_again_at = -math.inf
        self._answered = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: object, algorithm: str) -> jwt.PyJWK:
        """Return the key with this id for this algorithm.

        Raises:
            PyJWKClientError: the issuer publishes no such key.
            Unavailable: the issuer has not answered.
        """
        if time.monotonic() >= self._fresh_until and self._keys:
            await self._fetch_soon(wait=self._answered)  # later attempts of an outage make no request wait
        key = self._get(kid, algorithm)
        if key is None:
            await self._fetch_soon(wait=True)
            key = self._get(kid, algorithm)
        if key is not None:
            return key
        if not self._answered or not self._keys:
            raise Unavailable("The keys that verify tokens can't be fetched. Try again.")
        msg = "the issuer publishes no key of this id"
        raise jwt.PyJWKClientError(msg)

    def _get(self, kid: object, algorithm: str) -> jwt.PyJWK | None:
        if not isinstance(kid, str) or time.monotonic() >= self._known_until:
            return None
        return self._keys.get((kid, algorithm))

    async def _fetch_soon(self, *, wait: bool) -> None:
        """Begin a fetch unless one goes on, or has ended within the cooldown: any caller can invent a key id."""
        if self._fetching is None and time.monotonic() >= self._fetch_again_at:
            self._fetching = asyncio.create_task(self._fetch())
        if self._fetching is not None and wait:
            await asyncio.wait({self._fetching})  # a caller that hangs up doesn't cancel it for the others

    async def _fetch(self) -> None:
        try:
            content = await read_document(self._url, self._trusted)
            self._keys = await asyncio.to_thread(read_keys, content)
            fetched_at = time.monotonic()
            self._fresh_until = fetched_at + LIFESPAN_SECONDS
            self._known_until = self._fresh_until + self._stale_seconds
            self._answered = True
        except (OSError, ValueError, RecursionError) as failure:
            self._answered = False
            log.warning("keys of the issuer not fetched", extra={"failure": type(failure).__name__})
        finally:
            self._fetch_again_at = time.monotonic() + self._cooldown_seconds
            self._fetching = None


def require_protected(url: str) -> None:
    """Require a URL whose answer can't be changed on its way.

    Raises:
        ValueError: it is neither https nor of this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        msg = "AUTH_JWKS_URL must begin with https://; http:// is accepted for this machine alone, as 127.0.0.1"
        raise ValueError(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def read_document(url: str, trusted: ssl.SSLContext) -> bytes:
    """Fetch the document of an issuer. Redirects are not followed: they could lead anywhere.

    Raises:
        OSError: the issuer can't be reached, or the whole document has not arrived in time.
        ValueError: the answer is no success, or too large, or compressed.
    """
    httpx = await asyncio.to_thread(import_module, "httpx")  # processes with a configured key start without it
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    content = bytearray()
    try:
        async with (
            asyncio.timeout(FETCH_SECONDS),
            httpx.AsyncClient(verify=trusted, timeout=None, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code != HTTPStatus.OK or "content-encoding" in response.headers:
                msg = "the issuer has not answered with a document"
                raise ValueError(msg)
            async for part in response.aiter_raw():
                content += part
                if len(content) > DOCUMENT_BYTES:
                    msg = "the issuer's document is too large"
                    raise ValueError(msg)
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        raise OSError(type(failure).__name__) from failure
    return bytes(content)


def read_keys(content: bytes) -> dict[tuple[str, str], jwt.PyJWK]:
    """Return the usable keys of a document by id and algorithm; of two with the same, the first.

    Raises:
        ValueError: it is no document of keys.
    """
    document = json.loads(content)
    published = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(published, list):
        msg = "the issuer's document has no list of keys"
        raise ValueError(msg)  # noqa: TRY004 - the document's fault, not the caller's
    keys: dict[tuple[str, str], jwt.PyJWK] = {}
    for one in published[:KEYS]:
        key = _read_key(one)
        if key is not None and key.key_id is not None:
            keys.setdefault((key.key_id, key.algorithm_name), key)
    return keys


def _read_key(published: Any) -> jwt.PyJWK | None:
    """Return a key if tokens can be verified with it: issuers also publish keys of other kinds and for other uses."""
    try:
        key = jwt.PyJWK(published)
        is_usable = is_strong(key.key) and isinstance(key.key_id, str) and key.public_key_use in {None, "sig"}
    except Exception:  # noqa: BLE001 - nothing that an issuer publishes keeps its other keys from being read
        return None
    return key if is_usable else None


def is_strong(key: object) -> bool:
    """Return whether the key is a public one of a kind and size that tokens may be signed with."""
    if isinstance(key, RSAPublicKey):
        return key.key_size >= RSA_BITS
    if isinstance(key, EllipticCurvePublicKey):
        return isinstance(key.curve, SECP256R1)
    return isinstance(key, Ed25519PublicKey)
