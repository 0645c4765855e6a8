"""Test which tokens the API accepts, and which of their claims."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from api.http.auth import LEEWAY_SECONDS, Authenticator, Caller, Permission
from api.http.errors import Problem, Unauthenticated, Unavailable
from tests.support.issuer import Issuer
from tests.support.odd_tokens import CLAIMS, ODD_JSON, sign

ISSUER, AUDIENCE = "https://issuer.example", "scheduled-activities"
TENANT = UUID("770e8400-e29b-41d4-a716-446655440000")
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def claims(**changes: Any) -> dict[str, Any]:
    """Return valid claims with changes; None omits a claim, a duration counts from now."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "a-user",
        "exp": timedelta(hours=1),
        "tenants": {str(TENANT): ["CREATE_ACTIVITY"]},
    }
    now = datetime.now(UTC)
    said = {name: value for name, value in (good | changes).items() if value is not None}
    return {name: now + value if isinstance(value, timedelta) else value for name, value in said.items()}


def token(
    algorithm: str = "EdDSA",
    key: Any = None,
    kid: str | None = None,
    *,
    header: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """A signed token."""
    headers = ({"kid": kid} if kid else {}) | (header or {})
    return jwt.encode(claims(**changes), key or KEYS[algorithm], algorithm=algorithm, headers=headers)


def pem(key: Any) -> str:
    """The public half."""
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def with_pem(algorithm: str = "EdDSA") -> Authenticator:
    """Believes one key."""
    return Authenticator(ISSUER, AUDIENCE, public_key=pem(KEYS[algorithm]))


def hand_made(header: dict[str, Any], key: bytes | None) -> str:
    """A token that no library would sign."""
    dated = claims() | {"exp": int((datetime.now(UTC) + timedelta(hours=1)).timestamp())}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, dated)]
    signed = b".".join(parts)
    signature = hmac.digest(key, signed, hashlib.sha256) if key else b""
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_good_token_of_each_pinned_algorithm_is_believed(algorithm: str) -> None:
    proven = await with_pem(algorithm).verify(token(algorithm))
    assert (proven.sub, proven.tenants) == ("a-user", {TENANT: frozenset({"CREATE_ACTIVITY"})})


@pytest.mark.parametrize(("algorithm", "believed"), list(permutations(KEYS, 2)))
async def test_a_token_of_another_kind_of_key_is_refused_and_not_a_defect(algorithm: str, believed: str) -> None:
    with pytest.raises(Unauthenticated):
        await with_pem(believed).verify(token(algorithm))


@pytest.mark.parametrize("algorithm", KEYS)
async def test_an_unsigned_token_and_one_signed_with_the_public_key_are_refused(algorithm: str) -> None:
    for forged in (
        hand_made({"alg": "none", "typ": "JWT"}, None),
        hand_made({"alg": "None", "typ": "JWT"}, None),
        hand_made({"alg": "HS256", "typ": "JWT"}, pem(KEYS[algorithm]).encode()),
        hand_made({"alg": "HS256", "typ": "JWT"}, pem(KEYS[algorithm]).strip().encode()),
        hand_made({"typ": "JWT"}, None),
    ):
        with pytest.raises(Unauthenticated):
            await with_pem(algorithm).verify(forged)


async def test_a_stronger_algorithm_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await with_pem("RS256").verify(token("RS512", KEYS["RS256"]))


async def test_a_token_signed_with_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await with_pem().verify(token(key=ed25519.Ed25519PrivateKey.generate()))


async def test_a_token_that_was_changed_after_signing_is_refused() -> None:
    header, _, signature = token().split(".")
    _, other, _ = token(tenants={str(TENANT): ["OPERATE"]}).split(".")
    with pytest.raises(Unauthenticated):
        await with_pem().verify(f"{header}.{other}.{signature}")


