"""Create and read the stack's key pair, which signs the tokens that the stack's API accepts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = "https://embedded.invalid"
AUDIENCE = "scheduled-activities"
_FILE = "signing-key.pem"


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key pair."""

    private: Ed25519PrivateKey
    issuer: str = ISSUER
    audience: str = AUDIENCE

    def public_pem(self) -> str:
        """Return the public key as the API reads it from AUTH_PUBLIC_KEY."""
        encoding, style = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(encoding, style).decode()

    def token(
        self,
        subject: str,
        tenants: Mapping[UUID, Collection[str]],
        lifetime: timedelta,
        *,
        deployment: Collection[str] = (),
        age: timedelta = timedelta(0),
    ) -> str:
        """Return a token that gives `subject` these permissions per tenant and for the deployment, issued `age` ago."""
        now = datetime.now(UTC)
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now - age,
            "nbf": now - age,
            "exp": now + lifetime,
            "tenants": {str(tenant): [str(permission) for permission in may] for tenant, may in tenants.items()},
            "deployment": [str(permission) for permission in deployment],
        }
        return jwt.encode(claims, self.private, algorithm="EdDSA")


def load_signing_key(data_folder: Path) -> SigningKey:
    """Read the key of a data folder.

    Raises:
        FileNotFoundError: no stack has been started on that folder yet.

    """
    path = data_folder / _FILE
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        msg = f"{path} is not an Ed25519 key: remove it, and the next start creates one"
        raise TypeError(msg)
    return SigningKey(private)


def ensure_signing_key(data_folder: Path) -> SigningKey:
    """Read the key of a data folder; create it, readable by its owner only, if there is none."""
    path = data_folder / _FILE
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private_file(path, pem)
    return load_signing_key(data_folder)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read; it appears complete or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(path)
