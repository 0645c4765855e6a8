from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.commerce_user_read import CommerceUserRead
from ...models.problem_read import ProblemRead
from ...models.role_create import RoleCreate
from ...types import Response


def _get_kwargs(
    commerce_id: UUID,
    user_id: UUID,
    *,
    body: RoleCreate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/commerces/{commerce_id}/users/{user_id}/roles".format(
            commerce_id=quote(str(commerce_id), safe=""),
            user_id=quote(str(user_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CommerceUserRead | ProblemRead | None:
    if response.status_code == 201:
        response_201 = CommerceUserRead.from_dict(response.json())

        return response_201

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
) -> Response[CommerceUserRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    commerce_id: UUID,
    user_id: UUID,
    *,
    client: AuthenticatedClient,
    body: RoleCreate,
) -> Response[CommerceUserRead | ProblemRead]:
    """Add role

     Give a user a role. It is no error if the user has it already.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        body (RoleCreate): A role to give to a user.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommerceUserRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        user_id=user_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    commerce_id: UUID,
    user_id: UUID,
    *,
    client: AuthenticatedClient,
    body: RoleCreate,
) -> CommerceUserRead | ProblemRead | None:
    """Add role

     Give a user a role. It is no error if the user has it already.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        body (RoleCreate): A role to give to a user.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommerceUserRead | ProblemRead
    """

    return sync_detailed(
        commerce_id=commerce_id,
        user_id=user_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    commerce_id: UUID,
    user_id: UUID,
    *,
    client: AuthenticatedClient,
    body: RoleCreate,
) -> Response[CommerceUserRead | ProblemRead]:
    """Add role

     Give a user a role. It is no error if the user has it already.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        body (RoleCreate): A role to give to a user.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommerceUserRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        user_id=user_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    commerce_id: UUID,
    user_id: UUID,
    *,
    client: AuthenticatedClient,
    body: RoleCreate,
) -> CommerceUserRead | ProblemRead | None:
    """Add role

     Give a user a role. It is no error if the user has it already.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        body (RoleCreate): A role to give to a user.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommerceUserRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            commerce_id=commerce_id,
            user_id=user_id,
            client=client,
            body=body,
        )
    ).parsed
