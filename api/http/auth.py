"""Who calls, for which tenant, and what they may do there: a signed token says all three."""

import asyncio
import math
import time
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.http.errors import Unauthenticated, Unavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
JWKS_LIFESPAN_SECONDS, JWKS_TIMEOUT_SECONDS = 600, 5
JWKS_COOLDOWN_SECONDS = 5
"""How often, at most, a token with an unknown key id makes us ask the issuer: anybody can invent one."""


class Permission(StrEnum):
    """What a token may allow its bearer in one tenant."""

    CREATE_ACTIVITY = "CREATE_ACTIVITY"
    VIEW_ACTIVITIES = "VIEW_ACTIVITIES"
    CANCEL_ACTIVITY = "CANCEL_ACTIVITY"
    DISPATCH_ACTIVITY = "DISPATCH_ACTIVITY"
    MANAGE_ACTIVITY_CONFIG = "MANAGE_ACTIVITY_CONFIG"
    MANAGE_COMMERCES = "MANAGE_COMMERCES"
    SYNC_COMMERCES = "SYNC_COMMERCES"
    SUBMIT_ACTIVITY_RESULT = "SUBMIT_ACTIVITY_RESULT"
    OPERATE = "OPERATE"


class Token(BaseModel):
    """What we use of a verified token: whose it is, and their permissions by tenant."""

    sub: Annotated[str, Field(min_length=1)]
    tenants: dict[UUID, frozenset[str]]


class Caller(BaseModel):
    """The bearer of a token, in the tenant that the request names."""

    model_config = ConfigDict(frozen=True)

    subject: str
    tenant_id: UUID
    permissions: frozenset[str]

    def may(self, permission: Permission) -> bool:
        """Whether the token allows it in this tenant."""
        return permission in self.permissions


class Authenticator:
    """Verifies bearer tokens against one issuer's keys; algorithms, issuer and audience are pinned."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        jwks_url: str | None = None,
        public_key: str | None = None,
        jwks_cooldown_seconds: float = JWKS_COOLDOWN_SECONDS,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._key = load_pem_public_key(public_key.encode()) if public_key else None
        self._published = _PublishedKeys(jwks_url, jwks_cooldown_seconds) if jwks_url else None

    async def verify(self, token: str) -> Token:
        """What a token proves.

        Raises:
            Unauthenticated: nothing.
            Unavailable: the issuer's keys can't be fetched.
        """
        claims = await self._claims(token)
        try:
            return Token.model_validate(claims)
        except ValidationError as failure:
            raise Unauthenticated(
                'The token needs a claim `tenants`, {"<tenant uuid>": ["<permission>", …]}, and a `sub`.'
            ) from failure

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._signing_key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError) as failure:  # TypeError: its algorithm is none for this kind of key
            raise Unauthenticated(f"The bearer token is not accepted: {failure}.") from failure
        return claims

    async def _signing_key(self, token: str) -> Any:
        """The PEM's key, or the published one that the token names, which knows for which algorithm it is."""
        if self._published is None:
            return self._key
        return await self._published.named(jwt.get_unverified_header(token).get("kid"))


class _PublishedKeys:
    """The issuer's keys as it published them last; a known one is believed without asking until they are old.

    `PyJWKClient` only fetches here: its own cache lets every caller wait while it asks for an unknown key, and asks
    again for each as long as the issuer keeps silent.
    """

    def __init__(self, url: str, cooldown_seconds: float) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=JWKS_TIMEOUT_SECONDS)
        self._cooldown_seconds = cooldown_seconds
        self._keys: dict[str, jwt.PyJWK] = {}
        self._known_until = self._ask_again_at = -math.inf
        self._answered = False
        self._asking = asyncio.Lock()

    async def named(self, kid: object) -> jwt.PyJWK:
        """The key of this id.

        Raises:
            PyJWKClientError: there is none.
            Unavailable: the issuer hasn't told.
        """
        key = self._known(kid)
        if key is None:
            async with self._asking:
                key = self._known(kid)
                if key is None and time.monotonic() >= self._ask_again_at:
                    await self._ask()
                    key = self._known(kid)
        if key is not None:
            return key
        if not self._answered:
            raise _unavailable()
        msg = "the issuer publishes no key of this id"
        raise jwt.PyJWKClientError(msg)

    def _known(self, kid: object) -> jwt.PyJWK | None:
        return self._keys.get(kid) if isinstance(kid, str) and time.monotonic() < self._known_until else None

    async def _ask(self) -> None:
        """Whether it answers or not, it is left alone for a while then."""
        self._answered = False
        try:
            keys = await asyncio.to_thread(self._client.get_signing_keys)
        except (jwt.PyJWTError, ValueError) as failure:
            raise _unavailable() from failure
        finally:
            self._ask_again_at = time.monotonic() + self._cooldown_seconds
        self._answered = True
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._known_until = time.monotonic() + JWKS_LIFESPAN_SECONDS


def _unavailable() -> Unavailable:
    return Unavailable("The keys that tokens are verified with can't be fetched; try again.")
