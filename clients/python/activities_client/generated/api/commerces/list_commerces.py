from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.commerce_page import CommercePage
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    global_external_id: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_cursor: None | str | Unset
    if isinstance(cursor, Unset):
        json_cursor = UNSET
    else:
        json_cursor = cursor
    params["cursor"] = json_cursor

    json_search: None | str | Unset
    if isinstance(search, Unset):
        json_search = UNSET
    else:
        json_search = search
    params["search"] = json_search

    json_external_id: None | str | Unset
    if isinstance(external_id, Unset):
        json_external_id = UNSET
    else:
        json_external_id = external_id
    params["external_id"] = json_external_id

    json_global_external_id: None | str | Unset
    if isinstance(global_external_id, Unset):
        json_global_external_id = UNSET
    else:
        json_global_external_id = global_external_id
    params["global_external_id"] = json_global_external_id

    json_is_active: bool | None | Unset
    if isinstance(is_active, Unset):
        json_is_active = UNSET
    else:
        json_is_active = is_active
    params["is_active"] = json_is_active

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/commerces",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CommercePage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = CommercePage.from_dict(response.json())

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
) -> Response[CommercePage | ProblemRead]:
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
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    global_external_id: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> Response[CommercePage | ProblemRead]:
    """List commerces

     List the tenant's commerces, by external id. `search` finds a text in name and external id, in any
    case.

    Permission: `MANAGE_COMMERCES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset):
        external_id (None | str | Unset):
        global_external_id (None | str | Unset):
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommercePage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
        external_id=external_id,
        global_external_id=global_external_id,
        is_active=is_active,
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
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    global_external_id: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> CommercePage | ProblemRead | None:
    """List commerces

     List the tenant's commerces, by external id. `search` finds a text in name and external id, in any
    case.

    Permission: `MANAGE_COMMERCES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset):
        external_id (None | str | Unset):
        global_external_id (None | str | Unset):
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommercePage | ProblemRead
    """

    return sync_detailed(
        client=client,
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
        external_id=external_id,
        global_external_id=global_external_id,
        is_active=is_active,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    global_external_id: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> Response[CommercePage | ProblemRead]:
    """List commerces

     List the tenant's commerces, by external id. `search` finds a text in name and external id, in any
    case.

    Permission: `MANAGE_COMMERCES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset):
        external_id (None | str | Unset):
        global_external_id (None | str | Unset):
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CommercePage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
        external_id=external_id,
        global_external_id=global_external_id,
        is_active=is_active,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    global_external_id: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> CommercePage | ProblemRead | None:
    """List commerces

     List the tenant's commerces, by external id. `search` finds a text in name and external id, in any
    case.

    Permission: `MANAGE_COMMERCES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset):
        external_id (None | str | Unset):
        global_external_id (None | str | Unset):
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CommercePage | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            per_page=per_page,
            cursor=cursor,
            search=search,
            external_id=external_id,
            global_external_id=global_external_id,
            is_active=is_active,
        )
    ).parsed
