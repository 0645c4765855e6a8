from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.catalogue_entry_page import CatalogueEntryPage
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
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

    json_is_active: bool | None | Unset
    if isinstance(is_active, Unset):
        json_is_active = UNSET
    else:
        json_is_active = is_active
    params["is_active"] = json_is_active

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/activity-config/reasons",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CatalogueEntryPage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = CatalogueEntryPage.from_dict(response.json())

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
) -> Response[CatalogueEntryPage | ProblemRead]:
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
    is_active: bool | None | Unset = UNSET,
) -> Response[CatalogueEntryPage | ProblemRead]:
    """List reasons

     List the entries, by code.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset): Find this text in code and label, in any case.
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CatalogueEntryPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
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
    is_active: bool | None | Unset = UNSET,
) -> CatalogueEntryPage | ProblemRead | None:
    """List reasons

     List the entries, by code.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset): Find this text in code and label, in any case.
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CatalogueEntryPage | ProblemRead
    """

    return sync_detailed(
        client=client,
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
        is_active=is_active,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    search: None | str | Unset = UNSET,
    is_active: bool | None | Unset = UNSET,
) -> Response[CatalogueEntryPage | ProblemRead]:
    """List reasons

     List the entries, by code.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset): Find this text in code and label, in any case.
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CatalogueEntryPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        cursor=cursor,
        search=search,
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
    is_active: bool | None | Unset = UNSET,
) -> CatalogueEntryPage | ProblemRead | None:
    """List reasons

     List the entries, by code.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        search (None | str | Unset): Find this text in code and label, in any case.
        is_active (bool | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CatalogueEntryPage | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            per_page=per_page,
            cursor=cursor,
            search=search,
            is_active=is_active,
        )
    ).parsed
