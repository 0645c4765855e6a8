from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.bulk_dry_run_read import BulkDryRunRead
from ...models.bulk_retry_create import BulkRetryCreate
from ...models.operation_id_exists_read import OperationIdExistsRead
from ...models.operation_read import OperationRead
from ...models.operation_unavailable_read import OperationUnavailableRead
from ...models.problem_read import ProblemRead
from ...models.total_not_confirmed_read import TotalNotConfirmedRead
from ...types import Response


def _get_kwargs(
    *,
    body: BulkRetryCreate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/activities/retry-resolution",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
    | None
):
    if response.status_code == 200:
        response_200 = BulkDryRunRead.from_dict(response.json())

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

    if response.status_code == 408:
        response_408 = ProblemRead.from_dict(response.json())

        return response_408

    if response.status_code == 409:

        def _parse_response_409(data: object) -> OperationIdExistsRead | TotalNotConfirmedRead:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_409_type_0 = OperationIdExistsRead.from_dict(data)

                return response_409_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_409_type_1 = TotalNotConfirmedRead.from_dict(data)

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
        response_503 = OperationUnavailableRead.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: BulkRetryCreate,
) -> Response[
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
]:
    """Retry activities

     Resolve all UNRESOLVED activities that match a filter now again, at most 100,000.

    Each is resolved as by a call for it alone, the earliest first: it is READY afterwards, or
    UNRESOLVED with what
    failed now, which is APPLIED too and has a `detail`. Read `Location` for the progress and for the
    outcome of each.
    While others of the tenant run, the operation is QUEUED and begins by itself, in the order of
    acceptance.

    Permission: `CREATE_ACTIVITY`.

    Args:
        body (BulkRetryCreate): The activities to resolve again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BulkDryRunRead | OperationIdExistsRead | TotalNotConfirmedRead | OperationRead | OperationUnavailableRead | ProblemRead]
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
    body: BulkRetryCreate,
) -> (
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
    | None
):
    """Retry activities

     Resolve all UNRESOLVED activities that match a filter now again, at most 100,000.

    Each is resolved as by a call for it alone, the earliest first: it is READY afterwards, or
    UNRESOLVED with what
    failed now, which is APPLIED too and has a `detail`. Read `Location` for the progress and for the
    outcome of each.
    While others of the tenant run, the operation is QUEUED and begins by itself, in the order of
    acceptance.

    Permission: `CREATE_ACTIVITY`.

    Args:
        body (BulkRetryCreate): The activities to resolve again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BulkDryRunRead | OperationIdExistsRead | TotalNotConfirmedRead | OperationRead | OperationUnavailableRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: BulkRetryCreate,
) -> Response[
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
]:
    """Retry activities

     Resolve all UNRESOLVED activities that match a filter now again, at most 100,000.

    Each is resolved as by a call for it alone, the earliest first: it is READY afterwards, or
    UNRESOLVED with what
    failed now, which is APPLIED too and has a `detail`. Read `Location` for the progress and for the
    outcome of each.
    While others of the tenant run, the operation is QUEUED and begins by itself, in the order of
    acceptance.

    Permission: `CREATE_ACTIVITY`.

    Args:
        body (BulkRetryCreate): The activities to resolve again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BulkDryRunRead | OperationIdExistsRead | TotalNotConfirmedRead | OperationRead | OperationUnavailableRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: BulkRetryCreate,
) -> (
    BulkDryRunRead
    | OperationIdExistsRead
    | TotalNotConfirmedRead
    | OperationRead
    | OperationUnavailableRead
    | ProblemRead
    | None
):
    """Retry activities

     Resolve all UNRESOLVED activities that match a filter now again, at most 100,000.

    Each is resolved as by a call for it alone, the earliest first: it is READY afterwards, or
    UNRESOLVED with what
    failed now, which is APPLIED too and has a `detail`. Read `Location` for the progress and for the
    outcome of each.
    While others of the tenant run, the operation is QUEUED and begins by itself, in the order of
    acceptance.

    Permission: `CREATE_ACTIVITY`.

    Args:
        body (BulkRetryCreate): The activities to resolve again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BulkDryRunRead | OperationIdExistsRead | TotalNotConfirmedRead | OperationRead | OperationUnavailableRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
