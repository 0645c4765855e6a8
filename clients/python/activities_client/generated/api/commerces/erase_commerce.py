from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activities_open_read import ActivitiesOpenRead
from ...models.operation_id_exists_read import OperationIdExistsRead
from ...models.operation_read import OperationRead
from ...models.operation_unavailable_read import OperationUnavailableRead
from ...models.problem_read import ProblemRead
from ...types import UNSET, Response, Unset


def _get_kwargs(
    commerce_id: UUID,
    *,
    cancel_open: bool | Unset = False,
    operation_id: None | Unset | UUID = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["cancel_open"] = cancel_open

    json_operation_id: None | str | Unset
    if isinstance(operation_id, Unset):
        json_operation_id = UNSET
    elif isinstance(operation_id, UUID):
        json_operation_id = str(operation_id)
    else:
        json_operation_id = operation_id
    params["operation_id"] = json_operation_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/api/commerces/{commerce_id}/personal-data".format(
            commerce_id=quote(str(commerce_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead | None:
    if response.status_code == 202:
        response_202 = OperationRead.from_dict(response.json())

        return response_202

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

    if response.status_code == 409:

        def _parse_response_409(data: object) -> ActivitiesOpenRead | OperationIdExistsRead:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_409_type_0 = ActivitiesOpenRead.from_dict(data)

                return response_409_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_409_type_1 = OperationIdExistsRead.from_dict(data)

            return response_409_type_1

        response_409 = _parse_response_409(response.json())

        return response_409

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
        response_503 = OperationUnavailableRead.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead]:
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
    cancel_open: bool | Unset = False,
    operation_id: None | Unset | UUID = UNSET,
) -> Response[ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead]:
    """Erase commerce

     Erase the personal data of a commerce and of all its users. It can't be undone.

    With the answer names, contacts, addresses and metadata are gone. The operation then deletes the
    contact log and
    removes all activities of the commerce, with trails, results and runs; their keys stay used, and
    their ids are 410.
    Read `Location` for the progress. A REFUSED item is held by an executor: repeat the erasure when its
    lease has
    ended. A repetition erases what is left, or nothing.

    Permission: `ERASE_PERSONAL_DATA`.

    Args:
        commerce_id (UUID):
        cancel_open (bool | Unset): Cancel open activities first. Without it, they are 409 with
            their number. Default: False.
        operation_id (None | Unset | UUID): A new UUID. With it, a repetition of the request
            starts nothing twice.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        cancel_open=cancel_open,
        operation_id=operation_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    cancel_open: bool | Unset = False,
    operation_id: None | Unset | UUID = UNSET,
) -> ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead | None:
    """Erase commerce

     Erase the personal data of a commerce and of all its users. It can't be undone.

    With the answer names, contacts, addresses and metadata are gone. The operation then deletes the
    contact log and
    removes all activities of the commerce, with trails, results and runs; their keys stay used, and
    their ids are 410.
    Read `Location` for the progress. A REFUSED item is held by an executor: repeat the erasure when its
    lease has
    ended. A repetition erases what is left, or nothing.

    Permission: `ERASE_PERSONAL_DATA`.

    Args:
        commerce_id (UUID):
        cancel_open (bool | Unset): Cancel open activities first. Without it, they are 409 with
            their number. Default: False.
        operation_id (None | Unset | UUID): A new UUID. With it, a repetition of the request
            starts nothing twice.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead
    """

    return sync_detailed(
        commerce_id=commerce_id,
        client=client,
        cancel_open=cancel_open,
        operation_id=operation_id,
    ).parsed


async def asyncio_detailed(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    cancel_open: bool | Unset = False,
    operation_id: None | Unset | UUID = UNSET,
) -> Response[ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead]:
    """Erase commerce

     Erase the personal data of a commerce and of all its users. It can't be undone.

    With the answer names, contacts, addresses and metadata are gone. The operation then deletes the
    contact log and
    removes all activities of the commerce, with trails, results and runs; their keys stay used, and
    their ids are 410.
    Read `Location` for the progress. A REFUSED item is held by an executor: repeat the erasure when its
    lease has
    ended. A repetition erases what is left, or nothing.

    Permission: `ERASE_PERSONAL_DATA`.

    Args:
        commerce_id (UUID):
        cancel_open (bool | Unset): Cancel open activities first. Without it, they are 409 with
            their number. Default: False.
        operation_id (None | Unset | UUID): A new UUID. With it, a repetition of the request
            starts nothing twice.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead]
    """

    kwargs = _get_kwargs(
        commerce_id=commerce_id,
        cancel_open=cancel_open,
        operation_id=operation_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    commerce_id: UUID,
    *,
    client: AuthenticatedClient,
    cancel_open: bool | Unset = False,
    operation_id: None | Unset | UUID = UNSET,
) -> ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead | None:
    """Erase commerce

     Erase the personal data of a commerce and of all its users. It can't be undone.

    With the answer names, contacts, addresses and metadata are gone. The operation then deletes the
    contact log and
    removes all activities of the commerce, with trails, results and runs; their keys stay used, and
    their ids are 410.
    Read `Location` for the progress. A REFUSED item is held by an executor: repeat the erasure when its
    lease has
    ended. A repetition erases what is left, or nothing.

    Permission: `ERASE_PERSONAL_DATA`.

    Args:
        commerce_id (UUID):
        cancel_open (bool | Unset): Cancel open activities first. Without it, they are 409 with
            their number. Default: False.
        operation_id (None | Unset | UUID): A new UUID. With it, a repetition of the request
            starts nothing twice.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ActivitiesOpenRead | OperationIdExistsRead | OperationRead | OperationUnavailableRead | ProblemRead
    """

    return (
        await asyncio_detailed(
            commerce_id=commerce_id,
            client=client,
            cancel_open=cancel_open,
            operation_id=operation_id,
        )
    ).parsed
