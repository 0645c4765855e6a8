"""Test which published keys verify tokens, and what an issuer that misbehaves can do."""

import asyncio
import gzip
import json
import math
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from api.http.auth import Authenticator
from api.http.errors import Problem, Unauthenticated, Unavailable
from api.http.jwks import DOCUMENT_BYTES, KEYS, read_keys, require_protected
from tests.support.issuer import Issuer, answering, published
from tests.support.programs import run_program
from tests.support.tcp import send_repeatedly
from tests.unit.test_auth import AUDIENCE, ISSUER, hand_made, pem, token, with_jwks
from tests.unit.test_auth import KEYS as SIGNING_KEYS

GOOD = [published(key, kid) for kid, key in SIGNING_KEYS.items()]
RSA = published(SIGNING_KEYS["RS256"], "odd")
WEAK_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused
UNUSABLE: list[Any] = [
    None,
    5,
    "text",
    [],
    {},
    {"kid": "odd"},
    {"kid": "odd", "kty": "oct", "k": "c2VjcmV0"},
    {"kid": "odd", "kty": "NEW", "x": "AA"},
    {"kid": "odd", "kty": "RSA"},
    RSA | {"n": 5},
    RSA | {"n": "?"},
    RSA | {"n": ""},
    RSA | {"e": None},
    RSA | {"alg": "HS256"},
    RSA | {"alg": "PS256"},
    RSA | {"alg": ["RS256"]},
    RSA | {"use": "enc"},
    RSA | {"kid": None},
    RSA | {"kid": ["odd"]},
    published(WEAK_RSA, "odd"),
    {"kid": "odd", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    published(ec.generate_private_key(ec.SECP384R1()), "odd"),
    {"kid": "odd", "kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"},
]


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "\r\n"]).encode()


@pytest.mark.parametrize("unusable", UNUSABLE, ids=map(str, range(len(UNUSABLE))))
async def test_a_key_that_can_not_be_used_is_skipped_and_the_others_are_read(unusable: Any) -> None:
    issuer = Issuer()
    issuer.answer = json.dumps({"keys": [unusable, *GOOD, unusable]}).encode()
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        for algorithm in SIGNING_KEYS:
            assert (await authenticator.verify(token(algorithm, kid=algorithm))).sub == "a-user"
        with pytest.raises(Unauthenticated, match="no key with the id"):
            await authenticator.verify(token("RS256", kid="odd"))


async def test_keys_of_different_kinds_may_share_an_id_and_each_verifies_its_own_algorithm() -> None:
    issuer = Issuer()
    issuer.answer = json.dumps({"keys": [one | {"kid": "same"} for one in GOOD]}).encode()
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        for algorithm in SIGNING_KEYS:
            assert (await authenticator.verify(token(algorithm, kid="same"))).sub == "a-user"


async def test_no_more_keys_are_read_than_an_issuer_needs() -> None:
    many = [published(SIGNING_KEYS["EdDSA"], str(number)) for number in range(KEYS + 1)]
    assert len(read_keys(json.dumps({"keys": many}).encode())) == KEYS


@pytest.mark.parametrize(
    "key",
    [
        WEAK_RSA,
        ec.generate_private_key(ec.SECP384R1()),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_a_configured_key_that_is_weak_or_of_another_kind_is_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="AUTH_PUBLIC_KEY"):
        Authenticator(ISSUER, AUDIENCE, public_key=pem(key))


def test_a_configured_text_that_is_no_key_is_refused() -> None:
    for text in ("nonsense", "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----", "é"):
        with pytest.raises(ValueError, match="AUTH_PUBLIC_KEY"):
            Authenticator(ISSUER, AUDIENCE, public_key=text)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"AUTH_JWKS_URL": "http://issuer.example/"}, "AUTH_JWKS_URL"),
        ({"AUTH_PUBLIC_KEY": pem(WEAK_RSA)}, "AUTH_PUBLIC_KEY"),
    ],
)
def test_a_process_ends_with_one_line_that_names_the_wrong_source_of_keys(source: dict[str, str], named: str) -> None:
    environment = {
        "DATABASE_URL": "postgresql+psycopg://x@127.0.0.1:1/x",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
    }
    ended = run_program("api/main.py", environment=environment | source)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(named)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.issuer.example/keys",
        "http://127.0.0.1@issuer.example/keys",
        "http://localhost.issuer.example/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::2]/",
        "http:///keys",
        "https:///keys",
        "ftp://issuer.example/",
        "file:///etc/passwd",
        "issuer.example/keys",
        "",
    ],
)
def test_a_url_that_others_can_answer_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        require_protected(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example/keys",
        "HTTPS://issuer.example",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://localhost/",
    ],
)
def test_https_and_this_machine_are_accepted(url: str) -> None:
    require_protected(url)


async def test_an_endless_document_is_read_no_further_than_the_limit() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head("Content-Type: application/json"))
        while True:
            writer.write(b" " * 65536)
            await writer.drain()
            sent += 65536

    async with answering(flood) as url:
        with pytest.raises(Unavailable):
            await with_jwks(url).verify(token(kid="EdDSA"))
    assert sent < 50 * DOCUMENT_BYTES  # what the sockets hold beside it


