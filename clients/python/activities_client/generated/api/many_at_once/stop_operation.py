from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.operation_read import OperationRead
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    operation_id: UUID,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/operations/{operation_id}/stop".format(
            operation_id=quote(str(operation_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OperationRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = OperationRead.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = OperationRead.from_dict(response.json())

        return response_202

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


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OperationRead | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
) -> Response[OperationRead | ProblemRead]:
    """Stop operation

     Stop a bulk operation. Activities that it has changed stay changed.

    Stopping needs the permission that starting needed. From the answer on, no change is begun any more.
    After a 200,
    `state` and `counts` are final, also if the operation had completed before. A 202 says STOPPING:
    changes that were
    begun have no outcome yet. Repeat the call, or read the operation.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OperationRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        operation_id=operation_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
) -> OperationRead | ProblemRead | None:
    """Stop operation

     Stop a bulk operation. Activities that it has changed stay changed.

    Stopping needs the permission that starting needed. From the answer on, no change is begun any more.
    After a 200,
    `state` and `counts` are final, also if the operation had completed before. A 202 says STOPPING:
    changes that were
    begun have no outcome yet. Repeat the call, or read the operation.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OperationRead | ProblemRead
    """

    return sync_detailed(
        operation_id=operation_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
) -> Response[OperationRead | ProblemRead]:
    """Stop operation

     Stop a bulk operation. Activities that it has changed stay changed.

    Stopping needs the permission that starting needed. From the answer on, no change is begun any more.
    After a 200,
    `state` and `counts` are final, also if the operation had completed before. A 202 says STOPPING:
    changes that were
    begun have no outcome yet. Repeat the call, or read the operation.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OperationRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        operation_id=operation_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
) -> OperationRead | ProblemRead | None:
    """Stop operation

     Stop a bulk operation. Activities that it has changed stay changed.

    Stopping needs the permission that starting needed. From the answer on, no change is begun any more.
    After a 200,
    `state` and `counts` are final, also if the operation had completed before. A 202 says STOPPING:
    changes that were
    begun have no outcome yet. Repeat the call, or read the operation.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OperationRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            operation_id=operation_id,
            client=client,
        )
    ).parsed
