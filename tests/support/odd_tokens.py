"""Tokens that are signed correctly and say odd things."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

CLAIMS = ("sub", "tenants", "exp", "nbf", "iat", "iss", "aud", "jti")
ODD_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\0", "\ud800", "", " ", "1e999", "x" * 1000, "x" * 5000, 10**400, 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=40), inner, max_size=3),
    max_leaves=6,
)


def sign(key: Ed25519PrivateKey, payload: str, header: str = '{"alg": "EdDSA"}') -> str:
    """Sign any text as a token's payload, with any text as its header."""
    parts = [_encode(part.encode("utf-8", "surrogatepass")) for part in (header, payload)]
    return b".".join([*parts, _encode(key.sign(b".".join(parts)))]).decode()


def _encode(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
