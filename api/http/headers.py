"""The headers of answers, as the OpenAPI document describes them."""

from typing import Any

HEADERS = {
    "X-Request-Id": ("The request's id: the caller's own `X-Request-Id`, else a new one. The log has it.", "string"),
    "RateLimit-Policy": ('The limits in force, as in `"requests";q=400;w=1`: 400 in windows of a second.', "string"),
    "RateLimit": ('What is left of each limit, as in `"requests";r=399;t=1`: all of it is back in a second.', "string"),
    "Retry-After": ("The seconds to wait before the request is sent again.", "integer"),
    "ETag": ("The version of the activity. Send it as `If-Match` with a change.", "string"),
    "Location": ("The path of the activity or operation that the answer is about.", "string"),
    "Link": ('The next page, as `<path>; rel="next"`. Absent on the last page.', "string"),
    "WWW-Authenticate": ("The kind of credential that is needed, and what is wrong with the one sent.", "string"),
}
"""Each header's description, and the type of its value."""


def describe_headers() -> dict[str, Any]:
    """Return the headers as components of the OpenAPI document."""
    return {
        name: {"description": description, "schema": {"type": type_}} for name, (description, type_) in HEADERS.items()
    }


def with_headers(*names: str) -> dict[str, Any]:
    """Return the part of an OpenAPI response that declares these headers."""
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def headers_of(status: int, *, needs_credential: bool) -> tuple[str, ...]:
    """Return the headers of every answer with this status."""
    extra = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    is_counted = needs_credential and status not in {401, 403, 431, 500, 503}
    return ("X-Request-Id", *(("RateLimit-Policy", "RateLimit") if is_counted else ()), *extra)
