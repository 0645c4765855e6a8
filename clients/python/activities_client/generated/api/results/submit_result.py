from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity_gone_read import ActivityGoneRead
from ...models.activity_result_create import ActivityResultCreate
from ...models.activity_result_read import ActivityResultRead
from ...models.ambiguous_provider_id_read import AmbiguousProviderIdRead
from ...models.limit_reached_read import LimitReachedRead
from ...models.problem_read import ProblemRead
from ...models.wrong_status_read import WrongStatusRead
from ...types import Response


def _get_kwargs(
    *,
    body: ActivityResultCreate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/activity-results/tasks",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
    ActivityGoneRead
    | ActivityResultRead
    | AmbiguousProviderIdRead
    | LimitReachedRead
    | WrongStatusRead
    | ProblemRead
    | None
):
    if response.status_code == 200:
        response_200 = ActivityResultRead.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = ActivityResultRead.from_dict(response.json())

        return response_201

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

    if response.status_code == 408:
        response_408 = ProblemRead.from_dict(response.json())

        return response_408

    if response.status_code == 409:

        def _parse_response_409(data: object) -> AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_409_type_0 = AmbiguousProviderIdRead.from_dict(data)

                return response_409_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_409_type_1 = WrongStatusRead.from_dict(data)

                return response_409_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_409_type_2 = LimitReachedRead.from_dict(data)

            return response_409_type_2

        response_409 = _parse_response_409(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = ActivityGoneRead.from_dict(response.json())

        return response_410

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
        response_503 = ProblemRead.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[
    ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead
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
    body: ActivityResultCreate,
) -> Response[
    ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead
]:
    """Submit result

     Report the result of an activity.

    `COMPLETED` and `TRANSFERRED` complete the activity, `NOT_EXECUTED` makes it FAILED, `CANCELED`
    cancels it.
    `PENDING` changes nothing, but can introduce the provider's id, by which later results may identify
    the activity.

    A result whose type requires a follow-up creates one: that needs `CREATE_ACTIVITY` too.

    It is safe to send the same result again. A different result for a finished activity is 409, unless
    `hard_override`
    is set; both results are kept. A result counts even after its lease has ended, unless another
    executor has claimed
    the activity since.

    Permission: `SUBMIT_ACTIVITY_RESULT`.

    Args:
        body (ActivityResultCreate): The result of an activity, as its executor reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead]
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
    body: ActivityResultCreate,
) -> (
    ActivityGoneRead
    | ActivityResultRead
    | AmbiguousProviderIdRead
    | LimitReachedRead
    | WrongStatusRead
    | ProblemRead
    | None
):
    """Submit result

     Report the result of an activity.

    `COMPLETED` and `TRANSFERRED` complete the activity, `NOT_EXECUTED` makes it FAILED, `CANCELED`
    cancels it.
    `PENDING` changes nothing, but can introduce the provider's id, by which later results may identify
    the activity.

    A result whose type requires a follow-up creates one: that needs `CREATE_ACTIVITY` too.

    It is safe to send the same result again. A different result for a finished activity is 409, unless
    `hard_override`
    is set; both results are kept. A result counts even after its lease has ended, unless another
    executor has claimed
    the activity since.

    Permission: `SUBMIT_ACTIVITY_RESULT`.

    Args:
        body (ActivityResultCreate): The result of an activity, as its executor reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ActivityResultCreate,
) -> Response[
    ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead
]:
    """Submit result

     Report the result of an activity.

    `COMPLETED` and `TRANSFERRED` complete the activity, `NOT_EXECUTED` makes it FAILED, `CANCELED`
    cancels it.
    `PENDING` changes nothing, but can introduce the provider's id, by which later results may identify
    the activity.

    A result whose type requires a follow-up creates one: that needs `CREATE_ACTIVITY` too.

    It is safe to send the same result again. A different result for a finished activity is 409, unless
    `hard_override`
    is set; both results are kept. A result counts even after its lease has ended, unless another
    executor has claimed
    the activity since.

    Permission: `SUBMIT_ACTIVITY_RESULT`.

    Args:
        body (ActivityResultCreate): The result of an activity, as its executor reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: ActivityResultCreate,
) -> (
    ActivityGoneRead
    | ActivityResultRead
    | AmbiguousProviderIdRead
    | LimitReachedRead
    | WrongStatusRead
    | ProblemRead
    | None
):
    """Submit result

     Report the result of an activity.

    `COMPLETED` and `TRANSFERRED` complete the activity, `NOT_EXECUTED` makes it FAILED, `CANCELED`
    cancels it.
    `PENDING` changes nothing, but can introduce the provider's id, by which later results may identify
    the activity.

    A result whose type requires a follow-up creates one: that needs `CREATE_ACTIVITY` too.

    It is safe to send the same result again. A different result for a finished activity is 409, unless
    `hard_override`
    is set; both results are kept. A result counts even after its lease has ended, unless another
    executor has claimed
    the activity since.

    Permission: `SUBMIT_ACTIVITY_RESULT`.

    Args:
        body (ActivityResultCreate): The result of an activity, as its executor reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivityGoneRead | ActivityResultRead | AmbiguousProviderIdRead | LimitReachedRead | WrongStatusRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
