"""Test the codec server: who may have payloads decoded, by which way in, and what pages of other origins get."""

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from api.codec.callers import COOKIE, FORM_BYTES
from api.codec.sessions import LIFETIME_SECONDS, open_session, seal_session
from embedded.postgres import Postgres
from runs.encryption import NONCE, Encryption
from runs.payloads import read_key_id
from tests.integration.http.test_response_headers import assert_protected
from tests.support.encryption import NEW_RING, OLD_RING, with_keys
from tests.support.service import KEY, Service, http_client, running_service
from tests.support.worlds import new_database

UI = "https://temporal.example"
SHOP = "https://shop.example"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Monthly promotion"')
ENCRYPTED = Encryption(NEW_RING).encrypt(PLAIN)


@pytest.fixture
async def codec(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """Run an API with a key, without a worker."""
    client = await with_keys(temporal, NEW_RING)
    async with running_service(new_database(postgres), client, work=False, codec_allowed_origin=UI) as service:
        yield service


def bearer(*deployment: str, subject: str = "operator") -> dict[str, str]:
    """Return the header of a token that names no tenant."""
    token = KEY.token(subject, {}, timedelta(hours=1), deployment=deployment)
    return {"Authorization": f"Bearer {token}"}


MAY = ("DECODE_PAYLOADS",)


def body(*payloads: Payload) -> dict[str, object]:
    return {"payloads": [MessageToDict(payload) for payload in payloads]}


def payloads_of(answer: httpx.Response) -> list[Payload]:
    assert answer.status_code == 200, answer.text
    return [ParseDict(one, Payload()) for one in answer.json()["payloads"]]


async def test_a_token_for_the_deployment_has_payloads_decoded_and_is_logged(codec: Service, log: StringIO) -> None:
    foreign, empty = Encryption(OLD_RING).encrypt(PLAIN), Payload(metadata={"encoding": b"binary/null"})
    sent = [ENCRYPTED, PLAIN, foreign, empty, ENCRYPTED]
    async with http_client(codec.url) as http:
        answer = await http.post(
            "/codec/decode?preserveStorageRefs=true",
            json=body(*sent),
            headers=bearer(*MAY, subject="maria") | {"X-Namespace": "default"},
        )
    assert payloads_of(answer) == [PLAIN, PLAIN, foreign, empty, PLAIN]
    (line,) = [json.loads(one) for one in log.getvalue().splitlines() if "payloads decoded" in one]
    assert (line["subject"], line["count"]) == ("maria", 5)
    assert (line["actor"], line["route"]) == ("maria", "/codec/decode")
    assert "Monthly promotion" not in log.getvalue()


async def test_payloads_are_encoded_with_the_first_key(codec: Service, log: StringIO) -> None:
    async with http_client(codec.url, bearer(*MAY)) as http:
        (encoded,) = payloads_of(await http.post("/codec/encode", json=body(PLAIN)))
    assert read_key_id(encoded) == "new2"
    assert Encryption(NEW_RING).decrypt(encoded) == PLAIN
    assert '"count": 1' in log.getvalue()


@pytest.mark.parametrize("path", ["decode", "encode", "session"])
async def test_no_tenant_can_grant_the_permission(codec: Service, path: str) -> None:
    tenant = uuid4()
    token = KEY.token("maria", {tenant: ["DECODE_PAYLOADS", "OPERATE"]}, timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant)}
    async with http_client(codec.url) as http:
        refused = await http.post(f"/codec/{path}", json=body(ENCRYPTED), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        other = await http.post(f"/codec/{path}", json=body(ENCRYPTED), headers=bearer("OPERATE"))
        assert other.status_code == 403
        without = await http.post(f"/codec/{path}", json=body(ENCRYPTED))
        assert (without.status_code, without.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["decode", "encode", "session"])
async def test_a_token_beside_an_api_key_is_refused(codec: Service, path: str) -> None:
    async with http_client(codec.url, bearer(*MAY) | {"x-api-key": "rtn_sk_nonsense"}) as http:
        refused = await http.post(f"/codec/{path}", json=body(ENCRYPTED))
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (
        400,
        ["/header/authorization", "/header/x-api-key"],
    )


async def test_a_permission_for_the_deployment_is_none_in_a_tenant(codec: Service) -> None:
    tenant = await codec.tenant()
    token = KEY.token("maria", {tenant.id: []}, timedelta(hours=1), deployment=["VIEW_ACTIVITIES", "DECODE_PAYLOADS"])
    headers = {"Authorization": f"Bearer {token}", "x-tenant-id": str(tenant.id)}
    async with http_client(codec.url, headers) as http:
        assert (await http.get("/api/activities")).status_code == 403


async def test_a_session_is_a_way_in_for_eight_hours(codec: Service, log: StringIO) -> None:
    async with http_client(codec.url) as http:
        begun = await http.post("/codec/session", headers=bearer(*MAY, subject="maria"))
        assert begun.status_code == 204
        name_and_value, *attributes = begun.headers["Set-Cookie"].split("; ")
        assert set(attributes) == {"HttpOnly", "Max-Age=28800", "Path=/codec", "SameSite=strict", "Secure"}
        name, _, value = name_and_value.partition("=")
        cookie = {"Cookie": f"{name}={value}"}
        answer = await http.post("/codec/decode", json=body(ENCRYPTED), headers=cookie | {"Origin": UI})
        assert payloads_of(answer) == [PLAIN]
        assert (await http.post("/codec/decode", json=body(ENCRYPTED), headers=cookie)).status_code == 200
        again = await http.post("/codec/session", headers=cookie)
        assert again.status_code == 401
        for wrong in ("https://evil.example", "null", "http://temporal.example"):
            refused = await http.post("/codec/decode", json=body(ENCRYPTED), headers=cookie | {"Origin": wrong})
            assert refused.status_code == 403
        wrong_token = await http.post("/codec/decode", json=body(), headers=cookie | {"Authorization": "Bearer x"})
        assert wrong_token.status_code == 401
    decoded = [json.loads(one) for one in log.getvalue().splitlines() if "payloads decoded" in one]
    assert [one["subject"] for one in decoded] == ["maria", "maria"]


async def test_a_browser_begins_a_session_by_a_form(codec: Service) -> None:
    token = bearer(*MAY)["Authorization"].removeprefix("Bearer ")
    async with http_client(codec.url) as http:
        form = await http.get("/codec/session")
        assert (form.status_code, 'name="token"' in form.text) == (200, True)
        assert form.headers["Content-Security-Policy"].startswith("default-src 'none'")
        begun = await http.post("/codec/session", data={"token": f" {token}\r\n"})
        assert (begun.status_code, "decoded texts for eight hours" in begun.text) == (200, True)
        assert COOKIE in begun.headers["Set-Cookie"]
        for wrong in ({"token": "x"}, {}, {"tokens": token}, {"token": token, "more": "x"}, {"token": [token, token]}):
            assert (await http.post("/codec/session", data=wrong)).status_code == 401
        longest = {"token": f"{token}{' ' * (FORM_BYTES - len(token) - len('token='))}"}
        assert (await http.post("/codec/session", data=longest)).status_code == 200
        longer = {"token": longest["token"] + " "}
        assert (await http.post("/codec/session", data=longer)).status_code == 413


def seal(session: dict[str, object], use: bytes = b"codec session") -> str:
    """Write a cookie as the service does."""
    sealed = AESGCM(NEW_RING.keys["new2"]).encrypt(bytes(12), json.dumps(session).encode(), use)
    return "new2:" + urlsafe_b64encode(bytes(12) + sealed).decode()


@pytest.mark.parametrize(
    "cookie",
    [
        seal({"subject": "maria", "ends_at": time.time() - 1}),
        seal({"subject": "maria"}),
        seal({"subject": "maria", "ends_at": time.time() + 60}, use=b"binary/encrypted"),
        seal_session(OLD_RING, "maria"),
        "new2:" + urlsafe_b64encode(ENCRYPTED.metadata[NONCE] + ENCRYPTED.data).decode(),
        seal_session(NEW_RING, "maria")[:-6],
        "new2:",
        "new2",
        "",
        "new2:%%%",
        "new2:é",
    ],
    ids=["ended", "endless", "other use", "old key", "payload", "cut", "empty", "id alone", "nothing", "odd", "accent"],
)
def test_a_cookie_that_the_service_has_not_written_for_now_opens_nothing(cookie: str) -> None:
    assert open_session(NEW_RING, cookie) is None


def test_a_session_names_its_subject_until_its_end() -> None:
    session = open_session(NEW_RING, seal_session(NEW_RING, "maría"))
    assert session is not None
    assert session.subject == "maría"
    assert 0 < session.ends_at - time.time() <= LIFETIME_SECONDS


@pytest.mark.parametrize("origins", [[], [SHOP]], ids=["no origins of the API", "a shop's pages"])
async def test_pages_of_the_web_ui_alone_may_read_answers(codec: Service, origins: list[str]) -> None:
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,authorization-extras,content-type,x-namespace",
    }
    async with (
        codec.beside(origins=origins, codec_allowed_origin=UI) as beside,
        http_client(beside.url) as http,
    ):
        allowed = await http.options("/codec/decode", headers=preflight | {"Origin": UI})
        assert allowed.status_code == 200
        assert_protected(allowed)
        assert allowed.headers["Access-Control-Allow-Origin"] == UI
        assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
        for origin in ("https://evil.example", "https://temporal.example.evil", "null", SHOP):
            refused = await http.options("/codec/decode", headers=preflight | {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in refused.headers
            assert_protected(refused)
            answer = await http.post("/codec/decode", json=body(), headers=bearer(*MAY) | {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in answer.headers
        for headers, status in ((bearer(*MAY), 200), ({}, 401)):
            answer = await http.post("/codec/decode", json=body(), headers=headers | {"Origin": UI})
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, UI)
            assert "Origin" in answer.headers["Vary"]
        elsewhere = await http.get("/health/live", headers={"Origin": UI})
        assert "Access-Control-Allow-Origin" not in elsewhere.headers


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}", 200),
        (b'{"payloads": [], "more": 1}', 200),
        (b"[]", 400),
        (b"nonsense", 400),
        (b"\xff", 400),
        (b'{"payloads": [{"data": "%"}]}', 400),
        (b'{"payloads": [{"metadata": {"encoding": 5}}]}', 400),
        (b'{"payloads": {}}', 400),
        (b'{"payloads": ' + b"[" * 100_000, 400),
        (b'{"more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (json.dumps(body(*[PLAIN] * 5000)).encode(), 200),
        (b'{"payloads": [{"data": "' + b64encode(bytes(7 * 1024 * 1024)) + b'"}]}', 413),
    ],
    ids=range(12),
)
async def test_a_body_is_payloads_in_json(codec: Service, content: bytes, status: int) -> None:
    headers = bearer(*MAY) | {"Content-Type": "application/json"}
    async with http_client(codec.url, headers) as http:
        answer = await http.post("/codec/decode", content=content)
        assert answer.status_code == status, answer.text


async def test_without_keys_payloads_stay_as_they_are_and_no_session_begins(service: Service) -> None:
    async with service.caller(bearer(*MAY)) as http:
        for path in ("decode", "encode"):
            assert payloads_of(await http.post(f"/codec/{path}", json=body(PLAIN, ENCRYPTED))) == [PLAIN, ENCRYPTED]
        refused = await http.post("/codec/session")
        assert refused.status_code == 404
        assert "PAYLOAD_ENCRYPTION_KEYS is not set" in refused.json()["detail"]
    assert COOKIE not in refused.cookies
