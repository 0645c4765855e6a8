from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.commerce_sync import CommerceSync
from ...models.commerce_sync_read import CommerceSyncRead
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    *,
    body: CommerceSync,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/commerces/sync",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CommerceSyncRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = CommerceSyncRead.from_dict(response.json())

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
) -> Response[CommerceSyncRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: CommerceSync,
) -> Response[CommerceSyncRead | ProblemRead]:
    """Sync commerces

     Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not
    valid, or have
    more than 1 MiB or 45,000 values, are listed in `refused`; the others are written. A contact that is
    not valid
    doesn't keep its item from being written: it is left out, and listed in `warnings` with what would
    be right. Sending
    the same items again changes nothing. An item that would give a commerce more users than it may have
    is refused as a
    whole.

    Permission: `SYNC_COMMERCES`.

    Args:
        body (CommerceSync): The commerces to create or update.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommerceSyncRead | ProblemRead]
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
    body: CommerceSync,
) -> CommerceSyncRead | ProblemRead | None:
    """Sync commerces

     Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not
    valid, or have
    more than 1 MiB or 45,000 values, are listed in `refused`; the others are written. A contact that is
    not valid
    doesn't keep its item from being written: it is left out, and listed in `warnings` with what would
    be right. Sending
    the same items again changes nothing. An item that would give a commerce more users than it may have
    is refused as a
    whole.

    Permission: `SYNC_COMMERCES`.

    Args:
        body (CommerceSync): The commerces to create or update.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommerceSyncRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: CommerceSync,
) -> Response[CommerceSyncRead | ProblemRead]:
    """Sync commerces

     Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not
    valid, or have
    more than 1 MiB or 45,000 values, are listed in `refused`; the others are written. A contact that is
    not valid
    doesn't keep its item from being written: it is left out, and listed in `warnings` with what would
    be right. Sending
    the same items again changes nothing. An item that would give a commerce more users than it may have
    is refused as a
    whole.

    Permission: `SYNC_COMMERCES`.

    Args:
        body (CommerceSync): The commerces to create or update.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommerceSyncRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: CommerceSync,
) -> CommerceSyncRead | ProblemRead | None:
    """Sync commerces

     Create or update up to 1,000 commerces by `external_id`, with their addresses and users.

    Absent members of an item stay as they are, and so do users that it doesn't name. Items that are not
    valid, or have
    more than 1 MiB or 45,000 values, are listed in `refused`; the others are written. A contact that is
    not valid
    doesn't keep its item from being written: it is left out, and listed in `warnings` with what would
    be right. Sending
    the same items again changes nothing. An item that would give a commerce more users than it may have
    is refused as a
    whole.

    Permission: `SYNC_COMMERCES`.

    Args:
        body (CommerceSync): The commerces to create or update.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommerceSyncRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
