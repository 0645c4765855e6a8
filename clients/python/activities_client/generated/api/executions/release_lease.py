from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.lease_read import LeaseRead
from ...models.lease_release import LeaseRelease
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    lease_token: UUID,
    *,
    body: LeaseRelease,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/executions/{lease_token}/release".format(
            lease_token=quote(str(lease_token), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> LeaseRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = LeaseRead.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ProblemRead.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ProblemRead.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ProblemRead.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = ProblemRead.from_dict(response.json())

        return response_404

    if response.status_code == 408:
        response_408 = ProblemRead.from_dict(response.json())

        return response_408

    if response.status_code == 409:
        response_409 = ProblemRead.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = ProblemRead.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = ProblemRead.from_dict(response.json())

        return response_415

    if response.status_code == 429:
        response_429 = ProblemRead.from_dict(response.json())

        return response_429

    if response.status_code == 431:
        response_431 = ProblemRead.from_dict(response.json())

        return response_431

    if response.status_code == 500:
        response_500 = ProblemRead.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = ProblemRead.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[LeaseRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    lease_token: UUID,
    *,
    client: AuthenticatedClient,
    body: LeaseRelease,
) -> Response[LeaseRead | ProblemRead]:
    """Release lease

     Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        lease_token (UUID):
        body (LeaseRelease): The release of a lease, with the executor's reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[LeaseRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        lease_token=lease_token,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    lease_token: UUID,
    *,
    client: AuthenticatedClient,
    body: LeaseRelease,
) -> LeaseRead | ProblemRead | None:
    """Release lease

     Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        lease_token (UUID):
        body (LeaseRelease): The release of a lease, with the executor's reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        LeaseRead | ProblemRead
    """

    return sync_detailed(
        lease_token=lease_token,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    lease_token: UUID,
    *,
    client: AuthenticatedClient,
    body: LeaseRelease,
) -> Response[LeaseRead | ProblemRead]:
    """Release lease

     Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        lease_token (UUID):
        body (LeaseRelease): The release of a lease, with the executor's reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[LeaseRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        lease_token=lease_token,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    lease_token: UUID,
    *,
    client: AuthenticatedClient,
    body: LeaseRelease,
) -> LeaseRead | ProblemRead | None:
    """Release lease

     Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        lease_token (UUID):
        body (LeaseRelease): The release of a lease, with the executor's reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        LeaseRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            lease_token=lease_token,
            client=client,
            body=body,
        )
    ).parsed
