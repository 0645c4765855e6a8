import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.channel import Channel
from ...models.contact_log_entry_page import ContactLogEntryPage
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    commerce_id: UUID,
    *,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    commerce_user_id: None | Unset | UUID = UNSET,
    channel: Channel | None | Unset = UNSET,
    contacted_from: datetime.datetime | None | Unset = UNSET,
    contacted_to: datetime.datetime | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    json_commerce_user_id: None | str | Unset
    if isinstance(commerce_user_id, Unset):
        json_commerce_user_id = UNSET
    elif isinstance(commerce_user_id, UUID):
        json_commerce_user_id = str(commerce_user_id)
    else:
        json_commerce_user_id = commerce_user_id
    params["commerce_user_id"] = json_commerce_user_id

    json_channel: None | str | Unset
    if isinstance(channel, Unset):
        json_channel = UNSET
    elif isinstance(channel, Channel):
        json_channel = channel.value
    else:
        json_channel = channel
    params["channel"] = json_channel

    json_contacted_from: None | str | Unset
    if isinstance(contacted_from, Unset):
        json_contacted_from = UNSET
    elif isinstance(contacted_from, datetime.datetime):
        json_contacted_from = contacted_from.isoformat()
    else:
        json_contacted_from = contacted_from
    params["contacted_from"] = json_contacted_from

    json_contacted_to: None | str | Unset
    if isinstance(contacted_to, Unset):
        json_contacted_to = UNSET
    elif isinstance(contacted_to, datetime.datetime):
        json_contacted_to = contacted_to.isoformat()
    else:
        json_contacted_to = contacted_to
    params["contacted_to"] = json_contacted_to

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/commerces/{commerce_id}/contact-log".format(
            commerce_id=quote(str(commerce_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ContactLogEntryPage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = ContactLogEntryPage.from_dict(response.json())

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
) -> Response[ContactLogEntryPage | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    commerce_user_id: None | Unset | UUID = UNSET,
    channel: Channel | None | Unset = UNSET,
    contacted_from: datetime.datetime | None | Unset = UNSET,
    contacted_to: datetime.datetime | None | Unset = UNSET,
) -> Response[ContactLogEntryPage | ProblemRead]:
    """Get contact log

     List the contacts, the latest first. `contacted_from` is inclusive, `contacted_to` is exclusive.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        commerce_user_id (None | Unset | UUID):
        channel (Channel | None | Unset):
        contacted_from (datetime.datetime | None | Unset):
        contacted_to (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ContactLogEntryPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        page=page,
        per_page=per_page,
        commerce_user_id=commerce_user_id,
        channel=channel,
        contacted_from=contacted_from,
        contacted_to=contacted_to,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    commerce_user_id: None | Unset | UUID = UNSET,
    channel: Channel | None | Unset = UNSET,
    contacted_from: datetime.datetime | None | Unset = UNSET,
    contacted_to: datetime.datetime | None | Unset = UNSET,
) -> ContactLogEntryPage | ProblemRead | None:
    """Get contact log

     List the contacts, the latest first. `contacted_from` is inclusive, `contacted_to` is exclusive.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        commerce_user_id (None | Unset | UUID):
        channel (Channel | None | Unset):
        contacted_from (datetime.datetime | None | Unset):
        contacted_to (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ContactLogEntryPage | ProblemRead
    """

    return sync_detailed(
        commerce_id=commerce_id,
        client=client,
        page=page,
        per_page=per_page,
        commerce_user_id=commerce_user_id,
        channel=channel,
        contacted_from=contacted_from,
        contacted_to=contacted_to,
    ).parsed


async def asyncio_detailed(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    commerce_user_id: None | Unset | UUID = UNSET,
    channel: Channel | None | Unset = UNSET,
    contacted_from: datetime.datetime | None | Unset = UNSET,
    contacted_to: datetime.datetime | None | Unset = UNSET,
) -> Response[ContactLogEntryPage | ProblemRead]:
    """Get contact log

     List the contacts, the latest first. `contacted_from` is inclusive, `contacted_to` is exclusive.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        commerce_user_id (None | Unset | UUID):
        channel (Channel | None | Unset):
        contacted_from (datetime.datetime | None | Unset):
        contacted_to (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ContactLogEntryPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        page=page,
        per_page=per_page,
        commerce_user_id=commerce_user_id,
        channel=channel,
        contacted_from=contacted_from,
        contacted_to=contacted_to,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    commerce_user_id: None | Unset | UUID = UNSET,
    channel: Channel | None | Unset = UNSET,
    contacted_from: datetime.datetime | None | Unset = UNSET,
    contacted_to: datetime.datetime | None | Unset = UNSET,
) -> ContactLogEntryPage | ProblemRead | None:
    """Get contact log

     List the contacts, the latest first. `contacted_from` is inclusive, `contacted_to` is exclusive.

    Permission: `MANAGE_COMMERCES`.

    Args:
        commerce_id (UUID):
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        commerce_user_id (None | Unset | UUID):
        channel (Channel | None | Unset):
        contacted_from (datetime.datetime | None | Unset):
        contacted_to (datetime.datetime | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ContactLogEntryPage | ProblemRead
    """

    return (
        await asyncio_detailed(
            commerce_id=commerce_id,
            client=client,
            page=page,
            per_page=per_page,
            commerce_user_id=commerce_user_id,
            channel=channel,
            contacted_from=contacted_from,
            contacted_to=contacted_to,
        )
    ).parsed