@pytest.mark.parametrize("nonsense", ["", ".", "..", "a.b.c", "é", "x" * 10_000, "null", "\0"])
async def test_nonsense_is_refused_and_not_a_defect(nonsense: str) -> None:
    with pytest.raises(Unauthenticated):
        await with_pem().verify(nonsense)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": " \n"},
        {"sub": "a\0b"},
        {"sub": "half \ud800"},
        {"sub": "x" * 1001},
        {"sub": ["tester"]},
        {"exp": None},
        {"exp": -timedelta(seconds=LEEWAY_SECONDS + 5)},
        {"exp": timedelta(minutes=-2)},
        {"exp": "tomorrow"},
        {"nbf": timedelta(seconds=LEEWAY_SECONDS + 60)},
        {"nbf": timedelta(minutes=5)},
        {"nbf": "tomorrow"},
        {"tenants": None},
        {"tenants": []},
        {"tenants": str(TENANT)},
        {"tenants": {"store": ["CREATE_ACTIVITY"]}},
        {"tenants": {str(TENANT): "CREATE_ACTIVITY"}},
        {"tenants": {str(TENANT): [1]}},
        {"tenants": {str(TENANT): {"CREATE_ACTIVITY": True}}},
        {"tenants": {str(TENANT): None}},
    ],
    ids=str,
)
async def test_a_token_that_says_too_little_or_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await with_pem().verify(token(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["another-service", AUDIENCE]},
        {"exp": -timedelta(seconds=LEEWAY_SECONDS - 20)},
        {"nbf": timedelta(seconds=LEEWAY_SECONDS - 5)},
        {"tenants": {}},
        {"tenants": {str(TENANT).upper(): ["A_PERMISSION_OF_TOMORROW"]}},
        {"extra": {"claim": 1}},
    ],
    ids=str,
)
async def test_a_token_within_the_leeway_or_with_more_than_is_needed_is_believed(changes: dict[str, Any]) -> None:
    assert (await with_pem().verify(token(**changes))).sub == "a-user"


@given(
    claim=st.sampled_from(CLAIMS),
    value=ODD_JSON | st.dictionaries(st.just(str(TENANT)), ODD_JSON) | st.lists(st.just(AUDIENCE) | ODD_JSON),
    header=st.dictionaries(st.sampled_from(["kid", "typ", "crit", "b64", "jku", "cty"]), ODD_JSON, max_size=2),
    keep_header=st.booleans(),
)
@example(claim="sub", value="a\0b", header={}, keep_header=False)
async def test_a_signed_token_with_any_claim_is_believed_or_refused_with_a_sentence(
    *, claim: str, value: Any, header: dict[str, Any], keep_header: bool
) -> None:
    extra = header if keep_header else {}
    odd = sign(KEYS["EdDSA"], json.dumps(timeless() | {claim: value}), json.dumps({"alg": "EdDSA"} | extra))
    said = ""
    try:
        subject = (await with_pem().verify(odd)).sub
    except Unauthenticated as refused:
        subject, said = "refused", refused.detail
    assert re.fullmatch(r"(The .*\.)?", said)
    assert 0 < len(subject.encode()) <= 4000
    assert "\0" not in subject


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 20_000,
        '{"tenants": ' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"exp": ' + "9" * 5000 + "}",
        '{"sub": NaN, "exp": Infinity}',
        '{"exp": 1e999}',
        '"text"',
        "",
        "\ufeff{}",
    ],
    ids=lambda payload: payload[:20],
)
async def test_a_signed_payload_that_is_no_object_of_claims_is_refused(payload: str) -> None:
    for odd in (sign(KEYS["EdDSA"], payload), sign(KEYS["EdDSA"], json.dumps(timeless()), payload)):
        with pytest.raises(Unauthenticated) as refused:
            await with_pem().verify(odd)
        assert re.fullmatch(r"The .*\.", refused.value.detail)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"exp": timedelta(hours=-1)}, "expired"),
        ({"nbf": timedelta(hours=1)}, "`nbf`"),
        ({"aud": "another-service"}, "`aud`"),
        ({"iss": "https://other.example"}, "`iss`"),
        ({"exp": None}, "`exp`"),
        ({"sub": "a\0b"}, "`sub`"),
        ({"sub": 5}, "`sub`"),
        ({"tenants": []}, "`tenants`"),
    ],
    ids=str,
)
async def test_the_refusal_names_the_claim_in_our_own_words(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await with_pem().verify(token(**changes))
    assert named in refused.value.detail


def timeless() -> dict[str, Any]:
    """Return the claims of a good token that never expires."""
    return claims() | {"exp": 10**10}


def test_a_permission_in_one_tenant_is_none_in_another_word() -> None:
    caller = Caller(subject="s", tenant_id=TENANT, permissions=frozenset({"CREATE_ACTIVITY"}))
    assert caller.may(Permission.CREATE_ACTIVITY)
    assert not any(caller.may(permission) for permission in Permission if permission != "CREATE_ACTIVITY")


def with_jwks(url: str, *, cooldown: float = 0) -> Authenticator:
    """Believes what the issuer publishes."""
    return Authenticator(ISSUER, AUDIENCE, jwks_url=url, jwks_cooldown_seconds=cooldown)


async def test_published_keys_of_each_algorithm_are_believed_and_asked_for_once() -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        for algorithm in KEYS:
            assert (await authenticator.verify(token(algorithm, kid=algorithm))).sub == "a-user"
    assert issuer.asked == 1


async def test_a_key_that_was_rotated_in_is_believed_at_its_first_token() -> None:
    issuer = Issuer()
    issuer.keys = {"old": KEYS["RS256"]}
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        await authenticator.verify(token("RS256", kid="old"))
        issuer.keys = {"new": KEYS["ES256"]}
        assert (await authenticator.verify(token("ES256", kid="new"))).sub == "a-user"
        with pytest.raises(Unauthenticated):
            await authenticator.verify(token("RS256", kid="old"))


async def test_tokens_with_invented_key_ids_do_not_make_us_ask_the_issuer_each_time() -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url, cooldown=60)
        for number in range(20):
            with pytest.raises(Unauthenticated):
                await authenticator.verify(token(kid=f"invented-{number}"))
    assert issuer.asked <= 2


