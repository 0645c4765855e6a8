from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.attribute_policy_page import AttributePolicyPage
from ...models.attribute_strategy import AttributeStrategy
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    strategy: AttributeStrategy | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_strategy: None | str | Unset
    if isinstance(strategy, Unset):
        json_strategy = UNSET
    elif isinstance(strategy, AttributeStrategy):
        json_strategy = strategy.value
    else:
        json_strategy = strategy
    params["strategy"] = json_strategy

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/activity-config/attribute-policies",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AttributePolicyPage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = AttributePolicyPage.from_dict(response.json())

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
) -> Response[AttributePolicyPage | ProblemRead]:
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
    strategy: AttributeStrategy | None | Unset = UNSET,
) -> Response[AttributePolicyPage | ProblemRead]:
    """List attribute policies

     List the attribute policies, by key.

    The value of a key without a policy is looked up at creation in the service's own tables, if they
    have that key.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        strategy (AttributeStrategy | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttributePolicyPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        strategy=strategy,
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
    strategy: AttributeStrategy | None | Unset = UNSET,
) -> AttributePolicyPage | ProblemRead | None:
    """List attribute policies

     List the attribute policies, by key.

    The value of a key without a policy is looked up at creation in the service's own tables, if they
    have that key.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        strategy (AttributeStrategy | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttributePolicyPage | ProblemRead
    """

    return sync_detailed(
        client=client,
        page=page,
        per_page=per_page,
        strategy=strategy,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    strategy: AttributeStrategy | None | Unset = UNSET,
) -> Response[AttributePolicyPage | ProblemRead]:
    """List attribute policies

     List the attribute policies, by key.

    The value of a key without a policy is looked up at creation in the service's own tables, if they
    have that key.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        strategy (AttributeStrategy | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AttributePolicyPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        strategy=strategy,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    strategy: AttributeStrategy | None | Unset = UNSET,
) -> AttributePolicyPage | ProblemRead | None:
    """List attribute policies

     List the attribute policies, by key.

    The value of a key without a policy is looked up at creation in the service's own tables, if they
    have that key.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        strategy (AttributeStrategy | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AttributePolicyPage | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            per_page=per_page,
            strategy=strategy,
        )
    ).parsed
