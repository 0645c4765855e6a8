"""Teach Schemathesis to send lines, and to send again; its command line loads this file by SCHEMATHESIS_HOOKS."""

import json
from typing import Any

import requests
import schemathesis
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


class PatientAdapter(HTTPAdapter):
    """Send a request again while its answer is 503, as the other callers of the shared service do."""

    def __init__(self) -> None:
        super().__init__(
            max_retries=Retry(
                total=20,
                status_forcelist=[503],
                allowed_methods=None,
                backoff_factor=0.1,
                backoff_max=2,
                respect_retry_after_header=False,
                raise_on_status=False,
            )
        )


requests.sessions.HTTPAdapter = PatientAdapter  # type: ignore[attr-defined, assignment] # every session has it


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: schemathesis.SerializationContext, body: Any) -> bytes:
    """Send a text as it is, and any other value as one line of JSON."""
    return body.encode(errors="surrogatepass") if isinstance(body, str) else json.dumps(body).encode() + b"\n"
