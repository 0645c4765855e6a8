from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity_gone_read import ActivityGoneRead
from ...models.activity_result_read import ActivityResultRead
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    activity_id: UUID,
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
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

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/activities/{activity_id}/results".format(
            activity_id=quote(str(activity_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ActivityGoneRead | ProblemRead | list[ActivityResultRead] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = ActivityResultRead.from_dict(response_200_item_data)

            response_200.append(response_200_item)

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

    if response.status_code == 410:
        response_410 = ActivityGoneRead.from_dict(response.json())

        return response_410

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
) -> Response[ActivityGoneRead | ProblemRead | list[ActivityResultRead]]:
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
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
) -> Response[ActivityGoneRead | ProblemRead | list[ActivityResultRead]]:
    """List results

     List the results of an activity, in the order in which they were received.

    If more follow, the header `Link` has the address of the next page. A page ends at 512 KB.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        activity_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ProblemRead | list[ActivityResultRead]]
    """

    kwargs = _get_kwargs(
        activity_id=activity_id,
        page=page,
        per_page=per_page,
        cursor=cursor,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
) -> ActivityGoneRead | ProblemRead | list[ActivityResultRead] | None:
    """List results

     List the results of an activity, in the order in which they were received.

    If more follow, the header `Link` has the address of the next page. A page ends at 512 KB.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        activity_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ProblemRead | list[ActivityResultRead]
    """

    return sync_detailed(
        activity_id=activity_id,
        client=client,
        page=page,
        per_page=per_page,
        cursor=cursor,
    ).parsed


async def asyncio_detailed(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
) -> Response[ActivityGoneRead | ProblemRead | list[ActivityResultRead]]:
    """List results

     List the results of an activity, in the order in which they were received.

    If more follow, the header `Link` has the address of the next page. A page ends at 512 KB.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        activity_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ProblemRead | list[ActivityResultRead]]
    """

    kwargs = _get_kwargs(
        activity_id=activity_id,
        page=page,
        per_page=per_page,
        cursor=cursor,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    activity_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
) -> ActivityGoneRead | ProblemRead | list[ActivityResultRead] | None:
    """List results

     List the results of an activity, in the order in which they were received.

    If more follow, the header `Link` has the address of the next page. A page ends at 512 KB.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        activity_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ProblemRead | list[ActivityResultRead]
    """

    return (
        await asyncio_detailed(
            activity_id=activity_id,
            client=client,
            page=page,
            per_page=per_page,
            cursor=cursor,
        )
    ).parsed
