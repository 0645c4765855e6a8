from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity_type import ActivityType
from ...models.channel import Channel
from ...models.problem_read import ProblemRead
from ...models.target_config_page import TargetConfigPage
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    is_active: bool | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_is_active: bool | None | Unset
    if isinstance(is_active, Unset):
        json_is_active = UNSET
    else:
        json_is_active = is_active
    params["is_active"] = json_is_active

    json_channel: None | str | Unset
    if isinstance(channel, Unset):
        json_channel = UNSET
    elif isinstance(channel, Channel):
        json_channel = channel.value
    else:
        json_channel = channel
    params["channel"] = json_channel

    json_type_: None | str | Unset
    if isinstance(type_, Unset):
        json_type_ = UNSET
    elif isinstance(type_, ActivityType):
        json_type_ = type_.value
    else:
        json_type_ = type_
    params["type"] = json_type_

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/activity-config/target-resolution",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ProblemRead | TargetConfigPage | None:
    if response.status_code == 200:
        response_200 = TargetConfigPage.from_dict(response.json())

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
) -> Response[ProblemRead | TargetConfigPage]:
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
    is_active: bool | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
) -> Response[ProblemRead | TargetConfigPage]:
    """List target configs

     List the configurations in the order of their priority. The first active one that matches applies.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        is_active (bool | None | Unset):
        channel (Channel | None | Unset):
        type_ (ActivityType | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProblemRead | TargetConfigPage]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        is_active=is_active,
        channel=channel,
        type_=type_,
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
    is_active: bool | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
) -> ProblemRead | TargetConfigPage | None:
    """List target configs

     List the configurations in the order of their priority. The first active one that matches applies.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        is_active (bool | None | Unset):
        channel (Channel | None | Unset):
        type_ (ActivityType | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProblemRead | TargetConfigPage
    """

    return sync_detailed(
        client=client,
        page=page,
        per_page=per_page,
        is_active=is_active,
        channel=channel,
        type_=type_,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    is_active: bool | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
) -> Response[ProblemRead | TargetConfigPage]:
    """List target configs

     List the configurations in the order of their priority. The first active one that matches applies.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        is_active (bool | None | Unset):
        channel (Channel | None | Unset):
        type_ (ActivityType | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProblemRead | TargetConfigPage]
    """

    kwargs = _get_kwargs(
        page=page,
        per_page=per_page,
        is_active=is_active,
        channel=channel,
        type_=type_,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    is_active: bool | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
) -> ProblemRead | TargetConfigPage | None:
    """List target configs

     List the configurations in the order of their priority. The first active one that matches applies.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        is_active (bool | None | Unset):
        channel (Channel | None | Unset):
        type_ (ActivityType | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProblemRead | TargetConfigPage
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            per_page=per_page,
            is_active=is_active,
            channel=channel,
            type_=type_,
        )
    ).parsed
