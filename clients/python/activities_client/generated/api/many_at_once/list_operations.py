from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.bulk_state import BulkState
from ...models.bulk_verb import BulkVerb
from ...models.listed_operation_page import ListedOperationPage
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    state: list[BulkState] | Unset = UNSET,
    verb: BulkVerb | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_state: list[str] | Unset = UNSET
    if not isinstance(state, Unset):
        json_state = []
        for state_item_data in state:
            state_item = state_item_data.value
            json_state.append(state_item)

    params["state"] = json_state

    json_verb: None | str | Unset
    if isinstance(verb, Unset):
        json_verb = UNSET
    elif isinstance(verb, BulkVerb):
        json_verb = verb.value
    else:
        json_verb = verb
    params["verb"] = json_verb

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/operations",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ListedOperationPage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = ListedOperationPage.from_dict(response.json())

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
) -> Response[ListedOperationPage | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    state: list[BulkState] | Unset = UNSET,
    verb: BulkVerb | None | Unset = UNSET,
) -> Response[ListedOperationPage | ProblemRead]:
    """List operations

     List the tenant's bulk operations, the latest first.

    `GET /api/operations/{id}` counts the activities of one by outcome, and has the outcome of each.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        state (list[BulkState] | Unset): One or more states.
        verb (BulkVerb | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ListedOperationPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        state=state,
        verb=verb,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    state: list[BulkState] | Unset = UNSET,
    verb: BulkVerb | None | Unset = UNSET,
) -> ListedOperationPage | ProblemRead | None:
    """List operations

     List the tenant's bulk operations, the latest first.

    `GET /api/operations/{id}` counts the activities of one by outcome, and has the outcome of each.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        state (list[BulkState] | Unset): One or more states.
        verb (BulkVerb | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ListedOperationPage | ProblemRead
    """

    return sync_detailed(
        client=client,
        page=page,
        per_page=per_page,
        state=state,
        verb=verb,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    state: list[BulkState] | Unset = UNSET,
    verb: BulkVerb | None | Unset = UNSET,
) -> Response[ListedOperationPage | ProblemRead]:
    """List operations

     List the tenant's bulk operations, the latest first.

    `GET /api/operations/{id}` counts the activities of one by outcome, and has the outcome of each.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        state (list[BulkState] | Unset): One or more states.
        verb (BulkVerb | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ListedOperationPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        state=state,
        verb=verb,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    state: list[BulkState] | Unset = UNSET,
    verb: BulkVerb | None | Unset = UNSET,
) -> ListedOperationPage | ProblemRead | None:
    """List operations

     List the tenant's bulk operations, the latest first.

    `GET /api/operations/{id}` counts the activities of one by outcome, and has the outcome of each.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        state (list[BulkState] | Unset): One or more states.
        verb (BulkVerb | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ListedOperationPage | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            per_page=per_page,
            state=state,
            verb=verb,
        )
    ).parsed