async def test_a_document_that_arrives_byte_by_byte_ends_with_the_deadline_of_the_whole() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head("Content-Type: application/json"))
        await send_repeatedly(writer, b" ", 0.05)

    async with answering(drip) as url:
        with pytest.raises(Unavailable):
            await with_jwks(url).verify(token(kid="EdDSA"))


async def test_a_redirect_is_not_followed() -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as elsewhere:

        async def redirect(writer: asyncio.StreamWriter) -> None:
            writer.write(head(f"Location: {elsewhere}", "Content-Length: 0", status="302 Found"))

        async with answering(redirect) as url:
            with pytest.raises(Unavailable):
                await with_jwks(url).verify(token(kid="EdDSA"))
    assert issuer.asked == 0


async def test_a_compressed_document_is_not_unpacked() -> None:
    packed = gzip.compress(json.dumps({"keys": GOOD}).encode())

    async def compress(writer: asyncio.StreamWriter) -> None:
        writer.write(head("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed)

    async with answering(compress) as url:
        with pytest.raises(Unavailable):
            await with_jwks(url).verify(token(kid="EdDSA"))


@pytest.mark.parametrize(
    "answer", [b"[" * 100_000, b'{"keys": ' + b"[" * 100_000, b"\xff", b'{"keys": null}', b'{"keys": {}}']
)
async def test_a_document_that_can_not_be_parsed_is_no_defect(answer: bytes) -> None:
    issuer = Issuer()
    issuer.answer = answer
    with issuer.publishing() as url, pytest.raises(Unavailable):
        await with_jwks(url).verify(token(kid="EdDSA"))


async def test_known_keys_go_on_while_the_issuer_is_away_until_their_time_is_over() -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as url:
        authenticator = Authenticator(ISSUER, AUDIENCE, jwks_url=url, jwks_cooldown_seconds=0, jwks_stale_seconds=100)
        await authenticator.verify(token(kid="EdDSA"))
    published = authenticator._published
    assert published is not None
    assert published._known_until - published._fresh_until == 100
    published._fresh_until = -math.inf  # as ten minutes later
    for _ in range(2):
        assert (await authenticator.verify(token(kid="EdDSA"))).sub == "a-user"
    published._known_until = -math.inf
    with pytest.raises(Unavailable):
        await authenticator.verify(token(kid="EdDSA"))


async def test_in_an_outage_only_the_requests_of_its_first_attempt_wait() -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        await authenticator.verify(token(kid="EdDSA"))
        published = authenticator._published
        assert published is not None
        published._fresh_until = -math.inf
        issuer.answer = b"out of order"
        await authenticator.verify(token(kid="EdDSA"))
        issuer.speaks.clear()
        assert (await authenticator.verify(token(kid="EdDSA"))).sub == "a-user"  # while the second attempt goes on
        async with asyncio.timeout(30):
            while issuer.asked < 3:
                await asyncio.sleep(0.01)
        issuer.speaks.set()


@pytest.mark.parametrize("left", [{"other": SIGNING_KEYS["ES256"]}, {}], ids=["one", "none"])
async def test_a_key_that_the_issuer_no_longer_publishes_verifies_nothing(left: dict[str, Any]) -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        await authenticator.verify(token(kid="EdDSA"))
        published = authenticator._published
        assert published is not None
        published._fresh_until = -math.inf  # as ten minutes later
        issuer.keys = left
        with pytest.raises(Problem):
            await authenticator.verify(token(kid="EdDSA"))


async def test_keys_and_addresses_in_a_tokens_header_are_ignored() -> None:
    issuer, attacker = Issuer(), Issuer()
    issuer.keys, own = SIGNING_KEYS, ed25519.Ed25519PrivateKey.generate()
    attacker.keys = {"EdDSA": own}
    with issuer.publishing() as url, attacker.publishing() as theirs:
        authenticator = with_jwks(url)
        for extra in (
            {"jku": theirs},
            {"x5u": theirs},
            {"jwk": published(own, "EdDSA")},
            {"crit": ["jku"], "jku": theirs},
        ):
            with pytest.raises(Unauthenticated):
                await authenticator.verify(token("EdDSA", own, "EdDSA", header=extra))
    assert attacker.asked == 0


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", "' OR 1=1", "x" * 20_000, "EdDSA\0", "eddsa", " EdDSA"])
async def test_an_odd_key_id_is_an_unknown_one(kid: str) -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as url, pytest.raises(Unauthenticated):
        await with_jwks(url).verify(token("EdDSA", header={"kid": kid}))


async def test_a_published_key_is_no_secret_that_tokens_are_signed_with() -> None:
    issuer = Issuer()
    issuer.keys = SIGNING_KEYS
    with issuer.publishing() as url:
        authenticator = with_jwks(url)
        for kid, key in SIGNING_KEYS.items():
            for algorithm in ("HS256", "none", "RS512", "ES384"):
                forged = hand_made({"alg": algorithm, "kid": kid}, pem(key).encode())
                with pytest.raises(Unauthenticated, match="must be signed with"):
                    await authenticator.verify(forged)
    assert issuer.asked == 0
