"""Authentication by bearer tokens: verify them and read the caller's tenants and permissions from them."""

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from api.http.errors import PermissionDenied, Unauthenticated
from api.http.jwks import RSA_BITS, PublishedKeys, is_strong
from workflows.limits import TEXT_LENGTH

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
_SUBJECT = r"^[^\x00]*[^\s\x00][^\x00]*$"
_CLAIM_RULES = {
    "sub": f"The token's claim `sub` must be a text of at most {TEXT_LENGTH:,} characters, not blank and without NUL.",
    "tenants": 'The token needs a claim `tenants`: {"<tenant uuid>": ["<permission>", …]}.',
    "deployment": 'The token\'s claim `deployment` must be a list: ["<permission>", …].',
}
_REFUSALS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "The token has expired: see its claim `exp`.",
    jwt.ImmatureSignatureError: "The token is not valid yet: see its claims `nbf` and `iat`.",
    jwt.InvalidAudienceError: "The token is for another audience: see its claim `aud`.",
    jwt.InvalidIssuerError: "The token is from another issuer: see its claim `iss`.",
    jwt.exceptions.InvalidSubjectError: _CLAIM_RULES["sub"],
    jwt.MissingRequiredClaimError: "The token needs the claims `exp`, `iss`, `aud` and `sub`.",
    jwt.InvalidAlgorithmError: f"The token must be signed with {', '.join(ALGORITHMS[:-1])} or {ALGORITHMS[-1]}.",
    jwt.InvalidSignatureError: "The token's signature is not the issuer's.",
    jwt.PyJWKClientError: "The issuer publishes no key with the id in the token's header `kid`.",
}
JWKS_COOLDOWN_SECONDS = 5
"""Seconds between two fetches of the issuer's keys: any caller can invent an unknown key id."""
JWKS_STALE_SECONDS = 6 * 3600


class Permission(StrEnum):
    """The permissions that a token can grant its bearer in one tenant."""

    CREATE_ACTIVITY = "CREATE_ACTIVITY"
    VIEW_ACTIVITIES = "VIEW_ACTIVITIES"
    CANCEL_ACTIVITY = "CANCEL_ACTIVITY"
    DISPATCH_ACTIVITY = "DISPATCH_ACTIVITY"
    MANAGE_ACTIVITY_CONFIG = "MANAGE_ACTIVITY_CONFIG"
    MANAGE_COMMERCES = "MANAGE_COMMERCES"
    SYNC_COMMERCES = "SYNC_COMMERCES"
    SUBMIT_ACTIVITY_RESULT = "SUBMIT_ACTIVITY_RESULT"
    OPERATE = "OPERATE"
    MANAGE_API_KEYS = "MANAGE_API_KEYS"
    ERASE_PERSONAL_DATA = "ERASE_PERSONAL_DATA"


KEY_SUBJECT = "key:"
"""The beginning of the subjects of API keys. A token's subject can't have it."""
NEVER_OF_KEYS = frozenset({"MANAGE_API_KEYS", "OPERATE", "DECODE_PAYLOADS"})
"""Permissions that no API key has: a key could outlive its revocation by another one, or look beyond its tenant."""


class DeploymentPermission(StrEnum):
    """The permissions that a token can grant its bearer for the whole deployment, and no tenant can grant."""

    DECODE_PAYLOADS = "DECODE_PAYLOADS"


class Token(BaseModel):
    """The claims that the API uses: the subject, stored as the actor, and the permissions by tenant and for all."""

    sub: Annotated[str, StringConstraints(max_length=TEXT_LENGTH, pattern=_SUBJECT)]
    tenants: dict[UUID, frozenset[str]]
    deployment: frozenset[str] = frozenset()


class Caller(BaseModel):
    """The sender of a request: the bearer of a token in the tenant that it names, or of an API key in the key's."""

    model_config = ConfigDict(frozen=True)

    subject: str
    tenant_id: UUID
    permissions: frozenset[str]
    credential: Literal["token", "API key"] = "token"
    request_id: str | None = None

    def may(self, permission: Permission) -> bool:
        """Return True if the caller has the permission in this tenant."""
        return permission in self.permissions

    def describe_lack(self, permission: Permission) -> PermissionDenied:
        """Return the problem of a request for which the caller lacks a permission."""
        return PermissionDenied(f"The {self.credential} lacks the permission {permission} in tenant {self.tenant_id}.")


class Authenticator:
    """Verifies bearer tokens with one issuer's keys; algorithms, issuer and audience are fixed."""

    def __init__(  # noqa: PLR0913 - the settings of a deployment
        self,
        issuer: str,
        audience: str,
        *,
        jwks_url: str | None = None,
        public_key: str | None = None,
        jwks_cooldown_seconds: float = JWKS_COOLDOWN_SECONDS,
        jwks_stale_seconds: float = JWKS_STALE_SECONDS,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._key = _load_key(public_key) if public_key else None
        self._published = PublishedKeys(jwks_url, jwks_cooldown_seconds, jwks_stale_seconds) if jwks_url else None

    async def verify(self, token: str) -> Token:
        """Verify a token's signature and claims, and return the claims.

        Raises:
            Unauthenticated: the token is not valid.
            Unavailable: the issuer's keys can't be fetched.
        """
        claims = await self._decode(token)
        try:
            verified = Token.model_validate(claims)
        except ValidationError as failure:
            raise Unauthenticated(_CLAIM_RULES[str(failure.errors()[0]["loc"][0])]) from failure
        if verified.sub.startswith(KEY_SUBJECT):
            raise Unauthenticated(f"The token's claim `sub` must not begin with `{KEY_SUBJECT}`: that names API keys.")
        return verified

    async def _decode(self, token: str) -> dict[str, object]:
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                await self._signing_key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError) as failure:  # TypeError: the algorithm needs another kind of key
            raise Unauthenticated(_refusal_sentence(failure)) from failure
        return claims

    async def _signing_key(self, token: str) -> Any:
        """Return the configured key, or the published key that the token names."""
        if self._published is None:
            return self._key
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        return await self._published.find(header.get("kid"), header["alg"])


def _load_key(pem: str) -> PublicKeyTypes:
    """Load the configured key.

    Raises:
        ValueError: it is no key, or not one that tokens may be signed with.
    """
    with suppress(ValueError, UnsupportedAlgorithm):
        key = load_pem_public_key(pem.encode())
        if is_strong(key):
            return key
    msg = "AUTH_PUBLIC_KEY must be a public key in PEM: RSA of {:,} bits or more, EC on P-256, or Ed25519"
    raise ValueError(msg.format(RSA_BITS))


def _refusal_sentence(failure: Exception) -> str:
    """Return the API's own sentence: a library's would quote the token, and change with its version."""
    found = (sentence for kind, sentence in _REFUSALS.items() if isinstance(failure, kind))
    return next(found, "The bearer token is not a JWT that can be read, or a claim in it has the wrong type.")
