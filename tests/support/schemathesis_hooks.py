"""Teach Schemathesis to send lines; its command line loads this file by SCHEMATHESIS_HOOKS."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: schemathesis.SerializationContext, body: Any) -> bytes:
    """Send a text as it is, and any other value as one line of JSON."""
    return body.encode(errors="surrogatepass") if isinstance(body, str) else json.dumps(body).encode() + b"\n"
