"""/codec: decode and encode payloads as Temporal's web UI and command line ask for it, and begin sessions.

These calls aren't in the OpenAPI document: their form is Temporal's, and their callers are its programs.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import AfterValidator, BaseModel
from temporalio.api.common.v1 import Payload

from api.codec.callers import COOKIE, FORM, CanDecode, CanSignIn
from api.codec.sessions import LIFETIME_SECONDS, seal_session
from api.http.bodies import BULK_BODY_BYTES, JsonBody, media_type
from api.http.dependencies import Opened, Resources
from api.http.errors import NotFound
from runs.encryption import Encryption
from runs.key_ring import KeyRing
from runs.payloads import UnreadablePayloadError, keys_of

router = APIRouter(prefix="/codec", include_in_schema=False)
log = structlog.get_logger(__name__)

VALUES = 500_000
"""A history's payloads at once are far fewer; each has some five values."""

SIGN_IN = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in to the codec server</title>
<h1>Sign in to the codec server</h1>
<p>A token with the deployment's permission DECODE_PAYLOADS lets Temporal's web UI in this browser show decoded texts
for eight hours.</p>
<form method="post">
<label>Token <input name="token" type="password" autocomplete="off" required autofocus></label>
<button>Sign in</button>
</form>
</html>
"""


SIGNED_IN = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Signed in</title>
<p>Temporal's web UI in this browser shows decoded texts for eight hours.</p>
</html>
"""


def check_base64(text: str) -> str:
    """Require a text that is base64 as a whole."""
    try:
        b64decode(text, validate=True)
    except ValueError:
        msg = "must be base64"
        raise ValueError(msg) from None
    return text


Base64 = Annotated[str, AfterValidator(check_base64)]


class PayloadBody(BaseModel):
    """A payload as Temporal's API writes it in JSON; members of later versions are ignored."""

    metadata: dict[str, Base64] = {}
    data: Base64 = ""

    @property
    def payload(self) -> Payload:
        """Return the payload."""
        metadata = {name: b64decode(value) for name, value in self.metadata.items()}
        return Payload(metadata=metadata, data=b64decode(self.data))


class PayloadsBody(BaseModel):
    """Payloads; other members are ignored, and so is the query, to which the web UI adds `preserveStorageRefs`."""

    payloads: list[PayloadBody] = []


Body = Annotated[PayloadsBody, Depends(JsonBody(PayloadsBody, BULK_BODY_BYTES, VALUES))]


@router.post("/decode")
async def decode_payloads(subject: CanDecode, opened: Opened, body: Body) -> Response:
    """Decrypt payloads. One that is not encrypted, or can't be decrypted with the keys of today, stays as it is."""
    return await _convert(opened, subject, body, "payloads decoded", _decrypt_if_possible)


@router.post("/encode")
async def encode_payloads(subject: CanDecode, opened: Opened, body: Body) -> Response:
    """Encrypt payloads with the first key, as the service encrypts its own."""
    return await _convert(opened, subject, body, "payloads encoded", Encryption.encrypt)


@router.get("/session")
async def show_sign_in() -> HTMLResponse:
    """Show the form that begins a session in a browser."""
    policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(SIGN_IN, headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})


@router.post("/session", status_code=HTTPStatus.NO_CONTENT)
async def begin_session(request: Request, subject: CanSignIn, opened: Opened) -> Response:
    """Begin a session of eight hours, in a cookie for `/codec` that scripts can't read."""
    is_form = media_type(request) == FORM
    answer = HTMLResponse(SIGNED_IN) if is_form else Response(status_code=HTTPStatus.NO_CONTENT)
    answer.set_cookie(
        COOKIE,
        seal_session(_require_keys(opened), subject),
        max_age=LIFETIME_SECONDS,
        path="/codec",
        secure=(opened.codec_allowed_origin or "").startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    log.info("codec session begun", subject=subject)
    return answer


def _require_keys(opened: Resources) -> KeyRing:
    keys = keys_of(opened.temporal)
    if keys is None:
        raise NotFound("This deployment encrypts no payloads: PAYLOAD_ENCRYPTION_KEYS is not set.")
    return keys


async def _convert(
    opened: Resources, subject: str, body: PayloadsBody, event: str, convert: Callable[[Encryption, Payload], Payload]
) -> Response:
    """Convert the payloads, and log who has asked for how many; without keys they stay as they are.

    A thread converts them, from which the event loop takes the interpreter: 50,000 take a second.
    """
    codec = opened.temporal.data_converter.payload_codec

    def convert_all() -> bytes:
        payloads = (one.payload for one in body.payloads)
        converted = (convert(codec, one) for one in payloads) if isinstance(codec, Encryption) else payloads
        return b'{"payloads":[' + b",".join(map(_write, converted)) + b"]}"

    content = await asyncio.to_thread(convert_all)
    log.info(event, subject=subject, count=len(body.payloads))
    return Response(content, media_type="application/json")


def _write(payload: Payload) -> bytes:
    metadata = {name: b64encode(value).decode() for name, value in payload.metadata.items()}
    return json.dumps({"metadata": metadata, "data": b64encode(payload.data).decode()}).encode()


def _decrypt_if_possible(encryption: Encryption, payload: Payload) -> Payload:
    try:
        return encryption.decrypt(payload)
    except UnreadablePayloadError:
        return payload
