from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.idempotency_key_exists_read import IdempotencyKeyExistsRead
from ...models.problem_read import ProblemRead
from ...models.scheduled_activity_create import ScheduledActivityCreate
from ...models.scheduled_activity_read import ScheduledActivityRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: ScheduledActivityCreate,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/activities",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead | None:
    if response.status_code == 201:
        response_201 = ScheduledActivityRead.from_dict(response.json())

        return response_201

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
        response_409 = IdempotencyKeyExistsRead.from_dict(response.json())

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
) -> Response[IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: ScheduledActivityCreate,
    idempotency_key: str | Unset = UNSET,
) -> Response[IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead]:
    """Create activity

     Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute
    resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile.
    202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe:
    its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.

    Permission: `CREATE_ACTIVITY`.

    Args:
        idempotency_key (str | Unset):
        body (ScheduledActivityCreate): A new activity.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: ScheduledActivityCreate,
    idempotency_key: str | Unset = UNSET,
) -> IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead | None:
    """Create activity

     Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute
    resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile.
    202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe:
    its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.

    Permission: `CREATE_ACTIVITY`.

    Args:
        idempotency_key (str | Unset):
        body (ScheduledActivityCreate): A new activity.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ScheduledActivityCreate,
    idempotency_key: str | Unset = UNSET,
) -> Response[IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead]:
    """Create activity

     Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute
    resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile.
    202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe:
    its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.

    Permission: `CREATE_ACTIVITY`.

    Args:
        idempotency_key (str | Unset):
        body (ScheduledActivityCreate): A new activity.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: ScheduledActivityCreate,
    idempotency_key: str | Unset = UNSET,
) -> IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead | None:
    """Create activity

     Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute
    resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile.
    202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe:
    its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.

    Permission: `CREATE_ACTIVITY`.

    Args:
        idempotency_key (str | Unset):
        body (ScheduledActivityCreate): A new activity.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        IdempotencyKeyExistsRead | ProblemRead | ScheduledActivityRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
