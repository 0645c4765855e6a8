from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.dispatch_settings_read import DispatchSettingsRead
from ...models.dispatch_settings_update import DispatchSettingsUpdate
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    *,
    body: DispatchSettingsUpdate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/api/activity-config/dispatch",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DispatchSettingsRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = DispatchSettingsRead.from_dict(response.json())

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
) -> Response[DispatchSettingsRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: DispatchSettingsUpdate,
) -> Response[DispatchSettingsRead | ProblemRead]:
    """Put dispatch settings

     Replace the tenant's settings. They also apply to activities that executors hold already.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (DispatchSettingsUpdate): The new settings. They also apply to activities that
            executors hold already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DispatchSettingsRead | ProblemRead]
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
    body: DispatchSettingsUpdate,
) -> DispatchSettingsRead | ProblemRead | None:
    """Put dispatch settings

     Replace the tenant's settings. They also apply to activities that executors hold already.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (DispatchSettingsUpdate): The new settings. They also apply to activities that
            executors hold already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DispatchSettingsRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: DispatchSettingsUpdate,
) -> Response[DispatchSettingsRead | ProblemRead]:
    """Put dispatch settings

     Replace the tenant's settings. They also apply to activities that executors hold already.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (DispatchSettingsUpdate): The new settings. They also apply to activities that
            executors hold already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DispatchSettingsRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: DispatchSettingsUpdate,
) -> DispatchSettingsRead | ProblemRead | None:
    """Put dispatch settings

     Replace the tenant's settings. They also apply to activities that executors hold already.

    Permission: `MANAGE_ACTIVITY_CONFIG`.

    Args:
        body (DispatchSettingsUpdate): The new settings. They also apply to activities that
            executors hold already.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DispatchSettingsRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