async def test_while_the_issuer_keeps_silent_known_keys_do_not_wait_and_it_is_not_asked_again_and_again() -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url, cooldown=0.2)
        await authenticator.verify(token(kid="EdDSA"))
        await asyncio.sleep(0.3)
        issuer.speaks.clear()
        strangers = [asyncio.create_task(authenticator.verify(token(kid=f"invented-{n}"))) for n in range(4)]
        async with asyncio.timeout(30):
            while issuer.asked == 1:
                await asyncio.sleep(0.01)
        assert (await authenticator.verify(token(kid="EdDSA"))).sub == "a-user"
        assert not any(stranger.done() for stranger in strangers)
        issuer.speaks.set()
        refused = await asyncio.gather(*strangers, return_exceptions=True)
    assert ({type(one) for one in refused}, issuer.asked) == ({Unauthenticated}, 2)


async def test_an_issuer_that_is_away_is_not_asked_again_before_the_cooldown() -> None:
    issuer = Issuer()
    issuer.answer = b"nonsense"
    with issuer.publishing() as url:
        authenticator = with_jwks(url, cooldown=60)
        for number in range(5):
            with pytest.raises(Unavailable):
                await authenticator.verify(token(kid=f"any-{number}"))
    assert issuer.asked == 1


@pytest.mark.parametrize("kid", ["RS256", "nobody", None])
async def test_a_token_must_name_the_published_key_that_signed_it(kid: str | None) -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url, pytest.raises(Unauthenticated):
        await with_jwks(url).verify(token("ES256", kid=kid))


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"keys": []}', b'{"keys": 5}', b"{}"])
async def test_an_issuer_that_publishes_nonsense_is_our_trouble_and_not_the_callers(answer: bytes) -> None:
    issuer = Issuer()
    issuer.answer = answer
    with issuer.publishing() as url, pytest.raises(Unavailable):
        await with_jwks(url).verify(token(kid="EdDSA"))


async def test_an_issuer_that_is_away_is_503_until_it_is_back_and_harmless_once_its_keys_are_known() -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url:
        pass
    with pytest.raises(Unavailable) as refused:
        await with_jwks(url).verify(token(kid="EdDSA"))
    assert refused.value.headers["Retry-After"]
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        await authenticator.verify(token(kid="EdDSA"))
    assert (await authenticator.verify(token(kid="EdDSA"))).sub == "a-user"
    with pytest.raises(Unavailable):
        await authenticator.verify(token(kid="perhaps rotated in meanwhile"))


@pytest.mark.parametrize("forged", [".", "a.b.c", hand_made({"alg": "none", "kid": "EdDSA"}, None)])
async def test_nonsense_is_refused_with_published_keys_too(forged: str) -> None:
    issuer = Issuer()
    issuer.keys = KEYS
    with issuer.publishing() as url, pytest.raises(Problem) as refused:
        await with_jwks(url).verify(forged)
    assert refused.value.status == 401
