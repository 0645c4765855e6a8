"""Who calls, for which tenant, and what they may do there: a signed token says all three."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.errors import Unauthenticated, Unavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
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
        self._jwks = (
            jwt.PyJWKClient(jwks_url, lifespan=600, timeout=5, cooldown_duration=jwks_cooldown_seconds)
            if jwks_url
            else None
        )

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
        """The PEM's key, or the published one that the token names: cached, and asked for in a thread if it isn't."""
        if self._jwks is None:
            return self._key
        return await asyncio.to_thread(_published_key, self._jwks, token)


def _published_key(jwks: jwt.PyJWKClient, token: str) -> jwt.PyJWK:
    """The whole key, which knows for which algorithm it is."""
    unavailable = Unavailable("The keys that tokens are verified with can't be fetched; try again.")
    try:
        jwks.get_jwk_set()
    except (jwt.PyJWTError, ValueError) as failure:
        raise unavailable from failure
    try:
        return jwks.get_signing_key_from_jwt(token)
    except jwt.PyJWKClientConnectionError as failure:
        raise unavailable from failure
