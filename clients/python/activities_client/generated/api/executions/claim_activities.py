from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.claimed_activities import ClaimedActivities
from ...models.execution_claim import ExecutionClaim
from ...models.problem_read import ProblemRead
from ...types import Response


def _get_kwargs(
    *,
    body: ExecutionClaim,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/executions/claim",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ClaimedActivities | ProblemRead | None:
    if response.status_code == 200:
        response_200 = ClaimedActivities.from_dict(response.json())

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
) -> Response[ClaimedActivities | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: ExecutionClaim,
) -> Response[ClaimedActivities | ProblemRead]:
    """Claim activities

     Claim due activities for an executor.

    Each activity goes to one executor and is DISPATCHED until its lease ends. The highest score goes
    first, then the
    activity that has been due longest. Everything that was `PENDING` is resolved before an activity can
    be claimed.

    An activity whose target user is inactive by now, or lost the contact that the channel needs, is not
    returned: it
    becomes UNRESOLVED. An activity that would be FAILED if its next lease ran out is claimed alone.

    Before a lease ends, report a result, extend the lease or release it. Otherwise the activity becomes
    DUE again, or
    FAILED after too many expired leases.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        body (ExecutionClaim): The activities that an executor can carry out now.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ClaimedActivities | ProblemRead]
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
    body: ExecutionClaim,
) -> ClaimedActivities | ProblemRead | None:
    """Claim activities

     Claim due activities for an executor.

    Each activity goes to one executor and is DISPATCHED until its lease ends. The highest score goes
    first, then the
    activity that has been due longest. Everything that was `PENDING` is resolved before an activity can
    be claimed.

    An activity whose target user is inactive by now, or lost the contact that the channel needs, is not
    returned: it
    becomes UNRESOLVED. An activity that would be FAILED if its next lease ran out is claimed alone.

    Before a lease ends, report a result, extend the lease or release it. Otherwise the activity becomes
    DUE again, or
    FAILED after too many expired leases.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        body (ExecutionClaim): The activities that an executor can carry out now.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ClaimedActivities | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ExecutionClaim,
) -> Response[ClaimedActivities | ProblemRead]:
    """Claim activities

     Claim due activities for an executor.

    Each activity goes to one executor and is DISPATCHED until its lease ends. The highest score goes
    first, then the
    activity that has been due longest. Everything that was `PENDING` is resolved before an activity can
    be claimed.

    An activity whose target user is inactive by now, or lost the contact that the channel needs, is not
    returned: it
    becomes UNRESOLVED. An activity that would be FAILED if its next lease ran out is claimed alone.

    Before a lease ends, report a result, extend the lease or release it. Otherwise the activity becomes
    DUE again, or
    FAILED after too many expired leases.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        body (ExecutionClaim): The activities that an executor can carry out now.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ClaimedActivities | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: ExecutionClaim,
) -> ClaimedActivities | ProblemRead | None:
    """Claim activities

     Claim due activities for an executor.

    Each activity goes to one executor and is DISPATCHED until its lease ends. The highest score goes
    first, then the
    activity that has been due longest. Everything that was `PENDING` is resolved before an activity can
    be claimed.

    An activity whose target user is inactive by now, or lost the contact that the channel needs, is not
    returned: it
    becomes UNRESOLVED. An activity that would be FAILED if its next lease ran out is claimed alone.

    Before a lease ends, report a result, extend the lease or release it. Otherwise the activity becomes
    DUE again, or
    FAILED after too many expired leases.

    Permission: `DISPATCH_ACTIVITY`.

    Args:
        body (ExecutionClaim): The activities that an executor can carry out now.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ClaimedActivities | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
