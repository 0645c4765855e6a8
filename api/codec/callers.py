"""The dependencies that admit callers of the codec server: a token, or the cookie of a session."""

from typing import Annotated
from urllib.parse import parse_qsl

import structlog
from fastapi import Depends, Request

from api.codec.sessions import open_session
from api.http.auth import DeploymentPermission
from api.http.bodies import media_type, read_content
from api.http.dependencies import Opened, Resources, bind_place, require_one_credential
from api.http.errors import PermissionDenied, Unauthenticated
from runs.payloads import keys_of

COOKIE = "codec_session"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 16 * 1024
"""Bytes of a form, which is parsed before its sender is known: a token of 4 KB needs them if all are escaped."""
_BEARER = "bearer "


async def identify_for_session(request: Request, opened: Opened) -> str:
    """Return the subject of the token in the header, or in the form that `GET /codec/session` shows."""
    bind_place(request)
    if "authorization" not in request.headers and media_type(request) == FORM:
        return await _verify(opened, _parse_form(await read_content(request, FORM_BYTES)))
    return await _verify(opened, _read_token(request))


def _parse_form(content: bytes) -> str:
    """Return the token of a form, which has no other field."""
    try:
        ((name, token),) = parse_qsl(content.decode("ascii", "replace"), max_num_fields=1)
    except ValueError:
        name = token = ""
    return token.strip() if name == "token" else ""


async def identify(request: Request, opened: Opened) -> str:
    """Return the subject of a token, or of a session if the request has no token."""
    bind_place(request)
    cookie = request.cookies.get(COOKIE)
    if "authorization" in request.headers or cookie is None:
        return await _verify(opened, _read_token(request))
    _require_allowed_origin(request, opened)
    keys = keys_of(opened.temporal)
    session = open_session(keys, cookie) if keys else None
    if session is None:
        raise Unauthenticated("The session has ended: begin one at /codec/session.", challenge="Bearer")
    structlog.contextvars.bind_contextvars(actor=session.subject)
    return session.subject


def _read_token(request: Request) -> str:
    require_one_credential(request)
    lines = request.headers.getlist("authorization")
    if len(lines) != 1 or not lines[0].lower().startswith(_BEARER):
        raise Unauthenticated("Send `Authorization: Bearer <token>` once.", challenge="Bearer")
    return lines[0][len(_BEARER) :].strip()


async def _verify(opened: Resources, token: str) -> str:
    """Return the subject of a token that may decode payloads.

    Raises:
        Unauthenticated: the token is not valid.
        PermissionDenied: the token lacks the permission for the deployment.
    """
    claims = await opened.authenticator.verify(token)
    if DeploymentPermission.DECODE_PAYLOADS not in claims.deployment:
        raise PermissionDenied(
            f"The token's claim `deployment` lacks the permission {DeploymentPermission.DECODE_PAYLOADS}, which no"
            " tenant can grant."
        )
    structlog.contextvars.bind_contextvars(actor=claims.sub)
    return claims.sub


def _require_allowed_origin(request: Request, opened: Resources) -> None:
    """Refuse a page of another origin: a browser sends the cookie to every port of the host."""
    origin = request.headers.get("origin")
    if origin is not None and origin != opened.codec_allowed_origin:
        raise PermissionDenied("Pages of this origin may not use the session: see CODEC_ALLOWED_ORIGIN.")


CanSignIn = Annotated[str, Depends(identify_for_session)]
CanDecode = Annotated[str, Depends(identify)]
