from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.item_outcome import ItemOutcome
from ...models.operation_detail_read import OperationDetailRead
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    operation_id: UUID,
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    outcome: ItemOutcome | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_outcome: None | str | Unset
    if isinstance(outcome, Unset):
        json_outcome = UNSET
    elif isinstance(outcome, ItemOutcome):
        json_outcome = outcome.value
    else:
        json_outcome = outcome
    params["outcome"] = json_outcome

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/operations/{operation_id}".format(
            operation_id=quote(str(operation_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OperationDetailRead | ProblemRead | None:
    if response.status_code == 200:
        response_200 = OperationDetailRead.from_dict(response.json())

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
) -> Response[OperationDetailRead | ProblemRead]:
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
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    outcome: ItemOutcome | None | Unset = UNSET,
) -> Response[OperationDetailRead | ProblemRead]:
    """Get operation

     Retrieve a bulk operation: its progress, and the outcome of each activity, page by page.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        outcome (ItemOutcome | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OperationDetailRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        operation_id=operation_id,
        page=page,
        per_page=per_page,
        outcome=outcome,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    outcome: ItemOutcome | None | Unset = UNSET,
) -> OperationDetailRead | ProblemRead | None:
    """Get operation

     Retrieve a bulk operation: its progress, and the outcome of each activity, page by page.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        outcome (ItemOutcome | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OperationDetailRead | ProblemRead
    """

    return sync_detailed(
        operation_id=operation_id,
        client=client,
        page=page,
        per_page=per_page,
        outcome=outcome,
    ).parsed


async def asyncio_detailed(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    outcome: ItemOutcome | None | Unset = UNSET,
) -> Response[OperationDetailRead | ProblemRead]:
    """Get operation

     Retrieve a bulk operation: its progress, and the outcome of each activity, page by page.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        outcome (ItemOutcome | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OperationDetailRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        operation_id=operation_id,
        page=page,
        per_page=per_page,
        outcome=outcome,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    operation_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    outcome: ItemOutcome | None | Unset = UNSET,
) -> OperationDetailRead | ProblemRead | None:
    """Get operation

     Retrieve a bulk operation: its progress, and the outcome of each activity, page by page.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        operation_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        outcome (ItemOutcome | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OperationDetailRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            operation_id=operation_id,
            client=client,
            page=page,
            per_page=per_page,
            outcome=outcome,
        )
    ).parsed
