from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.attribute_key_create import AttributeKeyCreate
from ...models.attribute_key_read import AttributeKeyRead
from ...models.limit_reached_read import LimitReachedRead
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    *,
    body: AttributeKeyCreate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/activity-config/attribute-keys",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead | None:
    if response.status_code == 201:
        response_201 = AttributeKeyRead.from_dict(response.json())

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

    if response.status_code == 408:
        response_408 = ProblemRead.from_dict(response.json())

        return response_408

    if response.status_code == 409:

        def _parse_response_409(data: object) -> LimitReachedRead | ProblemRead:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_409_type_0 = ProblemRead.from_dict(data)

                return response_409_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_409_type_1 = LimitReachedRead.from_dict(data)

            return response_409_type_1

        response_409 = _parse_response_409(response.json())

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
) -> Response[AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: AttributeKeyCreate,
) -> Response[AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead]:
    """Create attribute key

     Add an attribute key. Requests may then ask for its value or provide it.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (AttributeKeyCreate): A new attribute key.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: AttributeKeyCreate,
) -> AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead | None:
    """Create attribute key

     Add an attribute key. Requests may then ask for its value or provide it.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (AttributeKeyCreate): A new attribute key.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: AttributeKeyCreate,
) -> Response[AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead]:
    """Create attribute key

     Add an attribute key. Requests may then ask for its value or provide it.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (AttributeKeyCreate): A new attribute key.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: AttributeKeyCreate,
) -> AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead | None:
    """Create attribute key

     Add an attribute key. Requests may then ask for its value or provide it.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (AttributeKeyCreate): A new attribute key.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttributeKeyRead | LimitReachedRead | ProblemRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
