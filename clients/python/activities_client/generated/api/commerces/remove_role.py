from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem_read import ProblemRead
from ...models.role import Role
from ...types import Response


def _get_kwargs(
    commerce_id: UUID,
    user_id: UUID,
    role: Role,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/api/commerces/{commerce_id}/users/{user_id}/roles/{role}".format(
            commerce_id=quote(str(commerce_id), safe=""),
            user_id=quote(str(user_id), safe=""),
            role=quote(str(role), safe=""),
        ),
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | ProblemRead | None:
    if response.status_code == 204:
        response_204 = cast(Any, None)
        return response_204

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Any | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    commerce_id: UUID,
    user_id: UUID,
    role: Role,
    *,
    client: AuthenticatedClient,
) -> Response[Any | ProblemRead]:
    """Remove role

     Remove a role from a user. It is no error if the user doesn't have it.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        role (Role): The role of a commerce user; one user may have several.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        user_id=user_id,
        role=role,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    commerce_id: UUID,
    user_id: UUID,
    role: Role,
    *,
    client: AuthenticatedClient,
) -> Any | ProblemRead | None:
    """Remove role

     Remove a role from a user. It is no error if the user doesn't have it.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        role (Role): The role of a commerce user; one user may have several.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemRead
    """

    return sync_detailed(
        commerce_id=commerce_id,
        user_id=user_id,
        role=role,
        client=client,
    ).parsed


async def asyncio_detailed(
    commerce_id: UUID,
    user_id: UUID,
    role: Role,
    *,
    client: AuthenticatedClient,
) -> Response[Any | ProblemRead]:
    """Remove role

     Remove a role from a user. It is no error if the user doesn't have it.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        role (Role): The role of a commerce user; one user may have several.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        user_id=user_id,
        role=role,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    commerce_id: UUID,
    user_id: UUID,
    role: Role,
    *,
    client: AuthenticatedClient,
) -> Any | ProblemRead | None:
    """Remove role

     Remove a role from a user. It is no error if the user doesn't have it.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        user_id (UUID):
        role (Role): The role of a commerce user; one user may have several.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ProblemRead
    """

    return (
        await asyncio_detailed(
            commerce_id=commerce_id,
            user_id=user_id,
            role=role,
            client=client,
        )
    ).parsed
