"""The connection to the API, with the credentials and the retries."""

from uuid import UUID

import httpx

from activities_client.generated.client import AuthenticatedClient
from activities_client.retries import Retries, RetryingTransport

TIMEOUT_SECONDS = 60
"""Longer than a claim waits for an activity to become due."""


def connect(
    base_url: str,
    *,
    token: str | None = None,
    api_key: str | None = None,
    tenant_id: UUID | str | None = None,
    retries: Retries | None = None,
) -> AuthenticatedClient:
    """Return a client, which the operations of `generated.api` take.

    The proxies of the environment aren't used: with a proxy, or with certificates of your own, build an
    `AuthenticatedClient` over a `RetryingTransport` yourself.

    Args:
        base_url: the address of the API, without a path.
        token: a token of the issuer; it needs the tenant's id.
        api_key: an API key in place of a token. It knows its tenant.
        tenant_id: sent as `x-tenant-id` with every request.
        retries: the default repeats for at most five attempts.

    Raises:
        ValueError: there is neither a token nor a key, or both.

    """
    if (token is None) == (api_key is None):
        message = "Give a token or an API key, and not both."
        raise ValueError(message)
    return AuthenticatedClient(
        base_url=base_url.rstrip("/"),
        token=token or api_key or "",
        auth_header_name="Authorization" if token else "x-api-key",
        prefix="Bearer" if token else "",
        headers={} if tenant_id is None else {"x-tenant-id": str(tenant_id)},
        timeout=httpx.Timeout(TIMEOUT_SECONDS),
        httpx_args={"transport": RetryingTransport(retries or Retries())},
    )
