from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.pause_read import PauseRead
from ...models.pause_update import PauseUpdate
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    *,
    body: PauseUpdate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/api/activity-config/pause",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> PauseRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = PauseRead.from_dict(response.json())

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
) -> Response[PauseRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: PauseUpdate,
) -> Response[PauseRead | ProblemRead]:
    """Put pause

     Pause or resume the tenant. Pausing a paused tenant changes only the reason.

    During a pause no activity becomes DUE, and executors are given none, not even those that were DUE
    before. An
    activity whose time comes is held: it stays READY and has `heldSince`. It can still be cancelled and
    moved.
    Executors keep the activities that they have claimed.

    On resumption all held activities become DUE at one moment, with their true lateness.

    Permission: `OPERATE`.

    Args:
        body (PauseUpdate): The state that the tenant is to have.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[PauseRead | ProblemRead]
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
    body: PauseUpdate,
) -> PauseRead | ProblemRead | None:
    """Put pause

     Pause or resume the tenant. Pausing a paused tenant changes only the reason.

    During a pause no activity becomes DUE, and executors are given none, not even those that were DUE
    before. An
    activity whose time comes is held: it stays READY and has `heldSince`. It can still be cancelled and
    moved.
    Executors keep the activities that they have claimed.

    On resumption all held activities become DUE at one moment, with their true lateness.

    Permission: `OPERATE`.

    Args:
        body (PauseUpdate): The state that the tenant is to have.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        PauseRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: PauseUpdate,
) -> Response[PauseRead | ProblemRead]:
    """Put pause

     Pause or resume the tenant. Pausing a paused tenant changes only the reason.

    During a pause no activity becomes DUE, and executors are given none, not even those that were DUE
    before. An
    activity whose time comes is held: it stays READY and has `heldSince`. It can still be cancelled and
    moved.
    Executors keep the activities that they have claimed.

    On resumption all held activities become DUE at one moment, with their true lateness.

    Permission: `OPERATE`.

    Args:
        body (PauseUpdate): The state that the tenant is to have.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[PauseRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: PauseUpdate,
) -> PauseRead | ProblemRead | None:
    """Put pause

     Pause or resume the tenant. Pausing a paused tenant changes only the reason.

    During a pause no activity becomes DUE, and executors are given none, not even those that were DUE
    before. An
    activity whose time comes is held: it stays READY and has `heldSince`. It can still be cancelled and
    moved.
    Executors keep the activities that they have claimed.

    On resumption all held activities become DUE at one moment, with their true lateness.

    Permission: `OPERATE`.

    Args:
        body (PauseUpdate): The state that the tenant is to have.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        PauseRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
