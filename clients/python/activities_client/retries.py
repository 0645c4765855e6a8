"""Retries: a request is repeated when the API asks for it, or when its answer was lost and it has a key."""

import asyncio
import json
import random
import time
from dataclasses import dataclass

import httpx

PASSING = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})
"""The statuses after which the same request is to be sent again."""
_ALWAYS_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_KEYS = frozenset({"idempotency_key", "claim_id", "operation_id", "lease_token", "activities"})
"""The members of a body by which the API recognizes a repetition; each item of `activities` has a key."""


@dataclass(frozen=True)
class Retries:
    """The number of attempts, and the longest wait between two of them.

    An answer that asks for a longer wait is returned as it is.
    """

    attempts: int = 5
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60

    def wait_after(self, attempt: int, retry_after: str | None) -> float:
        """Return the seconds to wait after an attempt, from 1: those that the API names, or a growing random time."""
        if retry_after is not None and retry_after.isdigit():
            return int(retry_after)
        longest = min(self.first_wait_seconds * 2 ** (attempt - 1), self.longest_wait_seconds)
        return random.uniform(longest / 2, longest)  # noqa: S311 - it spreads callers, it hides nothing


def is_repeatable(request: httpx.Request) -> bool:
    """Return True if the request may be sent again although the first may have been carried out."""
    return request.method in _ALWAYS_REPEATABLE or "Idempotency-Key" in request.headers or _has_key(request)


def _has_key(request: httpx.Request) -> bool:
    """Return True if the body has a member by which the API recognizes a repetition."""
    if request.headers.get("Content-Type") != "application/json" or not _is_in_memory(request):
        return False
    body = json.loads(request.read())
    return isinstance(body, dict) and any(body.get(key) for key in _KEYS)


def _is_in_memory(request: httpx.Request) -> bool:
    """Return True if the whole body is there; one from a generator can't be sent a second time."""
    return isinstance(request.stream, httpx.ByteStream)


class RetryingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Send requests by other transports, by default httpx's, and repeat them within the limits of `Retries`."""

    def __init__(
        self,
        retries: Retries,
        transport: httpx.BaseTransport | None = None,
        async_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._retries = retries
        self._transport = transport or httpx.HTTPTransport()
        self._async_transport = async_transport or httpx.AsyncHTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its answer is final."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._transport.handle_request(request)
            except httpx.TransportError as failure:
                wait = self._wait_after_failure(attempt, request, failure)
            else:
                asked = self._wait_after_answer(attempt, request, response)
                if asked is None:
                    return response
                response.read()
                response.close()
                wait = asked
            time.sleep(wait)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its answer is final."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = await self._async_transport.handle_async_request(request)
            except httpx.TransportError as failure:
                wait = self._wait_after_failure(attempt, request, failure)
            else:
                asked = self._wait_after_answer(attempt, request, response)
                if asked is None:
                    return response
                await response.aread()
                await response.aclose()
                wait = asked
            await asyncio.sleep(wait)

    def _wait_after_answer(self, attempt: int, request: httpx.Request, response: httpx.Response) -> float | None:
        """Return the seconds to wait before the next attempt, or None if this answer is final."""
        if response.status_code not in PASSING or attempt >= self._retries.attempts or not _is_in_memory(request):
            return None
        wait = self._retries.wait_after(attempt, response.headers.get("Retry-After"))
        return wait if wait <= self._retries.longest_wait_seconds else None

    def _wait_after_failure(self, attempt: int, request: httpx.Request, failure: httpx.TransportError) -> float:
        """Return the seconds to wait before the next attempt; raise the failure if there is none."""
        was_sent = not isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout)
        can_repeat = _is_in_memory(request) and (not was_sent or is_repeatable(request))
        if attempt >= self._retries.attempts or not can_repeat:
            raise failure
        return self._retries.wait_after(attempt, None)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._async_transport.aclose()
