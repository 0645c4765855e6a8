import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity_page import ActivityPage
from ...models.activity_type import ActivityType
from ...models.channel import Channel
from ...models.list_activities_order import ListActivitiesOrder
from ...models.list_activities_sort import ListActivitiesSort
from ...models.list_activities_status_item import ListActivitiesStatusItem
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    status: list[ListActivitiesStatusItem] | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    commerce_id: None | Unset | UUID = UNSET,
    reason: None | str | Unset = UNSET,
    scheduled_from: datetime.datetime | None | Unset = UNSET,
    scheduled_to: datetime.datetime | None | Unset = UNSET,
    search: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
    executor: None | str | Unset = UNSET,
    commerce_user_id: None | Unset | UUID = UNSET,
    provider_activity_id: None | str | Unset = UNSET,
    late: bool | Unset = False,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    sort: ListActivitiesSort | Unset = ListActivitiesSort.CREATED_AT,
    order: ListActivitiesOrder | Unset = ListActivitiesOrder.DESC,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_status: list[str] | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = []
        for status_item_data in status:
            status_item = status_item_data.value
            json_status.append(status_item)

    params["status"] = json_status

    json_type_: None | str | Unset
    if isinstance(type_, Unset):
        json_type_ = UNSET
    elif isinstance(type_, ActivityType):
        json_type_ = type_.value
    else:
        json_type_ = type_
    params["type"] = json_type_

    json_channel: None | str | Unset
    if isinstance(channel, Unset):
        json_channel = UNSET
    elif isinstance(channel, Channel):
        json_channel = channel.value
    else:
        json_channel = channel
    params["channel"] = json_channel

    json_commerce_id: None | str | Unset
    if isinstance(commerce_id, Unset):
        json_commerce_id = UNSET
    elif isinstance(commerce_id, UUID):
        json_commerce_id = str(commerce_id)
    else:
        json_commerce_id = commerce_id
    params["commerce_id"] = json_commerce_id

    json_reason: None | str | Unset
    if isinstance(reason, Unset):
        json_reason = UNSET
    else:
        json_reason = reason
    params["reason"] = json_reason

    json_scheduled_from: None | str | Unset
    if isinstance(scheduled_from, Unset):
        json_scheduled_from = UNSET
    elif isinstance(scheduled_from, datetime.datetime):
        json_scheduled_from = scheduled_from.isoformat()
    else:
        json_scheduled_from = scheduled_from
    params["scheduled_from"] = json_scheduled_from

    json_scheduled_to: None | str | Unset
    if isinstance(scheduled_to, Unset):
        json_scheduled_to = UNSET
    elif isinstance(scheduled_to, datetime.datetime):
        json_scheduled_to = scheduled_to.isoformat()
    else:
        json_scheduled_to = scheduled_to
    params["scheduled_to"] = json_scheduled_to

    json_search: None | str | Unset
    if isinstance(search, Unset):
        json_search = UNSET
    else:
        json_search = search
    params["search"] = json_search

    json_idempotency_key: None | str | Unset
    if isinstance(idempotency_key, Unset):
        json_idempotency_key = UNSET
    else:
        json_idempotency_key = idempotency_key
    params["idempotency_key"] = json_idempotency_key

    json_executor: None | str | Unset
    if isinstance(executor, Unset):
        json_executor = UNSET
    else:
        json_executor = executor
    params["executor"] = json_executor

    json_commerce_user_id: None | str | Unset
    if isinstance(commerce_user_id, Unset):
        json_commerce_user_id = UNSET
    elif isinstance(commerce_user_id, UUID):
        json_commerce_user_id = str(commerce_user_id)
    else:
        json_commerce_user_id = commerce_user_id
    params["commerce_user_id"] = json_commerce_user_id

    json_provider_activity_id: None | str | Unset
    if isinstance(provider_activity_id, Unset):
        json_provider_activity_id = UNSET
    else:
        json_provider_activity_id = provider_activity_id
    params["provider_activity_id"] = json_provider_activity_id

    params["late"] = late

    params["page"] = page

    params["per_page"] = per_page

    json_cursor: None | str | Unset
    if isinstance(cursor, Unset):
        json_cursor = UNSET
    else:
        json_cursor = cursor
    params["cursor"] = json_cursor

    json_updated_since: None | str | Unset
    if isinstance(updated_since, Unset):
        json_updated_since = UNSET
    elif isinstance(updated_since, datetime.datetime):
        json_updated_since = updated_since.isoformat()
    else:
        json_updated_since = updated_since
    params["updated_since"] = json_updated_since

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort.value

    params["sort"] = json_sort

    json_order: str | Unset = UNSET
    if not isinstance(order, Unset):
        json_order = order.value

    params["order"] = json_order

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/activities",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ActivityPage | ProblemRead | None:
    if response.status_code == 200:
        response_200 = ActivityPage.from_dict(response.json())

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
) -> Response[ActivityPage | ProblemRead]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    status: list[ListActivitiesStatusItem] | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    commerce_id: None | Unset | UUID = UNSET,
    reason: None | str | Unset = UNSET,
    scheduled_from: datetime.datetime | None | Unset = UNSET,
    scheduled_to: datetime.datetime | None | Unset = UNSET,
    search: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
    executor: None | str | Unset = UNSET,
    commerce_user_id: None | Unset | UUID = UNSET,
    provider_activity_id: None | str | Unset = UNSET,
    late: bool | Unset = False,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    sort: ListActivitiesSort | Unset = ListActivitiesSort.CREATED_AT,
    order: ListActivitiesOrder | Unset = ListActivitiesOrder.DESC,
) -> Response[ActivityPage | ProblemRead]:
    """List activities

     List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without
    a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created
    meanwhile.

    In a list sorted by `scheduled_at`, `updated_at` or `score`, an activity that changes while the list
    is paged may be
    returned twice, or not at all. Sort by `created_at` where that matters.

    To follow all changes, send `updated_since`, page by `meta.nextCursor` to the last page, and then
    begin again with
    its `meta.updatedUntil` as `updated_since`. No change is missed, also of activities that change
    meanwhile. Those of
    the last minute come again, and during a pause of the tenant those since its beginning: compare
    `updatedAt`. A
    removal is no change: no list has an activity that was removed, and `GET` for its id is 410.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        status (list[ListActivitiesStatusItem] | Unset): One or more statuses. RESOLVING
            activities are not recorded yet and not listed.
        type_ (ActivityType | None | Unset):
        channel (Channel | None | Unset):
        commerce_id (None | Unset | UUID):
        reason (None | str | Unset): The reason's code.
        scheduled_from (datetime.datetime | None | Unset): The earliest `scheduledAt`, inclusive.
        scheduled_to (datetime.datetime | None | Unset): The latest `scheduledAt`, exclusive.
        search (None | str | Unset): The idempotency key or the commerce's external id begins with
            this text. Case matters.
        idempotency_key (None | str | Unset): The exact idempotency key.
        executor (None | str | Unset): The executor that claimed it last.
        commerce_user_id (None | Unset | UUID): The id of the commerce's user who is the target
            user of the activity.
        provider_activity_id (None | str | Unset): The provider's id of the activity, as a result
            of it has named it.
        late (bool | Unset): `true` lists activities that are overdue and not marked (READY, also
            held ones, or UNRESOLVED) or were marked more than a second late. `false` is no condition.
            Default: False.
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        updated_since (datetime.datetime | None | Unset): The earliest change, inclusive: the list
            has each activity that has changed since, the earliest change first. See
            `meta.updatedUntil`.
        sort (ListActivitiesSort | Unset): With `updated_since`, always `updated_at`. By `score`,
            activities without one are the lowest. Default: ListActivitiesSort.CREATED_AT.
        order (ListActivitiesOrder | Unset): With `updated_since`, always `asc`. Default:
            ListActivitiesOrder.DESC.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        status=status,
        type_=type_,
        channel=channel,
        commerce_id=commerce_id,
        reason=reason,
        scheduled_from=scheduled_from,
        scheduled_to=scheduled_to,
        search=search,
        idempotency_key=idempotency_key,
        executor=executor,
        commerce_user_id=commerce_user_id,
        provider_activity_id=provider_activity_id,
        late=late,
        page=page,
        per_page=per_page,
        cursor=cursor,
        updated_since=updated_since,
        sort=sort,
        order=order,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    status: list[ListActivitiesStatusItem] | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    commerce_id: None | Unset | UUID = UNSET,
    reason: None | str | Unset = UNSET,
    scheduled_from: datetime.datetime | None | Unset = UNSET,
    scheduled_to: datetime.datetime | None | Unset = UNSET,
    search: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
    executor: None | str | Unset = UNSET,
    commerce_user_id: None | Unset | UUID = UNSET,
    provider_activity_id: None | str | Unset = UNSET,
    late: bool | Unset = False,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    sort: ListActivitiesSort | Unset = ListActivitiesSort.CREATED_AT,
    order: ListActivitiesOrder | Unset = ListActivitiesOrder.DESC,
) -> ActivityPage | ProblemRead | None:
    """List activities

     List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without
    a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created
    meanwhile.

    In a list sorted by `scheduled_at`, `updated_at` or `score`, an activity that changes while the list
    is paged may be
    returned twice, or not at all. Sort by `created_at` where that matters.

    To follow all changes, send `updated_since`, page by `meta.nextCursor` to the last page, and then
    begin again with
    its `meta.updatedUntil` as `updated_since`. No change is missed, also of activities that change
    meanwhile. Those of
    the last minute come again, and during a pause of the tenant those since its beginning: compare
    `updatedAt`. A
    removal is no change: no list has an activity that was removed, and `GET` for its id is 410.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        status (list[ListActivitiesStatusItem] | Unset): One or more statuses. RESOLVING
            activities are not recorded yet and not listed.
        type_ (ActivityType | None | Unset):
        channel (Channel | None | Unset):
        commerce_id (None | Unset | UUID):
        reason (None | str | Unset): The reason's code.
        scheduled_from (datetime.datetime | None | Unset): The earliest `scheduledAt`, inclusive.
        scheduled_to (datetime.datetime | None | Unset): The latest `scheduledAt`, exclusive.
        search (None | str | Unset): The idempotency key or the commerce's external id begins with
            this text. Case matters.
        idempotency_key (None | str | Unset): The exact idempotency key.
        executor (None | str | Unset): The executor that claimed it last.
        commerce_user_id (None | Unset | UUID): The id of the commerce's user who is the target
            user of the activity.
        provider_activity_id (None | str | Unset): The provider's id of the activity, as a result
            of it has named it.
        late (bool | Unset): `true` lists activities that are overdue and not marked (READY, also
            held ones, or UNRESOLVED) or were marked more than a second late. `false` is no condition.
            Default: False.
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        updated_since (datetime.datetime | None | Unset): The earliest change, inclusive: the list
            has each activity that has changed since, the earliest change first. See
            `meta.updatedUntil`.
        sort (ListActivitiesSort | Unset): With `updated_since`, always `updated_at`. By `score`,
            activities without one are the lowest. Default: ListActivitiesSort.CREATED_AT.
        order (ListActivitiesOrder | Unset): With `updated_since`, always `asc`. Default:
            ListActivitiesOrder.DESC.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityPage | ProblemRead
    """

    return sync_detailed(
        client=client,
        status=status,
        type_=type_,
        channel=channel,
        commerce_id=commerce_id,
        reason=reason,
        scheduled_from=scheduled_from,
        scheduled_to=scheduled_to,
        search=search,
        idempotency_key=idempotency_key,
        executor=executor,
        commerce_user_id=commerce_user_id,
        provider_activity_id=provider_activity_id,
        late=late,
        page=page,
        per_page=per_page,
        cursor=cursor,
        updated_since=updated_since,
        sort=sort,
        order=order,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    status: list[ListActivitiesStatusItem] | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    commerce_id: None | Unset | UUID = UNSET,
    reason: None | str | Unset = UNSET,
    scheduled_from: datetime.datetime | None | Unset = UNSET,
    scheduled_to: datetime.datetime | None | Unset = UNSET,
    search: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
    executor: None | str | Unset = UNSET,
    commerce_user_id: None | Unset | UUID = UNSET,
    provider_activity_id: None | str | Unset = UNSET,
    late: bool | Unset = False,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    sort: ListActivitiesSort | Unset = ListActivitiesSort.CREATED_AT,
    order: ListActivitiesOrder | Unset = ListActivitiesOrder.DESC,
) -> Response[ActivityPage | ProblemRead]:
    """List activities

     List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without
    a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created
    meanwhile.

    In a list sorted by `scheduled_at`, `updated_at` or `score`, an activity that changes while the list
    is paged may be
    returned twice, or not at all. Sort by `created_at` where that matters.

    To follow all changes, send `updated_since`, page by `meta.nextCursor` to the last page, and then
    begin again with
    its `meta.updatedUntil` as `updated_since`. No change is missed, also of activities that change
    meanwhile. Those of
    the last minute come again, and during a pause of the tenant those since its beginning: compare
    `updatedAt`. A
    removal is no change: no list has an activity that was removed, and `GET` for its id is 410.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        status (list[ListActivitiesStatusItem] | Unset): One or more statuses. RESOLVING
            activities are not recorded yet and not listed.
        type_ (ActivityType | None | Unset):
        channel (Channel | None | Unset):
        commerce_id (None | Unset | UUID):
        reason (None | str | Unset): The reason's code.
        scheduled_from (datetime.datetime | None | Unset): The earliest `scheduledAt`, inclusive.
        scheduled_to (datetime.datetime | None | Unset): The latest `scheduledAt`, exclusive.
        search (None | str | Unset): The idempotency key or the commerce's external id begins with
            this text. Case matters.
        idempotency_key (None | str | Unset): The exact idempotency key.
        executor (None | str | Unset): The executor that claimed it last.
        commerce_user_id (None | Unset | UUID): The id of the commerce's user who is the target
            user of the activity.
        provider_activity_id (None | str | Unset): The provider's id of the activity, as a result
            of it has named it.
        late (bool | Unset): `true` lists activities that are overdue and not marked (READY, also
            held ones, or UNRESOLVED) or were marked more than a second late. `false` is no condition.
            Default: False.
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        updated_since (datetime.datetime | None | Unset): The earliest change, inclusive: the list
            has each activity that has changed since, the earliest change first. See
            `meta.updatedUntil`.
        sort (ListActivitiesSort | Unset): With `updated_since`, always `updated_at`. By `score`,
            activities without one are the lowest. Default: ListActivitiesSort.CREATED_AT.
        order (ListActivitiesOrder | Unset): With `updated_since`, always `asc`. Default:
            ListActivitiesOrder.DESC.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityPage | ProblemRead]
    """

    kwargs = _get_kwargs(
        status=status,
        type_=type_,
        channel=channel,
        commerce_id=commerce_id,
        reason=reason,
        scheduled_from=scheduled_from,
        scheduled_to=scheduled_to,
        search=search,
        idempotency_key=idempotency_key,
        executor=executor,
        commerce_user_id=commerce_user_id,
        provider_activity_id=provider_activity_id,
        late=late,
        page=page,
        per_page=per_page,
        cursor=cursor,
        updated_since=updated_since,
        sort=sort,
        order=order,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    status: list[ListActivitiesStatusItem] | Unset = UNSET,
    type_: ActivityType | None | Unset = UNSET,
    channel: Channel | None | Unset = UNSET,
    commerce_id: None | Unset | UUID = UNSET,
    reason: None | str | Unset = UNSET,
    scheduled_from: datetime.datetime | None | Unset = UNSET,
    scheduled_to: datetime.datetime | None | Unset = UNSET,
    search: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
    executor: None | str | Unset = UNSET,
    commerce_user_id: None | Unset | UUID = UNSET,
    provider_activity_id: None | str | Unset = UNSET,
    late: bool | Unset = False,
    page: int | Unset = 1,
    per_page: int | Unset = 25,
    cursor: None | str | Unset = UNSET,
    updated_since: datetime.datetime | None | Unset = UNSET,
    sort: ListActivitiesSort | Unset = ListActivitiesSort.CREATED_AT,
    order: ListActivitiesOrder | Unset = ListActivitiesOrder.DESC,
) -> ActivityPage | ProblemRead | None:
    """List activities

     List the tenant's activities that meet all conditions, by default the newest first.

    Numbered pages reach the first 10,000 activities. `meta.nextCursor` continues from any page without
    a limit. By
    cursor, each activity that existed at the first page is returned once, whatever is created
    meanwhile.

    In a list sorted by `scheduled_at`, `updated_at` or `score`, an activity that changes while the list
    is paged may be
    returned twice, or not at all. Sort by `created_at` where that matters.

    To follow all changes, send `updated_since`, page by `meta.nextCursor` to the last page, and then
    begin again with
    its `meta.updatedUntil` as `updated_since`. No change is missed, also of activities that change
    meanwhile. Those of
    the last minute come again, and during a pause of the tenant those since its beginning: compare
    `updatedAt`. A
    removal is no change: no list has an activity that was removed, and `GET` for its id is 410.

    Permission: `VIEW_ACTIVITIES`.

    Args:
        status (list[ListActivitiesStatusItem] | Unset): One or more statuses. RESOLVING
            activities are not recorded yet and not listed.
        type_ (ActivityType | None | Unset):
        channel (Channel | None | Unset):
        commerce_id (None | Unset | UUID):
        reason (None | str | Unset): The reason's code.
        scheduled_from (datetime.datetime | None | Unset): The earliest `scheduledAt`, inclusive.
        scheduled_to (datetime.datetime | None | Unset): The latest `scheduledAt`, exclusive.
        search (None | str | Unset): The idempotency key or the commerce's external id begins with
            this text. Case matters.
        idempotency_key (None | str | Unset): The exact idempotency key.
        executor (None | str | Unset): The executor that claimed it last.
        commerce_user_id (None | Unset | UUID): The id of the commerce's user who is the target
            user of the activity.
        provider_activity_id (None | str | Unset): The provider's id of the activity, as a result
            of it has named it.
        late (bool | Unset): `true` lists activities that are overdue and not marked (READY, also
            held ones, or UNRESOLVED) or were marked more than a second late. `false` is no condition.
            Default: False.
        page (int | Unset):  Default: 1.
        per_page (int | Unset):  Default: 25.
        cursor (None | str | Unset): `meta.nextCursor` of the page before. Don't combine it with
            `page`.
        updated_since (datetime.datetime | None | Unset): The earliest change, inclusive: the list
            has each activity that has changed since, the earliest change first. See
            `meta.updatedUntil`.
        sort (ListActivitiesSort | Unset): With `updated_since`, always `updated_at`. By `score`,
            activities without one are the lowest. Default: ListActivitiesSort.CREATED_AT.
        order (ListActivitiesOrder | Unset): With `updated_since`, always `asc`. Default:
            ListActivitiesOrder.DESC.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityPage | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            status=status,
            type_=type_,
            channel=channel,
            commerce_id=commerce_id,
            reason=reason,
            scheduled_from=scheduled_from,
            scheduled_to=scheduled_to,
            search=search,
            idempotency_key=idempotency_key,
            executor=executor,
            commerce_user_id=commerce_user_id,
            provider_activity_id=provider_activity_id,
            late=late,
            page=page,
            per_page=per_page,
            cursor=cursor,
            updated_since=updated_since,
            sort=sort,
            order=order,
        )
    ).parsed
