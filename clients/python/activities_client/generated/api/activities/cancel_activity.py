from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity_gone_read import ActivityGoneRead
from ...models.cancel_create import CancelCreate
from ...models.problem_read import ProblemRead
from ...models.scheduled_activity_read import ScheduledActivityRead
from ...models.wrong_status_read import WrongStatusRead
from ...types import Response


def _get_kwargs(
    activity_id: UUID,
    *,
    body: CancelCreate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/activities/{activity_id}/cancel".format(
            activity_id=quote(str(activity_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead | None:
    if response.status_code == 200:
        response_200 = ScheduledActivityRead.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = ScheduledActivityRead.from_dict(response.json())

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

    if response.status_code == 408:
        response_408 = ProblemRead.from_dict(response.json())

        return response_408

    if response.status_code == 409:
        response_409 = WrongStatusRead.from_dict(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = ActivityGoneRead.from_dict(response.json())

        return response_410

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
) -> Response[ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    body: CancelCreate,
) -> Response[ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead]:
    """Cancel activity

     Cancel a READY, UNRESOLVED or DUE activity that no executor has claimed; after a 200 it is never
    executed.

    Permission: `CANCEL_ACTIVITY`.

    Args:
        activity_id (UUID):
        body (CancelCreate): The reason of a cancellation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead]
    """

    kwargs = _get_kwargs(
        activity_id=activity_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    body: CancelCreate,
) -> ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead | None:
    """Cancel activity

     Cancel a READY, UNRESOLVED or DUE activity that no executor has claimed; after a 200 it is never
    executed.

    Permission: `CANCEL_ACTIVITY`.

    Args:
        activity_id (UUID):
        body (CancelCreate): The reason of a cancellation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead
    """

    return sync_detailed(
        activity_id=activity_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    body: CancelCreate,
) -> Response[ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead]:
    """Cancel activity

     Cancel a READY, UNRESOLVED or DUE activity that no executor has claimed; after a 200 it is never
    executed.

    Permission: `CANCEL_ACTIVITY`.

    Args:
        activity_id (UUID):
        body (CancelCreate): The reason of a cancellation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead]
    """

    kwargs = _get_kwargs(
        activity_id=activity_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    body: CancelCreate,
) -> ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead | None:
    """Cancel activity

     Cancel a READY, UNRESOLVED or DUE activity that no executor has claimed; after a 200 it is never
    executed.

    Permission: `CANCEL_ACTIVITY`.

    Args:
        activity_id (UUID):
        body (CancelCreate): The reason of a cancellation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ProblemRead | ScheduledActivityRead | WrongStatusRead
    """

    return (
        await asyncio_detailed(
            activity_id=activity_id,
            client=client,
            body=body,
        )
    ).parsed
